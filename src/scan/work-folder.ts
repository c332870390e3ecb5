/**
 * What a scan keeps on disk while it runs: what was found in each shard, and checkpoints of what threads share. After a
 * crash the newest checkpoint says which shards need not be scanned again.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, hexOf, parseJson } from '../input.js';
import { lockFile } from '../lock.js';
import { syncFolder, writePieces, writeWhole } from '../output.js';

/** Paths in a work folder. */
export function filesOf(folder: string) {
	const named = (number: number, kind: string) => join(folder, `${String(number).padStart(7, '0')}.${kind}`);
	return {
		lock: join(folder, 'lock'),
		plan: join(folder, 'plan.json'),
		checkpoint: join(folder, 'checkpoint.json'),
		counts: (version: number) => join(folder, `counts-${version}.bin`),
		found: (number: number) => named(number, 'json'),
		candidates: (number: number) => named(number, 'candidates.jsonl'),
		/** Pairs of a mark; there may be several files of a shard. */
		pairs: (number: number, mark: number, piece: number) => named(number, `${mark}-${piece}.pairs`),
	};
}

const Begun = z.strictObject({ format: z.literal('touchmark-scan-work'), digest: hexOf(32) });
const Checkpoint = z.strictObject({ version: z.int().min(0), shards: z.array(z.int().min(0)) });

/** A work folder that is open. */
export interface WorkFolder {
	readonly folder: string;
	/** Shards that are done, and the counts that hold them and no others. */
	readonly resumed: { readonly shards: readonly number[]; readonly counts: Uint8Array | null };
	/** Writes a checkpoint; it is whole, or the one before holds. Nobody may change the counts meanwhile. */
	checkpoint(shards: readonly number[], counts: Uint8Array): void;
	/** Deletes everything. */
	remove(): void;
	/** Lets another process go on here. */
	close(): void;
}

/**
 * Opens a work folder, for one process at a time.
 *
 * @param digest of what is scanned, and for what
 * @param resume go on with what an earlier run left there
 * @throws TouchmarkError `bad-input` for another scan's folder, one that was begun when it should not go on, or that
 *   another process works in
 */
export function openWorkFolder(folder: string, digest: string, resume: boolean): WorkFolder {
	const files = filesOf(folder);
	const begun = existsSync(files.plan);
	if (begun && !resume)
		throw badInput(`${folder}: holds an unfinished scan; go on with it (--resume), or delete this folder`);
	if (begun) {
		const plan = checked(Begun, parseJson(readFileSync(files.plan, 'utf8'), files.plan), files.plan);
		if (plan.digest !== digest)
			throw badInput(
				`${folder}: was begun with other marks, files or flags; give the same ones, or delete this folder`,
			);
	}
	mkdirSync(folder, { recursive: true });
	const close = lockFile(files.lock, 'another process scans into this folder');
	if (!begun) writeWhole(files.plan, JSON.stringify({ format: 'touchmark-scan-work', digest }));
	const last = existsSync(files.checkpoint)
		? checked(
				Checkpoint,
				parseJson(readFileSync(files.checkpoint, 'utf8'), files.checkpoint),
				files.checkpoint,
			)
		: null;
	let version = last?.version ?? 0;
	return {
		folder,
		resumed: {
			shards: last?.shards ?? [],
			counts: last === null ? null : readFileSync(files.counts(version)),
		},
		checkpoint(shards, counts) {
			const before = files.counts(version++);
			writePieces(files.counts(version), [counts]);
			writeWhole(files.checkpoint, JSON.stringify({ version, shards }));
			syncFolder(folder);
			rmSync(before, { force: true });
		},
		remove: () => rmSync(folder, { recursive: true, force: true }),
		close,
	};
}
