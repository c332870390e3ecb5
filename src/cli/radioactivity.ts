/**
 * `touchmark radioactivity`: did this suspect model inherit the mark?
 *
 * @module
 */
import { type Command, Option } from 'commander';
import { DEFAULT_FIELDS, readTextDocuments } from '../corpus/documents.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import {
	type Exchange,
	type Observations,
	type RadioactivityResult,
	radioactivity,
} from '../verify/radioactivity.js';
import type { TestResult } from '../verify/test-result.js';
import { type Edge, EXIT, warn } from './edge.js';
import { type MarkFlags, marksFromFlags, tokenizerFor, withMarkFlags } from './marks.js';
import { parseInteger, parseLevel } from './numbers.js';
import { closedObservations, greyObservations, openObservations, readTraffic } from './suspects.js';

interface Flags extends MarkFlags {
	readonly suspect: string[];
	readonly mode: Observations['mode'];
	readonly reference?: string[];
	readonly traffic?: string;
	readonly probe?: string[];
	readonly weightsOnly?: number;
	readonly weightsDigest?: string[];
	readonly level: number;
	readonly hypotheses: number;
	readonly heldOutKeys: number;
	readonly textField: string;
	readonly promptField: string;
	readonly failOnDetect?: boolean;
}

/** Adds the command. */
export function addRadioactivity(program: Command, edge: Edge, exit: (code: number) => void): void {
	const command = program
		.command('radioactivity')
		.description('did this suspect model inherit the mark? One result for all that is known of it.')
		.requiredOption(
			'--suspect <paths...>',
			'closed: JSONL of its outputs, {prompt, text} a line; grey: JSONL of readings, {id, prefix, top} a line; open: a model',
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
			'suspects, modes, references and probes tried; multiplied by the number of marks',
			parseInteger('--hypotheses', 1, 1_000_000),
			1,
		)
		.option('--level <p>', 'error rate of a verdict, corrected for all of them', parseLevel, 1e-6)
		.option('--fail-on-detect', 'exit with 3 when a mark is found');
	withMarkFlags(command).action(async (flags: Flags) => {
		if (flags.weightsOnly !== undefined) return edge.out(await weightsText(edge, flags, flags.weightsOnly));
		const { marks, searchBits } = await marksFromFlags(edge, flags);
		const tokenizer = await tokenizerFor(marks, flags);
		const observations = await observe(edge, flags, tokenizer);
		const { level, hypotheses, heldOutKeys, weightsDigest } = flags;
		const { result } = radioactivity(observations, marks, {
			...{ level, hypotheses, searchBits, heldOutKeys },
			...(weightsDigest === undefined ? {} : { weightsDigests: weightsDigest }),
		});
		edge.out(
			flags.json ? `${JSON.stringify({ ...result, tokenizer: tokenizer.fingerprint })}\n` : describe(result),
		);
		if (flags.failOnDetect && (result.verdict === 'marked' || result.verdict === 'trained-on-marked'))
			exit(EXIT.detected);
	});
}

/** The digest of the weights, for the record, before a key is opened. */
async function weightsText(edge: Edge, flags: Flags, contextWidth: number): Promise<string> {
	const observations = await observe(edge, flags, await tokenizerFor([], flags));
	const weights = observations.weights?.(contextWidth);
	if (weights === undefined) throw badInput('--weights-only: has a meaning with --reference only');
	const { digest, observations: seen } = weights;
	return flags.json
		? `${JSON.stringify({ contextWidth, observations: seen, digest })}\n`
		: `${seen} observations weighed; record this digest before the key is opened:\n${digest}\n`;
}

/** What the flags say of the suspect. */
async function observe(edge: Edge, flags: Flags, tokenizer: Tokenizer): Promise<Observations> {
	const { mode, suspect, reference = [], probe = [] } = flags;
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
	const exchanges: Exchange[] = [];
	let without: string | undefined;
	for (const path of suspect)
		for await (const { id, text, prompt } of readTextDocuments(path, {
			text: flags.textField,
			prompt: flags.promptField,
		})) {
			if (prompt === undefined) without ??= `${path}: record "${id}" has no field "${flags.promptField}"`;
			exchanges.push({
				prompt: prompt === undefined ? [] : tokenizer.encode(prompt),
				answer: tokenizer.encode(text),
			});
		}
	if (without !== undefined) {
		// A suspect that repeats a marked prompt looks marked itself.
		const remedy =
			'name the field that holds what the suspect was given (--prompt-field), and give "" where that was nothing';
		if (flags.promptField !== DEFAULT_FIELDS.prompt || exchanges.some(({ prompt }) => prompt.length > 0))
			throw badInput(`${without}; ${remedy}`);
		warn(edge, flags, `${without}, nor has any other; nothing is left out of the answers: ${remedy}`);
	}
	return closedObservations(exchanges, reference, tokenizer, traffic);
}

function describe(result: RadioactivityResult): string {
	const lines = result.tests.map(
		(test) =>
			`  ${test.channel} (${test.scheme}): ${test.scored} pairs, ${effectText(test)}, ` +
			`log10 p ${test.log10P.toFixed(1)}, rank ${test.heldOut?.rank} of ${(test.heldOut?.count ?? 0) + 1} keys`,
	);
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
