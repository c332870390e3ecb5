/**
 * Everything of a `Prf` in plain TypeScript, out of its fields: for PRFs without a kernel, for hosts without
 * WebAssembly SIMD, and as the twin that the kernel is tested against.
 *
 * @module
 */
import type { FieldBits, GridName, Prf } from './prf.js';

/**
 * No noise g = −ln(−ln u) is above this: u is at most 1 − 2^-33 in one grid and 1 − 2^-24 in the other.
 */
export const MOST_NOISE = { word32: 22.9, float24: 16.7 } as const satisfies Record<GridName, number>;
/** No noise is below this: u is at least 2^-33. */
const LEAST_NOISE = -3.14;

/**
 * With v = 1 − u, noise is at most −ln v, and at least −ln v − 0.3267 for v up to one half. A float's bit
 * pattern, read as an integer, is 2^23·(127 + log2) but for at most 0.0861 too little. The rest of the slack
 * covers rounding.
 */
const PATTERN_TO_NATS = Math.LN2 / 2 ** 23;
const UPPER = (127 + 31) * Math.LN2 + 0.001;
const LOWER = (127 + 32 - 0.0861) * Math.LN2 - 0.3267 - 0.001;

const float = new Float32Array(1);
const pattern = new Uint32Array(float.buffer);

/** At least the noise of a word. */
function mostNoise(word: number, fill: number): number {
	float[0] = (~word | fill) >>> 1;
	return UPPER - pattern[0] * PATTERN_TO_NATS;
}

/** At most the noise of a word. */
function leastNoise(word: number, fill: number): number {
	const complement = ((~word | fill) >>> 0) + 1;
	if (complement > 2 ** 31) return LEAST_NOISE;
	float[0] = complement;
	return LOWER - pattern[0] * PATTERN_TO_NATS;
}

/** A `Prf` out of one field and the fields of a vocabulary. */
export function plainPrf(base: Pick<Prf, 'field' | 'fields'>): Prf {
	let scratch = new Uint32Array(0);
	const vocabulary = (context: ArrayLike<number>, bits: FieldBits, size: number): Uint32Array => {
		if (scratch.length < size) scratch = new Uint32Array(size);
		const fields = scratch.subarray(0, size);
		base.fields(context, bits, fields);
		return fields;
	};
	return {
		field: base.field,
		fields: base.fields,
		pairFields(pairs, width, bits, out) {
			const context = new Uint32Array(width);
			for (let i = 0, at = 0; i < out.length; i++, at += width + 1) {
				for (let k = 0; k < width; k++) context[k] = pairs[at + k];
				out[i] = base.field(context, pairs[at + width], bits);
			}
		},
		bias(context, bits, below, delta, logits) {
			const fields = vocabulary(context, bits, logits.length);
			const addend = Math.fround(delta);
			for (let token = 0; token < logits.length; token++) if (fields[token] < below) logits[token] += addend;
		},
		contenders(context, logits, grid, tokens, words, turn = 0) {
			const fields = vocabulary(context, 32, logits.length);
			const fill = grid === 'float24' ? 255 : 0;
			let top = -Infinity;
			for (let token = 0; token < logits.length; token++) if (logits[token] > top) top = logits[token];
			if (top === -Infinity) return 0;
			// What some token is sure to reach.
			let reached = LEAST_NOISE;
			let count = 0;
			for (let token = 0; token < logits.length; token++) {
				const behind = logits[token] - top;
				if (behind + MOST_NOISE[grid] < reached) continue;
				const word = (fields[token] + turn) >>> 0;
				if (behind + mostNoise(word, fill) < reached) continue;
				tokens[count] = token;
				words[count++] = word;
				reached = Math.max(reached, behind + leastNoise(word, fill));
			}
			// Those that got in before the best was known.
			let kept = 0;
			for (let i = 0; i < count; i++) {
				if (logits[tokens[i]] - top + mostNoise(words[i], fill) < reached) continue;
				tokens[kept] = tokens[i];
				words[kept++] = words[i];
			}
			return kept;
		},
	};
}
