/**
 * Distinct scored pairs: each (effective context, token) once, over everything that is tested.
 *
 * Counting a pair twice would make the test believe that it saw new randomness where the key is asked the
 * same question again; that is how innocent text comes to look marked.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { MarkSpec } from '../marks/mark-spec.js';

const BEFORE_TEXT = 0xffffffff;

/** A growing set of distinct pairs for marks of one context width. */
export interface PairSet {
	/** Ids in a context. */
	readonly contextWidth: number;
	/** Number of distinct pairs. */
	readonly size: number;
	/**
	 * Adds every pair of a document.
	 *
	 * @param tokens ids of the document
	 * @param given ids that its author was given (a prompt): contexts that occur there are not counted
	 */
	add(tokens: ArrayLike<number>, given?: ArrayLike<number>): void;
	/** Calls back with each pair; the context array is reused between calls. */
	forEach(visit: (context: Uint32Array, token: number) => void): void;
	/** SHA-256 over all pairs in order, hexadecimal. */
	digest(): string;
}

/**
 * A 53-bit hash of a window. It knows no key: if two pairs ever collide, one of them is not counted, which
 * costs a little power and no validity.
 */
function hashWindow(window: ArrayLike<number>): number {
	let a = 0x9e3779b9;
	let b = 0x85ebca6b;
	for (let i = 0; i < window.length; i++) {
		a = Math.imul(a ^ window[i], 0x2c1b3c6d);
		a ^= a >>> 15;
		b = Math.imul(b + window[i], 0x297a2d39);
		b ^= (b >>> 13) ^ a;
	}
	a = Math.imul(a ^ (a >>> 16) ^ b, 0x7feb352d);
	b = Math.imul(b ^ (b >>> 15) ^ (a >>> 7), 0x846ca68b);
	return (a >>> 0) * 2 ** 21 + (b >>> 11);
}

/** An empty set for marks with this context width and start rule. */
export function newPairSet({ contextWidth, start }: Pick<MarkSpec, 'contextWidth' | 'start'>): PairSet {
	const stride = contextWidth + 1;
	const seen = new Set<number>();
	let data = new Uint32Array(1024 * stride);
	let size = 0;
	const window = new Uint32Array(stride);

	return {
		contextWidth,
		get size() {
			return size;
		},
		add(tokens, given = []) {
			const excluded = new Set<number>();
			for (let end = contextWidth; end <= given.length; end++)
				excluded.add(hashWindow(Array.prototype.slice.call(given, end - contextWidth, end)));
			for (let at = start === 'pad' ? 0 : contextWidth; at < tokens.length; at++) {
				for (let i = 0; i < stride; i++) {
					const from = at - contextWidth + i;
					window[i] = from < 0 ? BEFORE_TEXT : tokens[from];
				}
				if (excluded.size > 0 && excluded.has(hashWindow(window.subarray(0, contextWidth)))) continue;
				const hash = hashWindow(window);
				if (seen.has(hash)) continue;
				seen.add(hash);
				if ((size + 1) * stride > data.length) {
					const larger = new Uint32Array(2 * data.length);
					larger.set(data);
					data = larger;
				}
				data.set(window, size * stride);
				size++;
			}
		},
		forEach(visit) {
			for (let i = 0; i < size; i++) {
				const at = i * stride;
				visit(data.subarray(at, at + contextWidth), data[at + contextWidth]);
			}
		},
		digest: () => bytesToHex(sha256(new Uint8Array(data.buffer, 0, 4 * size * stride))),
	};
}
