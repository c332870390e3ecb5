/**
 * Logits of a real model: rows of SmolLM2-135M-Instruct (`bench/corpus/README.md`), as they are or widened to a
 * larger vocabulary.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { randomStream } from '../src/embed/random.js';

/** Vocabulary of the model. */
const SMOLLM2 = 49_152;
/** Tokens that are likely enough to matter: widening adds none of them. */
const HEAD = 1000;

/** Rows of the model's own vocabulary. */
export function smollm2Logits(): Float32Array[] {
	const bytes = gunzipSync(readFileSync('bench/corpus/smollm2-logits.i16.gz'));
	const units = new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
	return Array.from({ length: units.length / SMOLLM2 }, (_, row) =>
		Float32Array.from(units.subarray(row * SMOLLM2, (row + 1) * SMOLLM2), (unit) => unit / 256),
	);
}

/** A row with more tokens: copies of random ones outside its head, so that the shape of its tail stays. */
export function widened(row: Float32Array, vocabSize: number): Float32Array {
	const random = randomStream('widened');
	const edge = Float32Array.from(row).sort()[row.length - HEAD];
	const tail = row.filter((logit) => logit < edge);
	const wide = new Float32Array(vocabSize);
	wide.set(row.subarray(0, Math.min(vocabSize, row.length)));
	for (let token = row.length; token < vocabSize; token++)
		wide[token] = tail[Math.floor(tail.length * random.next())];
	// Ids say nothing of likelihood: spread the head over the vocabulary.
	for (let token = vocabSize - 1; token > 0; token--) {
		const other = Math.floor((token + 1) * random.next());
		[wide[token], wide[other]] = [wide[other], wide[token]];
	}
	return wide;
}
