/**
 * `touchmark radioactivity`: did this suspect model inherit the mark?
 *
 * @module
 */
import { type Command, Option } from 'commander';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { type Observations, type RadioactivityResult, radioactivity } from '../verify/radioactivity.js';
import { radioactivityOfSuspects, type Suspect } from '../verify/suspects.js';
import { isFinding, type TestResult } from '../verify/test-result.js';
import { type Edge, EXIT, warn } from './edge.js';
import { type MarkFlags, marksFromFlags, SCORED_LAYERS, tokenizerFor, withMarkFlags } from './marks.js';
import { describeSuspects, type NamedPaths, namedSuspects } from './named-suspects.js';
import { parseInteger, parseLevel, parseRate } from './numbers.js';
import { greyObservations, observeAnswers, openObservations, readTraffic } from './suspects.js';

interface Flags extends MarkFlags {
	readonly suspect: string[];
	readonly control?: string[];
	readonly mode: Observations['mode'];
	readonly reference?: string[];
	readonly traffic?: string;
	readonly probe?: string[];
	readonly weightsOnly?: number;
	readonly weightsDigest?: string[];
	readonly level: number;
	readonly hypotheses: number;
	readonly heldOutKeys: number;
	readonly fdr: number;
	readonly controlCohort?: string[];
	readonly textField: string;
	readonly promptField: string;
	readonly failOnDetect?: boolean;
}

/** Adds the command. */
export function addRadioactivity(program: Command, edge: Edge, exit: (code: number) => void): void {
	const command = program
		.command('radioactivity')
		.description(
			'did this suspect model inherit the mark? One result for all that is known of it, or a table of several suspects.',
		)
		.requiredOption(
			'--suspect <paths...>',
			'closed: JSONL of its outputs, {prompt, text} a line; grey: JSONL of readings, {id, prefix, top} a line, in token ids or in text; open: a model, whose tokenizer may be another than that of the mark. Several suspects: NAME=PATH each',
		)
		.option(
			'--control <paths...>',
			'NAME=PATH of models that cannot have learned the mark (older, or not suspected), given as suspects are; one that is found withholds every finding',
		)
		.addOption(
			new Option(
				'--mode <mode>',
				'what is known of the suspect: closed (its text), grey (log-probabilities), open (weights)',
			)
				.choices(['closed', 'grey', 'open'])
				.default('closed'),
		)
		.option(
			'--reference <paths...>',
			'models that do not know the key, the unmarked teacher first: folders or shipped models; for grey also readings',
		)
		.option(
			'--traffic <file>',
			'unmarked text of the provider, about as much as was served: what is rare there weighs less',
		)
		.option('--probe <files...>', 'for open: texts that no key has touched, to read the suspect along')
		.option('--text-field <name>', 'field that holds its answer', 'text')
		.option(
			'--prompt-field <name>',
			'field that holds what it was given; its contexts are not scored',
			'prompt',
		)
		.option(
			'--held-out-keys <count>',
			'keys never deployed that the true key is ranked against',
			parseInteger('--held-out-keys', 1, 100_000),
			99,
		)
		.option(
			'--weights-only <ids>',
			'print the digest of the weights for contexts of so many ids; no key is opened',
			parseInteger('--weights-only', 0, 16),
		)
		.option('--weights-digest <hex...>', 'digests that were recorded; other weights are refused')
		.option(
			'--hypotheses <n>',
			'suspects of other runs, modes, references and probes tried; multiplied by the number of marks and of suspects here',
			parseInteger('--hypotheses', 1, 1_000_000),
			1,
		)
		.option('--level <p>', 'error rate of a verdict, corrected for all of them', parseLevel, 1e-6)
		.option(
			'--fdr <share>',
			'share of the cohorts that are found which may be wrong, on average',
			parseRate('--fdr'),
			0.01,
		)
		.option(
			'--control-cohort <names...>',
			'cohorts that are not suspected, named before the key is opened: listed apart',
		)
		.option('--fail-on-detect', 'exit with 3 when a mark is found');
	withMarkFlags(command).action(async (flags: Flags) => {
		const named = namedSuspects(flags.suspect, flags.control ?? []);
		if (flags.weightsOnly !== undefined)
			return edge.out(await weightsText(edge, flags, named, flags.weightsOnly));
		const { marks, searchBits } = await marksFromFlags(edge, flags, SCORED_LAYERS);
		const tokenizer = await tokenizerFor(marks, flags);
		const { level, hypotheses, heldOutKeys, fdr, controlCohort, weightsDigest } = flags;
		const options = {
			...{ level, hypotheses, searchBits, heldOutKeys, fdr },
			...(controlCohort === undefined ? {} : { controlCohorts: controlCohort }),
			...(weightsDigest === undefined ? {} : { weightsDigests: weightsDigest }),
		};
		const print = (result: object, words: string) =>
			edge.out(flags.json ? `${JSON.stringify({ ...result, tokenizer: tokenizer.fingerprint })}\n` : words);
		let found: boolean;
		if (named === null) {
			const observations = await observe(edge, flags, flags.suspect, tokenizer);
			const { result, nulls } = radioactivity(observations, marks, options);
			print({ ...result, nulls: nulls.map(({ log10Ps }) => log10Ps) }, describe(result));
			found = isFinding(result.verdict);
		} else {
			const observed = (some: readonly NamedPaths[]) => observeAll(edge, flags, some, tokenizer);
			const [suspects, controls] = [await observed(named.suspects), await observed(named.controls)];
			const result = radioactivityOfSuspects(suspects, controls, marks, options);
			for (const { suspect } of result.controls.filter((control) => control.found))
				warn(edge, flags, `control "${suspect}" looks marked: something is wrong, and nobody is found`);
			print(result, describeSuspects(result));
			found = result.suspects.some(({ verdict }) => isFinding(verdict));
		}
		if (flags.failOnDetect && found) exit(EXIT.detected);
	});
}

