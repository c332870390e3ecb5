/**
 * Access to the WebAssembly kernel (`kernel/assembly.ts`): one instance over one memory, and a row in that memory
 * to work on logits in. Runs in Node and in browsers; where WebAssembly SIMD is missing or forbidden, the plain
 * twins do the same work to the same bits.
 *
 * @module
 */
import { startKernel } from '../wasm.js';
import { KERNEL } from './kernel.wasm.js';
import type { GridName } from './prf.js';
import {
	plainLoadRow,
	plainRelativeWeights,
	plainSoftmaxDraw,
	plainTournament,
	type RowState,
} from './rows.js';

export type { RowState } from './rows.js';

/** What the kernel exports. Arguments are byte addresses and counts; see `kernel/assembly.ts`. */
interface Exports {
	readonly PARAMS: WebAssembly.Global<'i32'>;
	readonly TOKENS: WebAssembly.Global<'i32'>;
	readonly WORDS: WebAssembly.Global<'i32'>;
	readonly PAIRS: WebAssembly.Global<'i32'>;
	readonly RESULTS: WebAssembly.Global<'i32'>;
	readonly GUEST: WebAssembly.Global<'i32'>;
	readonly ROW: WebAssembly.Global<'i32'>;
	fields(generator: 0 | 1, bits: number, first: number, count: number): void;
	bias8(most: number, amount: number, first: number, logits: number, count: number): void;
	bias1(amount: number, first: number, logits: number, count: number): void;
	contenders(
		generator: 0 | 1,
		logits: number,
		count: number,
		mostNoise: number,
		fill: number,
		turn: number,
	): number;
	chachaPairs(count: number, width: number, bits: number): void;
	philoxPairs(count: number, width: number, k0: number, k1: number): void;
	logScores(count: number, grid: 0 | 1): void;
	deepmindBits(count: number, stride: number, depth: number, beginHigh: number, beginLow: number): void;
	relativeWeights(count: number, top: number): void;
	finite(row: number, count: number): number;
	tournament(count: number, depth: number): void;
	scaleRow(row: number, count: number, scale: number): 0 | 1 | 2;
	softmaxDraw(row: number, count: number, uniform: number): number;
}

/** The kernel and views of the places in its memory where data go in and out. */
export interface Kernel {
	readonly run: Exports;
	readonly buffer: ArrayBuffer;
	/** What a call is about, 16 words. */
	readonly params: Uint32Array;
	readonly tokens: Uint32Array;
	readonly words: Uint32Array;
	/** {@link CHUNK} words on their way in. */
	readonly pairs: Uint32Array;
	/** {@link CHUNK} words on their way out. */
	readonly results: Uint32Array;
	/** {@link CHUNK} logits on their way in and out; the same place as `results`. */
	readonly chunk: Float32Array;
	/** {@link MOST_CANDIDATES} doubles; the same place as the first half of `guest`. */
	readonly doubles: Float64Array;
	/** {@link MOST_CANDIDATES} words; the second half of `guest`. */
	readonly layers: Uint32Array;
	/** Up to {@link MOST_TOKENS} logits of the host. */
	readonly guest: Float32Array;
	/** Up to {@link MOST_TOKENS} logits; `scratchRow`. */
	readonly row: Float32Array;
}

/** The largest vocabulary that has room in the kernel's memory. */
export const MOST_TOKENS = 2 ** 20;
/** The most candidates of a tournament in the kernel. */
export const MOST_CANDIDATES = 2 ** 18;
/** Words that pass through the kernel at a time. */
export const CHUNK = 2 ** 14;
const PAGES = 134;

function load(): Kernel | undefined {
	const littleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;
	if (typeof WebAssembly === 'undefined' || !littleEndian) return undefined;
	try {
		const memory = new WebAssembly.Memory({ initial: PAGES, maximum: PAGES });
		const run = startKernel<Exports>(KERNEL, memory);
		const { buffer } = memory;
		const words = (at: WebAssembly.Global<'i32'>, length: number) =>
			new Uint32Array(buffer, at.value, length);
		const floats = (at: WebAssembly.Global<'i32'>, length: number) =>
			new Float32Array(buffer, at.value, length);
		return {
			run,
			buffer,
			params: words(run.PARAMS, 16),
			tokens: words(run.TOKENS, CHUNK),
			words: words(run.WORDS, CHUNK),
			pairs: words(run.PAIRS, CHUNK),
			results: words(run.RESULTS, CHUNK),
			chunk: floats(run.RESULTS, CHUNK),
			doubles: new Float64Array(buffer, run.GUEST.value, MOST_CANDIDATES),
			layers: new Uint32Array(buffer, run.GUEST.value + 8 * MOST_CANDIDATES, MOST_CANDIDATES),
			guest: floats(run.GUEST, MOST_TOKENS),
			row: floats(run.ROW, MOST_TOKENS),
		};
	} catch {
		// No SIMD, or a content security policy without 'wasm-unsafe-eval'.
		return undefined;
	}
}

let loaded: Kernel | undefined;
let tried = false;

/** The kernel, where the host can run it: the same answer for the life of the process. */
export function prfKernel(): Kernel | undefined {
	if (!tried) {
		tried = true;
		loaded = load();
	}
	return loaded;
}

/**
 * A row of logits that `loadRow`, `softmaxDraw` and a `Prf` work on without a copy.
 *
 * All rows are one place in the kernel's memory: what a row holds is lost when somebody else loads theirs, so do
 * not await while it matters. Vocabularies of more than 2^20 tokens get a row of their own, outside.
 */
export function scratchRow(vocabSize: number): Float32Array {
	const kernel = prfKernel();
	if (kernel === undefined || vocabSize > MOST_TOKENS) return new Float32Array(vocabSize);
	return kernel.row.subarray(0, vocabSize);
}

