/**
 * What is looked for, and how records are read, from the flags of a scan or of a worker of one.
 *
 * @module
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import { tokenizerFingerprint } from '../corpus/open-tokenizer.js';
import { badInput } from '../errors.js';
import { MODELS } from '../generate/embedded.js';
import type { ScanResult } from '../scan/corpus-result.js';
import { COUNT_MEMORY, cellsOf } from '../scan/counting/counts.js';
import type { PlannedGroup, ScanPlan } from '../scan/plan.js';
import { isFinding } from '../verify/test-result.js';
import type { Edge } from './edge.js';
import { type ChosenMarks, type MarkFlags, marksFromFlags, SCORED_LAYERS, withKeyFlags } from './marks.js';
import { parseInteger, parseLevel, parseRate } from './numbers.js';

/** Flags that say it. */
export interface PlanFlags extends Omit<MarkFlags, 'tokenizer'> {
	readonly tokenizer?: string[];
	readonly tokens?: boolean;
	readonly textField: string;
	readonly promptField: string;
	readonly countMemory: number;
}

/** Adds them to a command. */
export function withPlanFlags(command: Command): Command {
	return withKeyFlags(command)
		.option('--tokens', 'records are token ids: one JSON array a line, or a column or field of them')
		.option('--text-field <name>', 'field of a record that holds the text', 'text')
		.option(
			'--prompt-field <name>',
			'field that holds what the author was given; its contexts are not scored',
			'prompt',
		)
		.option('--tokenizer <paths...>', 'tokenizer.json of each marked model, its folder, or tiktoken:NAME')
		.option(
			'--count-memory <MiB>',
			'memory in which windows are counted, to leave common ones out: 256 for up to 2 billion tokens, 512 for 4, 1024 for 8',
			parseCountMemory,
			COUNT_MEMORY.least,
		);
}

function parseCountMemory(value: string): number {
	const { least, most } = COUNT_MEMORY;
	const mebibytes = parseInteger('--count-memory', least, most)(value);
	if (!Number.isInteger(Math.log2(mebibytes)))
		throw badInput(`--count-memory: must be a power of two from ${least} to ${most}, in MiB`);
	return mebibytes;
}

/** Adds the flags of verdicts on a corpus and its records. */
export function withVerdictFlags(command: Command): Command {
	return command
		.option(
			'--level <p>',
			'error rate of the verdict on the corpus, corrected for the number of tests',
			parseLevel,
			1e-6,
		)
		.option(
			'--fdr <share>',
			'share of the reported records that may be wrong, on average',
			parseRate('--fdr'),
			0.05,
		)
		.option(
			'--held-out-keys <k>',
			'keys that were never deployed to rank each mark among, on the sample',
			parseInteger('--held-out-keys', 0, 100_000),
			0,
		)
		.option('--fail-on-detect', 'exit with 3 when something is found');
}

/** Whether a scan found something: in the corpus as a whole, or records to report. */
export function isFoundByScan({ verdict, flagged }: Pick<ScanResult, 'verdict' | 'flagged'>): boolean {
	return isFinding(verdict) || (flagged ?? 0) > 0;
}

/** What the flags of a plan say. @throws TouchmarkError `bad-input` for no marks, or none of their tokenizers */
export async function planFromFlags(edge: Edge, flags: PlanFlags): Promise<ScanPlan> {
	const { tokenizer: _, ...keyFlags } = flags;
	return {
		groups: await groupsOf(await marksFromFlags(edge, keyFlags, SCORED_LAYERS), flags),
		fields: { text: flags.textField, prompt: flags.promptField },
		countCells: cellsOf(flags.countMemory),
	};
}

/** Marks by the tokenizer of their text. @throws TouchmarkError `bad-input` where one is missing */
async function groupsOf(
	{ marks, sources, searchBits }: ChosenMarks,
	{ tokens, tokenizer = [] }: PlanFlags,
): Promise<PlannedGroup[]> {
	const planned = marks.map((mark, i) => ({
		fingerprint: mark.spec.tokenizer,
		mark: { source: sources[i], searchBits: searchBits(mark) },
	}));
	if (tokens) return [{ tokenizer: null, marks: planned.map(({ mark }) => mark) }];
	const given = new Map<string, string>();
	for (const path of tokenizer) given.set(await tokenizerFingerprint(path), path);
	const embedded = join(MODELS, 'teacher');
	given.set(await tokenizerFingerprint(embedded), embedded);
	const groups = new Map<string, PlannedGroup & { marks: PlannedGroup['marks'][number][] }>();
	for (const { fingerprint, mark } of planned) {
		const only = fingerprint === null && tokenizer.length === 1 ? tokenizer[0] : undefined;
		const path = only ?? (fingerprint === null ? undefined : given.get(fingerprint));
		if (path === undefined)
			throw badInput(
				fingerprint === null
					? 'give --tokenizer PATH, one: the marks do not say which they were made for (or --tokens with token ids)'
					: `give --tokenizer PATH: none that was given has the fingerprint ${fingerprint.slice(0, 16)}… that a mark was made for (or --tokens with token ids)`,
			);
		const group = groups.get(path) ?? { tokenizer: path, marks: [] };
		group.marks.push(mark);
		groups.set(path, group);
	}
	return [...groups.values()];
}
