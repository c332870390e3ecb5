/**
 * The state of a scan: what was read, and a sample of the distinct windows that it held. Small, canonical, the same
 * bytes whatever the order in which shards were scanned and states were merged. Nothing but the number of candidates depends
 * on a key.
 *
 * Merging is the union of shards and samples: associative, commutative, and idempotent, since a shard that is in both is
 * one shard.
 *
 * @module
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, hexOf } from '../input.js';
import { isSignedBy } from '../keys/ed25519.js';
import type { Keyring } from '../keys/keyring.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { COUNT_MEMORY, cellsOf } from './counting/counts.js';
import { digestOf, type PlanDescription, windowSeed } from './plan.js';
import { newSample, type Sample, type SampledWindows } from './sample.js';
import { hashesOfRows } from './windows.js';

const Count = z.int().min(0);

const Plan = z.strictObject({
	sampleSize: Count,
	mostPlaces: Count,
	countCells: z
		.int()
		.min(cellsOf(COUNT_MEMORY.least))
		.max(cellsOf(COUNT_MEMORY.most))
		.refine((cells) => Number.isInteger(Math.log2(cells)), 'must be a power of two'),
	groups: z.array(
		z.strictObject({
			tokenizer: hexOf(32).nullable(),
			shapes: z.array(
				z.strictObject({
					contextWidth: z.int().min(0).max(16),
					start: z.enum(['skip', 'pad']),
					narrow: z.boolean(),
				}),
			),
			marks: z.array(hexOf(32)),
			judges: z.array(hexOf(32)),
		}),
	),
}) satisfies z.ZodType<PlanDescription>;

/** What was read of one shard. */
export const ShardRow = z.strictObject({
	id: z.string().min(1),
	records: Count,
	/** Records that could not be read. */
	skipped: Count,
	judged: Count,
	tokens: Count,
	candidates: Count,
});
export type ShardRow = z.infer<typeof ShardRow>;

/** A state, as it is kept and sent. */
export const ScanState = z.strictObject({
	format: z.literal('touchmark-scan-state'),
	version: z.literal(1),
	plan: Plan,
	/** In the order of their ids. */
	shards: z.array(ShardRow),
	/** Sampled windows in the order of groups and shapes: rows of 32-bit words, little-endian, base64; least hash first. */
	samples: z.array(z.base64()),
	/** Ed25519 key of who scanned, and the signature of all else; null where nobody signed. */
	publicKey: hexOf(32).nullable(),
	signature: hexOf(64).nullable(),
});
export type ScanState = z.infer<typeof ScanState>;

/** Shapes of a plan in the order of the samples, each with the seed of its windows' hashes. */
export function shapesOf(plan: PlanDescription) {
	return plan.groups.flatMap(({ shapes }, group) =>
		shapes.map((shape, i) => ({ group, shape, words: shape.contextWidth + 1, seed: windowSeed(group, i) })),
	);
}

/** A state of shards that were scanned. */
export function stateOf(
	plan: PlanDescription,
	shards: readonly ShardRow[],
	samples: readonly SampledWindows[],
): ScanState {
	return {
		format: 'touchmark-scan-state',
		version: 1,
		plan,
		shards: [...shards].sort((a, b) => (a.id < b.id ? -1 : 1)),
		samples: samples.map(({ rows }) => encodeRows(rows)),
		publicKey: null,
		signature: null,
	};
}

/** Rows as bytes in base64, the same on every machine. */
export function encodeRows(rows: Uint32Array): string {
	const bytes = Buffer.alloc(4 * rows.length);
	for (let i = 0; i < rows.length; i++) bytes.writeUInt32LE(rows[i], 4 * i);
	return bytes.toString('base64');
}

/** Rows of windows again, with their hashes. @throws TouchmarkError `bad-input` for what is no whole number of rows */
export function decodeRows(text: string, contextWidth: number, seed: number, where: string): SampledWindows {
	const bytes = Buffer.from(text, 'base64');
	const words = contextWidth + 1;
	if (bytes.length % (4 * words) !== 0 || bytes.toString('base64') !== text)
		throw badInput(`${where}: is not a whole number of windows in canonical base64`);
	const rows = new Uint32Array(bytes.length / 4);
	for (let i = 0; i < rows.length; i++) rows[i] = bytes.readUInt32LE(4 * i);
	return { size: rows.length / words, rows, ...hashesOfRows(rows, words, seed) };
}

/** The samples of a state. @throws TouchmarkError `bad-input` where they are not in order, or too many */
export function samplesOf(state: ScanState, where: string): SampledWindows[] {
	const shapes = shapesOf(state.plan);
	if (shapes.length !== state.samples.length)
		throw badInput(`${where}: field "samples": must have one sample for each of ${shapes.length} shapes`);
	return shapes.map(({ shape, seed, words }, i) => {
		const place = `${where}: field "samples.${i}"`;
		const windows = decodeRows(state.samples[i], shape.contextWidth, seed, place);
		if (windows.size > state.plan.sampleSize || !isInOrder(windows, words))
			throw badInput(`${place}: is not the least windows in their order`);
		return windows;
	});
}