/** The digest of the weights, for the record, before a key is opened: one for each suspect and control. */
async function weightsText(
	edge: Edge,
	flags: Flags,
	named: ReturnType<typeof namedSuspects>,
	contextWidth: number,
): Promise<string> {
	const tokenizer = await tokenizerFor([], flags);
	const digestOf = (observations: Observations) => {
		const weights = observations.weights?.(contextWidth);
		if (weights === undefined) throw badInput('--weights-only: has a meaning with --reference only');
		return { contextWidth, observations: weights.observations, digest: weights.digest };
	};
	if (named === null) {
		const weights = digestOf(await observe(edge, flags, flags.suspect, tokenizer));
		return flags.json
			? `${JSON.stringify(weights)}\n`
			: `${weights.observations} observations weighed; record this digest before the key is opened:\n${weights.digest}\n`;
	}
	const all = await observeAll(edge, flags, [...named.suspects, ...named.controls], tokenizer);
	const weights = all.map(({ name, observations }) => ({ suspect: name, ...digestOf(observations) }));
	return flags.json
		? `${JSON.stringify({ weights })}\n`
		: `record these digests before the key is opened:\n${weights.map(({ suspect, digest }) => `${digest} ${suspect}\n`).join('')}`;
}

/** The same for each name. */
async function observeAll(
	edge: Edge,
	flags: Flags,
	named: readonly NamedPaths[],
	tokenizer: Tokenizer,
): Promise<Suspect[]> {
	const all: Suspect[] = [];
	for (const { name, paths } of named)
		all.push({ name, observations: await observe(edge, flags, paths, tokenizer) });
	return all;
}

/** What the flags say of one suspect. @param suspect its paths */
async function observe(
	edge: Edge,
	flags: Flags,
	suspect: readonly string[],
	tokenizer: Tokenizer,
): Promise<Observations> {
	const { mode, reference = [], probe = [] } = flags;
	if (mode !== 'closed' && reference.length === 0)
		throw badInput('--reference: is needed with --mode grey and open; give the unmarked teacher first');
	if (mode !== 'open' && probe.length > 0) throw badInput('--probe: has a meaning with --mode open only');
	if (flags.traffic !== undefined && reference.length === 0)
		throw badInput('--traffic: has a meaning with --reference only');
	if (mode === 'open' && suspect.length !== 1)
		throw badInput('--suspect: must be one model with --mode open');
	if (mode === 'open' && probe.length === 0) throw badInput('--probe: is needed with --mode open');
	const traffic = await readTraffic(flags.traffic, tokenizer);
	if (mode === 'grey') return greyObservations(suspect, reference, tokenizer, traffic);
	if (mode === 'open') return openObservations(suspect[0], probe, reference, tokenizer, traffic);
	const { textField: text, promptField: prompt } = flags;
	return observeAnswers(suspect, reference, tokenizer, traffic, {
		fields: { text, prompt },
		warn: (what) => warn(edge, flags, what),
	});
}

function describe(result: RadioactivityResult): string {
	const { cohorts, controls, fdr } = result;
	const ofCohort = new Set([...cohorts, ...controls.cohorts].map(({ mark }) => mark));
	const textOf = (test: TestResult) =>
		`${test.channel} (${test.scheme}): ${test.scored} pairs, ${effectText(test)}, ` +
		`log10 p ${test.log10P.toFixed(1)}, rank ${test.heldOut?.rank} of ${(test.heldOut?.count ?? 0) + 1} keys`;
	const listOf = (what: string, some: RadioactivityResult['cohorts']) => {
		if (some.length === 0) return [];
		const found = some.filter((cohort) => cohort.found);
		return [
			`  ${found.length} of ${some.length} ${what} found at false discovery rate ${fdr}`,
			...found.map(
				(one) =>
					`  cohort ${one.cohort}, epoch ${one.epoch}: ${textOf(one)}, adjusted ${one.log10PAdjusted.toFixed(1)}`,
			),
		];
	};
	const lines = [
		...result.tests.filter(({ mark }) => !ofCohort.has(mark)).map((test) => `  ${textOf(test)}`),
		...listOf('cohorts', cohorts),
		...listOf('control cohorts', controls.cohorts),
	];
	const alternatives =
		result.alternatives.length > 0 ? `; cannot rule out: ${result.alternatives.join(', ')}` : '';
	return `verdict: ${result.verdict} at level ${result.level}${alternatives}\n${lines.join('\n')}\n`;
}

function effectText({ statistic, effect: { mean, expected } }: TestResult): string {
	if (mean === null) return 'nothing to score';
	return statistic === 'weighted-sum'
		? `weighted sum ${mean.toFixed(1)} standard deviations above the null's mean`
		: `mean ${mean.toFixed(4)} (null ${expected})`;
}
