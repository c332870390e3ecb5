/**
 * `touchmark radioactivity`: did this suspect model inherit the mark?
 *
 * @module
 */
import { type Command, Option } from 'commander';
import { readTextDocuments } from '../corpus/documents.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import {
	type Exchange,
	type Observations,
	type RadioactivityResult,
	radioactivity,
} from '../verify/radioactivity.js';
import type { TestResult } from '../verify/test-result.js';
import { type Edge, EXIT } from './edge.js';
import { type MarkFlags, marksFromFlags, tokenizerFor, withMarkFlags } from './marks.js';
import { parseInteger, parseLevel } from './numbers.js';
import { closedObservations, greyObservations, openObservations, readExposure } from './suspects.js';

interface Flags extends MarkFlags {
	readonly suspect: string[];
	readonly mode: Observations['mode'];
	readonly reference?: string[];
	readonly exposure?: string;
	readonly probe?: string[];
	readonly level: number;
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
			'--exposure <file>',
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
		.option('--level <p>', 'error rate of a verdict, corrected for the number of marks', parseLevel, 1e-6)
		.option('--fail-on-detect', 'exit with 3 when a mark is found');
	withMarkFlags(command).action(async (flags: Flags) => {
		const { marks, searchBits } = await marksFromFlags(edge, flags);
		const tokenizer = await tokenizerFor(marks, flags);
		const observations = await observe(flags, tokenizer);
		const { level, heldOutKeys } = flags;
		const { result } = radioactivity(observations, marks, { level, searchBits, heldOutKeys });
		edge.out(
			flags.json ? `${JSON.stringify({ ...result, tokenizer: tokenizer.fingerprint })}\n` : describe(result),
		);
		if (flags.failOnDetect && (result.verdict === 'marked' || result.verdict === 'trained-on-marked'))
			exit(EXIT.detected);
	});
}

/** What the flags say of the suspect. */
async function observe(flags: Flags, tokenizer: Tokenizer): Promise<Observations> {
	const { mode, suspect, reference = [], probe = [] } = flags;
	if (mode !== 'closed' && reference.length === 0)
		throw badInput('--reference: is needed with --mode grey and open; give the unmarked teacher first');
	if (mode !== 'open' && probe.length > 0) throw badInput('--probe: has a meaning with --mode open only');
	if (flags.exposure !== undefined && reference.length === 0)
		throw badInput('--exposure: has a meaning with --reference only');
	if (mode === 'open' && suspect.length !== 1)
		throw badInput('--suspect: must be one model with --mode open');
	if (mode === 'open' && probe.length === 0) throw badInput('--probe: is needed with --mode open');
	const exposure = await readExposure(flags.exposure, tokenizer);
	if (mode === 'grey') return greyObservations(suspect, reference, tokenizer, exposure);
	if (mode === 'open') return openObservations(suspect[0], probe, reference, tokenizer, exposure);
	const exchanges: Exchange[] = [];
	for (const path of suspect)
		for await (const { text, prompt } of readTextDocuments(path, {
			text: flags.textField,
			prompt: flags.promptField,
		}))
			exchanges.push({
				prompt: prompt === undefined ? [] : tokenizer.encode(prompt),
				answer: tokenizer.encode(text),
			});
	return closedObservations(exchanges, reference, tokenizer, exposure);
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