/** Whether windows come as a sample gives them: by their hashes, then their words, each once. */
function isInOrder({ size, high, low, rows }: SampledWindows, words: number): boolean {
	for (let i = 1; i < size; i++) {
		let before = high[i - 1] - high[i] || low[i - 1] - low[i];
		for (let k = 0; k < words && before === 0; k++) before = rows[(i - 1) * words + k] - rows[i * words + k];
		if (before >= 0) return false;
	}
	return true;
}

/** Reads a state. @throws TouchmarkError `bad-input` for what is none, or whose signature does not fit */
export function parseState(value: unknown, where: string): ScanState {
	const state = checked(ScanState, value, where);
	state.shards.forEach(({ id }, i) => {
		if (i > 0 && id <= state.shards[i - 1].id)
			throw badInput(`${where}: field "shards": must be in the order of their ids, each once`);
	});
	samplesOf(state, where);
	if ((state.publicKey === null) !== (state.signature === null))
		throw badInput(`${where}: must have both a public key and a signature, or neither`);
	if (
		state.publicKey !== null &&
		state.signature !== null &&
		!isSignedBy(hexToBytes(state.publicKey), messageOf(state), hexToBytes(state.signature))
	)
		throw badInput(`${where}: field "signature": is not that of this state`);
	return state;
}

/** The bytes that are signed: of the state itself, which is long, the hash. */
function messageOf({ signature: _, ...state }: ScanState): Uint8Array {
	return canonicalBytes({ domain: 'touchmark/v1/scan-state', digest: digestOf(state) });
}

/** A state with the signature of who answers for it. */
export function signState(state: ScanState, signer: Pick<Keyring, 'publicKey' | 'sign'>): ScanState {
	const unsigned = { ...state, publicKey: bytesToHex(signer.publicKey), signature: null };
	return { ...unsigned, signature: bytesToHex(signer.sign(messageOf(unsigned))) };
}

/** Merges any number of states, one after another, in the memory of one. */
export interface StateMerge {
	/**
	 * Adds what a state has seen.
	 *
	 * @param where what errors call it
	 * @throws TouchmarkError `bad-input` for a state of other marks, tokenizers or samples than the ones before, or that
	 *   disagrees with them on a shard
	 */
	add(state: ScanState, where: string): void;
	/** The state of everything that any of them has seen; nobody's signature. At least one must have been added. */
	merged(): ScanState;
}

/** A merge that nothing was added to. */
export function newStateMerge(): StateMerge {
	let begun: { plan: PlanDescription; digest: string; samples: Sample[] } | undefined;
	const shards = new Map<string, ShardRow>();
	return {
		add(state, where) {
			const { plan } = state;
			const digest = digestOf(plan);
			begun ??= {
				plan,
				digest,
				samples: shapesOf(plan).map(({ words }) => newSample(words, plan.sampleSize)),
			};
			if (digest !== begun.digest)
				throw badInput(
					`${where}: is of other marks, tokenizers, versions or --count-memory than the states before it; scan again with the same ones`,
				);
			for (const row of state.shards) {
				const other = shards.get(row.id);
				if (other !== undefined && digestOf(other) !== digestOf(row))
					throw badInput(
						`${where}: shard "${row.id}" is in a state before it too, and not the same; scan it again`,
					);
				shards.set(row.id, row);
			}
			for (const [i, windows] of samplesOf(state, where).entries()) begun.samples[i].merge(windows);
		},
		merged() {
			if (begun === undefined) throw new RangeError('no state was added');
			const samples = begun.samples.map((sample) => sample.windows());
			return stateOf(begun.plan, [...shards.values()], samples);
		},
	};
}

/**
 * The state of everything that either has seen; nobody's signature. The same bytes in whatever order states are merged.
 *
 * @throws TouchmarkError `bad-input` for states that cannot be merged, see {@link StateMerge}
 */
export function mergeStates(a: ScanState, b: ScanState): ScanState {
	const merge = newStateMerge();
	merge.add(a, 'first state');
	merge.add(b, 'second state');
	return merge.merged();
}

/** A state as it is kept and sent: canonical (RFC 8785), on one line. */
export function stateText(state: ScanState): string {
	return `${Buffer.from(canonicalBytes(state)).toString('utf8')}\n`;
}

/** Totals over all shards. */
export function totalsOf(state: ScanState): Omit<ShardRow, 'id'> {
	const totals = { records: 0, skipped: 0, judged: 0, tokens: 0, candidates: 0 };
	for (const row of state.shards)
		for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += row[name];
	return totals;
}

/**
 * SHA-256 of what was seen, hexadecimal: plan, totals and samples, and not how records were split over shards. Scans of the
 * same records agree in it, however and wherever they ran.
 */
export function stateDigest(state: ScanState): string {
	const { plan, samples } = state;
	return digestOf({ plan, totals: totalsOf(state), samples });
}
