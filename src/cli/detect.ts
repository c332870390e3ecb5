/**
 * `touchmark detect`: is this text marked?
 *
 * @module
 */
import type { Command } from 'commander';
import { badInput } from '../errors.js';
import { type DetectResult, detect } from '../verify/detect.js';
import type { EntropyWeighting } from '../verify/entropy-weighted.js';
import { type Edge, EXIT } from './edge.js';
import { type DocumentFlags, givenDocuments } from './given-documents.js';
import { describeFinding, readManifests, type TrustFlags } from './manifests.js';
import { type MarkFlags, marksFromFlags, tokenizerFor, withMarkFlags } from './marks.js';
import { parseLevel } from './numbers.js';

interface Flags extends MarkFlags, DocumentFlags, TrustFlags {
	readonly level: number;
	readonly failOnDetect?: boolean;
	readonly edited?: boolean;
	readonly entropyWeighting?: EntropyWeighting;
}

/** Adds the command. */
export function addDetect(program: Command, edge: Edge, exit: (code: number) => void): void {
	const command = program
		.command('detect')
		.description('is this text marked? One result a document.')
		.argument('<files...>', 'text files, or JSONL with a text field')
		.option(
			'--tokens',
			'files hold token ids: one JSON array of integers a line (with --entropy-field: an object with tokens and that field)',
		)
		.option('--text-field <name>', 'field of a JSONL record that holds the text', 'text')
		.option(
			'--prompt-field <name>',
			'field that holds what the author was given; its contexts are not scored',
			'prompt',
		)
		.option('--edited', 'declare a second test for gumbel marks, for texts that may have been edited')
		.option(
			'--entropy-field <name>',
			'field with the entropy of each token, nats; declares a second test for green lists',
		)
		.option(
			'--entropy-weighting <kind>',
			'ewd (weights; the default), or sweet:NATS (only tokens of at least this entropy)',
			parseWeighting,
		)
		.option('--manifest <files...>', 'signed manifests, one a line; says of each text whether one is of it')
		.option(
			'--trust <file>',
			'whose manifests are believed (`touchmark-trust`; default: those that the key ring signed)',
		)
		.option('--level <p>', 'error rate of a verdict, corrected for the number of tests', parseLevel, 1e-6)
		.option('--fail-on-detect', 'exit with 3 when a document is marked');
	withMarkFlags(command).action(async (files: string[], flags: Flags) => {
		const { marks, searchBits, upstream } = await marksFromFlags(edge, flags);
		const tokenizer =
			flags.tokens && flags.tokenizer === undefined ? undefined : await tokenizerFor(marks, flags);
		const fingerprint = { tokenizer: tokenizer?.fingerprint ?? null };
		const { manifest } = flags;
		if (manifest !== undefined && flags.tokens)
			throw badInput('--manifest: is of a text; it cannot be held against token ids');
		const manifests =
			manifest === undefined ? undefined : await readManifests(edge, { ...flags, manifest }, files);
		let found = false;
		for await (const document of givenDocuments(files, flags, tokenizer)) {
			const { level } = flags;
			const result = detect(document.id, document.tokens, marks, {
				level,
				searchBits,
				given: document.given,
				edited: flags.edited ?? false,
				...(document.entropies === undefined
					? {}
					: {
							entropies: { values: document.entropies, weighting: flags.entropyWeighting ?? { kind: 'ewd' } },
						}),
			});
			found ||= result.verdict === 'marked';
			const theirs = upstream === undefined ? {} : { upstream: upstream(document.tokens) };
			const { source } = document;
			const says = source === null ? undefined : await manifests?.of(document.id, source);
			const stated = says === undefined ? {} : { manifest: says };
			edge.out(
				flags.json
					? `${JSON.stringify({ ...result, ...fingerprint, ...theirs, ...stated })}\n`
					: `${describe(result)}${says === undefined ? '' : `; ${describeFinding(says)}`}\n`,
			);
		}
		if (found && flags.failOnDetect) exit(EXIT.detected);
	});
}

/** `ewd` or `sweet:NATS`. */
function parseWeighting(value: string): EntropyWeighting {
	if (value === 'ewd') return { kind: 'ewd' };
	const threshold = value.startsWith('sweet:') ? Number(value.slice(6)) : Number.NaN;
	if (!(threshold >= 0)) throw badInput('--entropy-weighting: must be ewd, or sweet:NATS such as sweet:1');
	return { kind: 'sweet', threshold };
}

function describe(result: DetectResult): string {
	const p =
		result.log10PCorrected < -3
			? `10^${result.log10PCorrected.toFixed(1)}`
			: (10 ** result.log10PCorrected).toPrecision(2);
	return `${result.id}: ${result.verdict} (${result.scheme}, ${result.scored} tokens scored, p ≤ ${p} corrected)`;
}
