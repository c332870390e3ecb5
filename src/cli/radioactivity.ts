/**
 * `touchmark radioactivity`: did this suspect model inherit the mark?
 *
 * @module
 */
import type { Command } from 'commander';
import { readTextDocuments } from '../corpus/documents.js';
import { badInput } from '../errors.js';
import { type Exchange, type RadioactivityResult, radioactivity } from '../verify/radioactivity.js';
import { type Edge, EXIT } from './edge.js';
import { type MarkFlags, marksFromFlags, tokenizerFor, withMarkFlags } from './marks.js';
import { parseInteger, parseLevel } from './numbers.js';

interface Flags extends MarkFlags {
	readonly suspect: string[];
	readonly mode: string;
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
		.description('did this suspect model inherit the mark? One result for all that it wrote.')
		.requiredOption('--suspect <files...>', "JSONL of the suspect's outputs: {prompt, text} a line")
		.option('--mode <mode>', 'what is known of the suspect: closed (its text)', 'closed')
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
		if (flags.mode !== 'closed') throw badInput('--mode: must be closed');
		const { marks, searchBits } = await marksFromFlags(edge, flags);
		const tokenizer = await tokenizerFor(marks, flags);
		const exchanges: Exchange[] = [];
		for (const path of flags.suspect)
			for await (const { text, prompt } of readTextDocuments(path, {
				text: flags.textField,
				prompt: flags.promptField,
			}))
				exchanges.push({
					prompt: prompt === undefined ? [] : tokenizer.encode(prompt),
					answer: tokenizer.encode(text),
				});
		const { level, heldOutKeys } = flags;
		const { result } = radioactivity(exchanges, marks, { level, searchBits, heldOutKeys });
		edge.out(
			flags.json ? `${JSON.stringify({ ...result, tokenizer: tokenizer.fingerprint })}\n` : describe(result),
		);
		if (flags.failOnDetect && (result.verdict === 'marked' || result.verdict === 'trained-on-marked'))
			exit(EXIT.detected);
	});
}

function describe(result: RadioactivityResult): string {
	const lines = result.tests.map(
		(test) =>
			`  ${test.channel} (${test.scheme}): ${test.scored} pairs, mean ${test.effect.mean?.toFixed(4)} (null ${test.effect.expected}), ` +
			`log10 p ${test.log10P.toFixed(1)}, rank ${test.heldOut?.rank} of ${(test.heldOut?.count ?? 0) + 1} keys`,
	);
	const alternatives =
		result.alternatives.length > 0 ? `; cannot rule out: ${result.alternatives.join(', ')}` : '';
	return `verdict: ${result.verdict} at level ${result.level}${alternatives}\n${lines.join('\n')}\n`;
}
