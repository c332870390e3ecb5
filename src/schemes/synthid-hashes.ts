/**
 * The layer bits of the two published SynthID-Text implementations, bit for bit. Both hash the n-gram's ids with
 * the same 64-bit generator (`prf/lcg64.ts`), then absorb one key a layer; they differ in where the hash begins
 * and in how a bit comes out of it, and neither finds text that was marked with the other.
 *
 * - `transformers` (Hugging Face `SynthIDTextWatermarkLogitsProcessor`): begins at 1; the bit is an entry of a
 *   sampling table at the hash modulo its size; the table is the parity of Mersenne Twister outputs.
 * - `deepmind` (google-deepmind/synthid-text `logits_processing.py`): begins at SHA-256 of the keys modulo
 *   2^63 − 1; the bit is bit 30 after twelve more steps of the generator, each shifted right by 5.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { kernelDeepmindBits } from '../prf/kernel.js';
import { absorb, absorbLow, type Lcg64, signedModulo } from '../prf/lcg64.js';
import { mersenneOutputs } from '../prf/mersenne.js';
import type { LayerGenerator } from './synthid.js';

/** Keys of the layers as 64-bit halves, from 8 bytes each, little-endian. */
function layerKeys(key: Uint8Array): { high: number; low: number }[] {
	const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
	return Array.from({ length: key.length / 8 }, (_, d) => ({
		high: view.getUint32(8 * d + 4, true),
		low: view.getUint32(8 * d, true),
	}));
}

/**
 * Bits of google-deepmind's hash are a little correlated between windows that differ by certain amounts: over 60 keys
 * the variance of z grew by 3 millionths a pair at width 1 (1.9 at 280,000 pairs). This many leave it within 0.3 %.
 */
const DEEPMIND_PAIRS = 1024;

/** Above every number of ones. */
const UNKNOWN = 255;

/** The last table made: many keys share one. */
let last: { size: number; seed: number; table: Uint8Array } | undefined;

/** The sampling table: parity of the first `size` outputs of the Mersenne Twister. */
function samplingTable(size: number, seed: number): Uint8Array {
	if (last?.size !== size || last.seed !== seed) {
		const outputs = new Uint32Array(size);
		mersenneOutputs(seed, outputs);
		last = { size, seed, table: Uint8Array.from(outputs, (output) => output & 1) };
	}
	return last.table;
}

/**
 * Layers as Hugging Face transformers has them.
 *
 * Only the hash modulo the table size matters. For a power of two that is a function of the n-gram's hash
 * modulo the size, so the effective pair is that state; for other sizes each layer's table entry is an effective
 * pair of its own. Layers whose keys agree modulo the size are one layer and are scored once.
 *
 * @param key 8 bytes a layer, little-endian
 */
