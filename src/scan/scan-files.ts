/**
 * What a scan leaves on disk.
 *
 * @module
 */
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { readJsonLines } from '../corpus/documents.js';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { writePieces, writePiecesAsTheyCome, writeWhole } from '../output.js';
import type { ScanResult } from './corpus-result.js';
import { type FlaggedOfShard, jsonLines } from './judge-candidates.js';
import { type ScanState, stateText } from './state.js';

/** Files in the folder of a scan's results. */
export const FILES = {
	state: 'state.json',
	result: 'result.json',
	flagged: 'flagged.jsonl',
	skipped: 'skipped.jsonl',
	work: 'work',
} as const;

/** What could not be read; null: of no shard, but a whole source. */
export interface Skipped {
	readonly shard: string | null;
	readonly message: string;
}

/** Writes what a scan found; the result comes last, since its presence says that all is there. */
export async function writeScan(
	out: string,
	digest: string,
	{
		state,
		result,
		flagged,
		skipped,
	}: {
		readonly state: ScanState;
		readonly result: ScanResult;
		readonly flagged: AsyncIterable<FlaggedOfShard>;
		readonly skipped: readonly Skipped[];
	},
): Promise<void> {
	writeWhole(join(out, FILES.state), stateText(state));
	await writePiecesAsTheyCome(join(out, FILES.flagged), jsonLines(flagged));
	writePieces(
		join(out, FILES.skipped),
		skipped.map((one) => `${JSON.stringify(one)}\n`),
	);
	writeWhole(join(out, FILES.result), `${JSON.stringify({ digest, ...result })}\n`);
}

/**
 * The result of a scan that ended before; undefined where none has.
 *
 * @param digest of what is scanned, for what, and how it is judged
 * @throws TouchmarkError `bad-input` for a folder that holds another one's, or one that is not to be resumed
 */
export function scanBefore(out: string, digest: string, resume: boolean): ScanResult | undefined {
	const path = join(out, FILES.result);
	if (!existsSync(path)) return undefined;
	const { digest: before, ...result } = checked(
		z.looseObject({ digest: z.string() }),
		parseJson(readFileSync(path, 'utf8'), path),
		path,
	);
	if (before !== digest || !resume)
		throw badInput(
			resume
				? `${out}: holds the results of a scan with other marks, files or flags; choose another folder`
				: `${out}: holds the results of a scan already; choose another folder, or give --resume to print them`,
		);
	// It may have been killed between its last two steps.
	rmSync(join(out, FILES.work), { recursive: true, force: true });
	return result as unknown as ScanResult;
}

/** Records that a scan which ended before reported. */
export async function* flaggedBefore(out: string): AsyncGenerator<FlaggedOfShard> {
	const path = join(out, FILES.flagged);
	if (statSync(path).size === 0) return;
	for await (const { value } of readJsonLines(path)) yield value as FlaggedOfShard;
}

/** Endings of a file for reported records. */
const FLAGGED_ENDINGS: ReadonlySet<string> = new Set(['.parquet', '.jsonl', '.ndjson']);

/** Whether reported records can be written here. @throws TouchmarkError `bad-input` when not */
export function checkFlaggedPath(path: string): void {
	if (!FLAGGED_ENDINGS.has(extname(path)))
		throw badInput(`${path}: must end in ${[...FLAGGED_ENDINGS].join(', ')}, which says what is written`);
	if (!existsSync(dirname(path))) throw badInput(`${path}: cannot be written; its folder does not exist`);
}

/** Writes reported records as the ending of the file says. */
export async function writeFlagged(path: string, records: AsyncIterable<FlaggedOfShard>): Promise<void> {
	if (extname(path) === '.parquet') {
		const { writeFlaggedParquet } = await import('./flagged-parquet.js');
		await writeFlaggedParquet(path, records);
	} else await writePiecesAsTheyCome(path, jsonLines(records));
}