/** The kernel, if it can work on this row in place. */
function kernelOf(row: Float32Array): Kernel | undefined {
	const kernel = prfKernel();
	return row.buffer === kernel?.buffer ? kernel : undefined;
}

/**
 * Copies a row of logits, scaled, and looks at what it holds: row[i] = scale·logits[offset + i], scale and product
 * rounded to single precision. What is looked at is the scaled row.
 *
 * @param scale above 0
 * @returns `nan` when NaN or +Infinity is among them; else `empty` when all are −Infinity; else `ok`
 */
export function loadRow(
	logits: Float32Array,
	offset: number,
	vocabSize: number,
	scale: number,
	row: Float32Array,
): RowState {
	const kernel = kernelOf(row);
	if (kernel === undefined) return plainLoadRow(logits, offset, vocabSize, scale, row);
	row.set(logits.subarray(offset, offset + vocabSize));
	return (['ok', 'nan', 'empty'] as const)[kernel.run.scaleRow(row.byteOffset, vocabSize, scale)];
}

/**
 * Draws a token from softmax(row). The weights are single-precision exponentials, right to about 1e-7 of
 * themselves; those below e^-87 of the greatest are 0. The sums are double precision.
 *
 * @param row numbers and −Infinity
 * @param uniform in [0, 1)
 * @returns the token; −1 when all are −Infinity
 */
export function softmaxDraw(row: Float32Array, uniform: number): number {
	const kernel = kernelOf(row);
	if (kernel === undefined) return plainSoftmaxDraw(row, uniform);
	return kernel.run.softmaxDraw(row.byteOffset, row.length, uniform);
}

/**
 * Scores of words by the kernel: −ln(1 − u) in units of 2^-32, rounded down, to the bit as `negLnScore` of
 * `schemes/fixed-log.ts` gives them.
 *
 * @returns false when there is no kernel, and nothing was done
 */
export function kernelLogScores(words: Uint32Array, grid: GridName, out: Float64Array): boolean {
	const kernel = prfKernel();
	if (kernel === undefined) return false;
	for (let first = 0; first < words.length; first += CHUNK) {
		const count = Math.min(CHUNK, words.length - first);
		kernel.results.set(words.subarray(first, first + count));
		kernel.run.logScores(count, grid === 'word32' ? 0 : 1);
		out.set(kernel.doubles.subarray(0, count), first);
	}
	return true;
}

/** Ids of the tokens of a row that are above −Infinity, ascending. */
export function finiteTokens(row: Float32Array): Uint32Array {
	const kernel = kernelOf(row);
	const count = kernel?.run.finite(row.byteOffset, row.length) ?? -1;
	if (kernel !== undefined && count >= 0) return kernel.tokens.slice(0, count);
	const tokens = new Uint32Array(row.length);
	let found = 0;
	for (let token = 0; token < row.length; token++) if (row[token] > -Infinity) tokens[found++] = token;
	return tokens.subarray(0, found);
}

/** Turns logits into weights e^(logit − top), in place: those that `softmaxDraw` draws by. */
export function relativeWeights(logits: Float32Array, top: number): void {
	const kernel = prfKernel();
	if (kernel === undefined) {
		plainRelativeWeights(logits, top);
		return;
	}
	for (let first = 0; first < logits.length; first += CHUNK) {
		const part = logits.subarray(first, first + CHUNK);
		kernel.chunk.set(part);
		kernel.run.relativeWeights(part.length, top);
		part.set(kernel.chunk.subarray(0, part.length));
	}
}

/**
 * Runs `depth` ≤ 32 layers of a tournament over probabilities, in place: p ← p·(1 + g − Σ g·p), g the layer's bit of
 * the token's word. The sums have two lanes, even and odd positions, in the kernel and in the twin.
 */
export function runTournament(probabilities: Float64Array, words: Uint32Array, depth: number): void {
	const kernel = prfKernel();
	const count = probabilities.length;
	if (kernel === undefined || count > MOST_CANDIDATES) {
		plainTournament(probabilities, words, depth);
		return;
	}
	const even = count + (count & 1);
	kernel.doubles.set(probabilities);
	kernel.layers.set(words);
	kernel.doubles.fill(0, count, even);
	kernel.run.tournament(even, depth);
	probabilities.set(kernel.doubles.subarray(0, count));
}

/**
 * Layer bits of google-deepmind/synthid-text by the kernel; the twin is in `schemes/synthid-hashes.ts`.
 *
 * @param windows ids, `stride` a window
 * @param key 8 bytes a layer, little-endian, at most 64 layers
 * @param begin halves of the hash's beginning
 * @param out ⌈depth / 32⌉ words a window
 * @returns false when there is no kernel, and nothing was done
 */
export function kernelDeepmindBits(
	windows: Uint32Array,
	stride: number,
	key: Uint8Array,
	begin: { readonly high: number; readonly low: number },
	out: Uint32Array,
): boolean {
	const kernel = prfKernel();
	if (kernel === undefined) return false;
	const { run, buffer, pairs, results } = kernel;
	const depth = key.length / 8;
	const perWindow = Math.ceil(depth / 32);
	new Uint8Array(buffer, run.GUEST.value, key.length).set(key);
	const most = Math.floor(CHUNK / Math.max(stride, perWindow));
	for (let first = 0, total = windows.length / stride; first < total; first += most) {
		const count = Math.min(most, total - first);
		pairs.set(windows.subarray(first * stride, (first + count) * stride));
		run.deepmindBits(count, stride, depth, begin.high | 0, begin.low | 0);
		out.set(results.subarray(0, count * perWindow), first * perWindow);
	}
	return true;
}
