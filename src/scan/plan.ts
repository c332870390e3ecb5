/**
 * What a scan looks for: marks, each with the tokenizer of its text. Plain data, so that it can be sent to threads and to
 * other machines. Holds secrets: the keys of the marks.
 *
 * @module
 */

import { createHash } from 'node:crypto';
import { openTokenizer, tokenizerFingerprint } from '../corpus/open-tokenizer.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { bindOpenedMark, type OpenedMark } from '../keys/opened-mark.js';
import { type HfConfig, hfMark } from '../marks/hf-config.js';
import type { Mark } from '../marks/mark.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { type VllmConfig, vllmMark } from '../marks/vllm-config.js';
import { MOST_PLACES } from './counting/counts.js';
import { SAMPLE_SIZE } from './sample.js';
import type { WindowShape } from './windows.js';

/** Where a mark and its key come from. */
export type MarkSource =
	| { readonly kind: 'opened'; readonly opened: OpenedMark }
	| { readonly kind: 'vllm'; readonly config: VllmConfig }
	| { readonly kind: 'hf'; readonly config: HfConfig };

/** Marks on text of one tokenizer. */
export interface PlannedGroup {
	/** What opens the tokenizer; null where records are token ids. */
	readonly tokenizer: string | null;
	readonly marks: readonly { readonly source: MarkSource; readonly searchBits: number }[];
}

/** What a scan looks for, and how records are read. */
export interface ScanPlan {
	readonly groups: readonly PlannedGroup[];
	readonly fields: { readonly text: string; readonly prompt: string };
	/** Cells in which windows are counted, a power of two: see `counts.ts`. */
	readonly countCells: number;
}

/** A mark with what a verdict pays for its key. */
export interface BoundMark {
	readonly mark: Mark;
	readonly searchBits: number;
	/** Number of its windows' shape within the group. */
	readonly shape: number;
}

/** A group, ready to work. */
export interface BoundGroup {
	readonly number: number;
	/** Null where records are token ids, or tokenizers were not opened. */
	readonly tokenizer: Tokenizer | null;
	/** SHA-256 of the tokenizer, or that the marks name; null when they name none. */
	readonly fingerprint: string | null;
	readonly marks: readonly BoundMark[];
	/**
	 * Those that records are judged by: keyed draws identify a text; a shape, whose windows are mostly common ones, is
	 * asked about records only where there is no keyed draw.
	 */
	readonly judges: readonly BoundMark[];
	/** Which windows the marks read. */
	readonly shapes: readonly WindowShape[];
}

function bindSource(source: MarkSource): Mark {
	switch (source.kind) {
		case 'opened':
			return bindOpenedMark(source.opened, 'opened mark').mark;
		case 'vllm':
			return vllmMark(source.config);
		case 'hf':
			return hfMark(source.config);
	}
}

/**
 * Binds marks, and opens tokenizers.
 *
 * @param open false: tokenizers are only compared with what marks name; who reads no text needs none
 * @throws TouchmarkError `bad-input` for marks of another tokenizer than their group's, or that no sum of scores finds
 */
export async function bindPlan({ groups }: Pick<ScanPlan, 'groups'>, open = true): Promise<BoundGroup[]> {
	return Promise.all(
		groups.map(async ({ tokenizer: source, marks: planned }, number) => {
			const tokenizer = source !== null && open ? await openTokenizer(source) : null;
			const fingerprint =
				source === null ? null : (tokenizer?.fingerprint ?? (await tokenizerFingerprint(source)));
			const shapes: WindowShape[] = [];
			const marks = planned.map(({ source: from, searchBits }): BoundMark => {
				const mark = bindSource(from);
				const { contextWidth, start, tokenizer: wanted } = mark.spec;
				if (mark.scheme.null.kind === 'held-out')
					throw badInput(
						`mark ${mark.id.slice(0, 16)}… is found by alignment, which a scan does not do; use detect`,
					);
				if (fingerprint !== null && wanted !== null && wanted !== fingerprint)
					throw badInput(
						`${source}: has fingerprint ${fingerprint.slice(0, 16)}…, but mark ${mark.id.slice(0, 16)}… was made for ${wanted.slice(0, 16)}…`,
					);
				const narrow = mark.scheme.effective !== undefined;
				let shape = shapes.findIndex(
					(one) => one.contextWidth === contextWidth && one.start === start && one.narrow === narrow,
				);
				if (shape < 0) shape = shapes.push({ contextWidth, start, narrow }) - 1;
				return { mark, searchBits, shape };
			});
			const draws = marks.filter(({ mark }) => mark.spec.channel === 'choice');
			return {
				number,
				tokenizer,
				fingerprint: fingerprint ?? marks[0]?.mark.spec.tokenizer ?? null,
				marks,
				judges: draws.length > 0 ? draws : marks,
				shapes,
			};
		}),
	);
}

/** Seed of the public hash of a group's windows of one shape: windows of different ones are never the same. */
export function windowSeed(group: number, shape: number): number {
	return (group << 8) | shape;
}

/**
 * What a state says of its plan: no secrets, and all that two scans must have in common for their states to be merged.
 * Marks are named by id; records are token ids where there is no tokenizer.
 */
export function describePlan(groups: readonly BoundGroup[], countCells: number) {
	return {
		countCells,
		sampleSize: SAMPLE_SIZE,
		mostPlaces: MOST_PLACES,
		groups: groups.map(({ fingerprint, marks, judges, shapes }) => ({
			tokenizer: fingerprint,
			shapes: shapes.map(({ contextWidth, start, narrow }) => ({ contextWidth, start, narrow })),
			marks: marks.map(({ mark }) => mark.id),
			judges: judges.map(({ mark }) => mark.id),
		})),
	};
}
export type PlanDescription = ReturnType<typeof describePlan>;

/** SHA-256 of plain data in canonical form, hexadecimal. */
export function digestOf(value: unknown): string {
	return createHash('sha256').update(canonicalBytes(value)).digest('hex');
}
