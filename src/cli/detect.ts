/**
 * `touchmark detect`: is this text marked?
 *
 * @module
 */
import type { Command } from 'commander';
import { readTextDocuments, readTokenDocuments } from '../corpus/documents.js';
import { badInput } from '../errors.js';
import { type DetectResult, detect } from '../verify/detect.js';
import { upstreamGumbel } from '../verify/upstream.js';
import { type Edge, EXIT } from './edge.js';
import { type MarkFlags, marksFromFlags, tokenizerFor, withMarkFlags } from './marks.js';
import { parseLevel } from './numbers.js';

interface Flags extends MarkFlags {
	readonly tokens?: boolean;
	readonly level: number;
	readonly textField: string;
	readonly promptField: string;
	readonly failOnDetect?: boolean;
}

/** Adds the command. */
export function addDetect(program: Command, edge: Edge, exit: (code: number) => void): void {
	const command = program
		.command('detect')
		.description('is this text marked? One result a document.')
		.argument('<files...>', 'text files, or JSONL with a text field')
		.option('--tokens', 'files hold token ids: one JSON array of integers a line')
		.option('--text-field <name>', 'field of a JSONL record that holds the text', 'text')
		.option(
			'--prompt-field <name>',
			'field that holds what the author was given; its contexts are not scored',
			'prompt',
		)
		.option('--level <p>', 'error rate of a verdict, corrected for the number of marks', parseLevel, 1e-6)
		.option('--fail-on-detect', 'exit with 3 when a document is marked');
	withMarkFlags(command).action(async (files: string[], flags: Flags) => {
		const { marks, searchBits, vllm } = await marksFromFlags(edge, flags);
		let found = false;
		for await (const document of documents(files, flags)) {
			const { level } = flags;
			const result = detect(document.id, document.tokens, marks, {
				level,
				searchBits,
				given: document.given,
			});
			found ||= result.verdict === 'marked';
			const upstream = vllm === undefined ? {} : { upstream: upstreamGumbel(document.tokens, vllm) };
			edge.out(flags.json ? `${JSON.stringify({ ...result, ...upstream })}\n` : describe(result));
		}
		if (found && flags.failOnDetect) exit(EXIT.detected);

		async function* documents(paths: readonly string[], { tokens, textField, promptField }: Flags) {
			const tokenizer = tokens && flags.tokenizer === undefined ? undefined : tokenizerFor(marks, flags);
			for (const path of paths) {
				if (tokens)
					for await (const document of readTokenDocuments(path, tokenizer?.vocabSize))
						yield { ...document, given: [] };
				else if (tokenizer !== undefined)
					for await (const { id, text, prompt } of readTextDocuments(path, {
						text: textField,
						prompt: promptField,
					}))
						yield {
							id,
							tokens: tokenizer.encode(text),
							given: prompt === undefined ? [] : tokenizer.encode(prompt),
						};
				else throw badInput('give --tokenizer PATH');
			}
		}
	});
}

function describe(result: DetectResult): string {
	const p =
		result.log10PCorrected < -3
			? `10^${result.log10PCorrected.toFixed(1)}`
			: (10 ** result.log10PCorrected).toPrecision(2);
	return `${result.id}: ${result.verdict} (${result.scheme}, ${result.scored} tokens scored, p ≤ ${p} corrected)\n`;
}