export function transformersLayers(
	key: Uint8Array,
	contextWidth: number,
	tableSize: number,
	tableSeed: number,
): LayerGenerator {
	const keys = layerKeys(key);
	const table = samplingTable(tableSize, tableSeed);
	const p = table.reduce((sum, bit) => sum + bit, 0) / tableSize;
	const powerOfTwo = (tableSize & (tableSize - 1)) === 0;
	const mask = tableSize - 1;
	const state: Lcg64 = { high: 0, low: 0 };
	const depth = keys.length;
	const perToken = Math.ceil(depth / 32);

	function hashContext(context: ArrayLike<number>): void {
		state.high = 0;
		state.low = 1;
		for (let i = 0; i < contextWidth; i++) absorb(state, 0, context[i]);
	}
	/** Table index of a layer, from the n-gram's whole hash. */
	function indexOf(high: number, low: number, layer: number): number {
		const hash: Lcg64 = { high, low };
		absorb(hash, keys[layer].high, keys[layer].low);
		return signedModulo(hash, tableSize);
	}

	// Layers that are told apart: the first of those whose keys agree modulo the size.
	const remainders = keys.map(({ high, low }) => signedModulo({ high, low }, tableSize));
	const distinct = keys
		.map((_, layer) => layer)
		.filter((layer) => remainders.indexOf(remainders[layer]) === layer);

	const common = {
		p,
		tokenBits(context: ArrayLike<number>, tokens: Uint32Array, out: Uint32Array): void {
			hashContext(context);
			const { high, low } = state;
			out.fill(0);
			for (let i = 0; i < tokens.length; i++) {
				if (powerOfTwo) {
					const ngram = absorbLow(low, tokens[i]);
					for (let d = 0; d < depth; d++)
						out[i * perToken + (d >>> 5)] |= table[absorbLow(ngram, keys[d].low) & mask] << (d & 31);
				} else {
					state.high = high;
					state.low = low;
					absorb(state, 0, tokens[i]);
					for (let d = 0; d < depth; d++)
						out[i * perToken + (d >>> 5)] |= table[indexOf(state.high, state.low, d)] << (d & 31);
				}
			}
		},
	};

	if (powerOfTwo) {
		const lows = distinct.map((layer) => keys[layer].low);
		const onesOf = new Uint8Array(tableSize).fill(UNKNOWN);
		const perRow = Math.ceil(lows.length / 32);
		return {
			...common,
			layers: lows.length,
			effective: {
				words: 1,
				perWindow: 1,
				of(windows, at, out, to) {
					let low = 1;
					for (let i = at; i <= at + contextWidth; i++) low = absorbLow(low, windows[i]);
					out[to] = low & mask;
					return 1;
				},
			},
			ones(rows, count, out) {
				for (let i = 0; i < count; i++) {
					const ngram = rows[i];
					// There are only as many states as the table has entries, so each is worked out once.
					let sum = onesOf[ngram];
					if (sum === UNKNOWN) {
						sum = 0;
						for (const low of lows) sum += table[absorbLow(ngram, low) & mask];
						onesOf[ngram] = sum;
					}
					out[i] = sum;
				}
			},
			rowBits(rows, count, out) {
				out.fill(0);
				for (let i = 0; i < count; i++)
					for (let d = 0; d < lows.length; d++)
						out[i * perRow + (d >>> 5)] |= table[absorbLow(rows[i], lows[d]) & mask] << (d & 31);
			},
		};
	}
	return {
		...common,
		layers: 1,
		effective: {
			words: 2,
			perWindow: distinct.length,
			of(windows, at, out, to) {
				hashContext(windows.subarray(at, at + contextWidth));
				absorb(state, 0, windows[at + contextWidth]);
				const { high, low } = state;
				distinct.forEach((layer, k) => {
					out[to + 2 * k] = layer;
					out[to + 2 * k + 1] = indexOf(high, low, layer);
				});
				return distinct.length;
			},
		},
		rowBits(rows, count, out) {
			for (let i = 0; i < count; i++) out[i] = table[rows[2 * i + 1]];
		},
	};
}

/**
 * Layers as google-deepmind/synthid-text has them.
 *
 * @param key 8 bytes a layer, little-endian: as they are hashed into the beginning
 */
export function deepmindLayers(key: Uint8Array, contextWidth: number): LayerGenerator {
	const keys = layerKeys(key);
	const depth = keys.length;
	const perToken = Math.ceil(depth / 32);
	const digest = sha256(key);
	// As a big-endian integer modulo 2^63 − 1; once a key, so BigInt may do it.
	let value = 0n;
	for (const byte of digest) value = (value << 8n) | BigInt(byte);
	const start = value % (2n ** 63n - 1n);
	const begin = { high: Number(start >> 32n), low: Number(start & 0xffffffffn) };
	const state: Lcg64 = { high: 0, low: 0 };

	/** Twelve steps h ← ((h + 1)·a + 1) >> 5, arithmetic shift; then bit 30. */
	function bitOf(hash: Lcg64): number {
		for (let step = 0; step < 12; step++) {
			absorb(hash, 0, 1);
			hash.low = ((hash.low >>> 5) | (hash.high << 27)) >>> 0;
			hash.high = (hash.high >> 5) >>> 0;
		}
		return (hash.low >>> 30) & 1;
	}
	function bitsOf(context: ArrayLike<number>, from: number, token: number, out: Uint32Array, at: number) {
		const ngram: Lcg64 = { ...begin };
		for (let i = 0; i < contextWidth; i++) absorb(ngram, 0, context[from + i]);
		absorb(ngram, 0, token);
		for (let word = 0; word < perToken; word++) out[at + word] = 0;
		for (let d = 0; d < depth; d++) {
			state.high = ngram.high;
			state.low = ngram.low;
			absorb(state, keys[d].high, keys[d].low);
			out[at + (d >>> 5)] |= bitOf(state) << (d & 31);
		}
	}
	return {
		p: 0.5,
		layers: depth,
		mostPairs: DEEPMIND_PAIRS,
		rowBits(rows, count, out) {
			const stride = contextWidth + 1;
			if (kernelDeepmindBits(rows.subarray(0, count * stride), stride, key, begin, out)) return;
			for (let i = 0; i < count; i++)
				bitsOf(rows, i * stride, rows[i * stride + contextWidth], out, i * perToken);
		},
		tokenBits(context, tokens, out) {
			for (let i = 0; i < tokens.length; i++) bitsOf(context, 0, tokens[i], out, i * perToken);
		},
	};
}
