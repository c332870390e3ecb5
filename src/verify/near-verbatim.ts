/**
 * Records of a dataset that hold served answers, or pieces of them, nearly word for word.
 *
 * Every shingle of a record is looked up, while of an answer the log has the fingerprints of chosen shingles only: what is found does not
 * depend on where a record was cut. Answers to one question by different authors share phrases here and there; a copy has most of a
 * stretch. So a match is a stretch of an answer, scored by how much better a copy explains what is found there and what is missing.
 *
 * A match is a finding about two texts and no test: it says nothing of how the text came there.
 *
 * @module
 */
import type { Fingerprint, FingerprintSalt } from '../fingerprints/fingerprints.js';
import { digestsOf, ROW } from '../fingerprints/shingles.js';
import { wordsOf } from '../fingerprints/words.js';
import type { ServedIndex } from './served-index.js';

/** Share of fingerprints that a copy keeps: with a word in eight changed, 0.875^5. */
const KEPT = 0.5;
/** Share of fingerprints that other answers to the same question happen to have: docs/near-verbatim.md. */
const CHANCE = 0.05;
const FOUND = Math.log(KEPT / CHANCE);
const MISSING = Math.log((1 - KEPT) / (1 - CHANCE));

/** Score of a match, nats: least that counts. */
export const MATCH_SCORE = 10;

/** A stretch of a served answer that a record holds. */
export interface NearVerbatim {
	/** Number of the answer in the index. */
	readonly answer: number;
	/** Fingerprints of the stretch, and those of them that the record has. */
	readonly fingerprints: number;
	readonly shared: number;
	/** Logarithm of how much better a copy explains this than another answer to the same question, nats. */
	readonly score: number;
}

/**
 * The answers that a record holds nearly word for word, those with the highest score first.
 *
 * @param index fingerprints under `salt`
 */
export function nearVerbatim(text: string, salt: FingerprintSalt, index: ServedIndex): NearVerbatim[] {
	const found = new Map<number, Set<number>>();
	for (const fingerprint of known(text, salt, index))
		for (const { answer, place } of index.placesOf(fingerprint)) {
			const places = found.get(answer);
			if (places === undefined) found.set(answer, new Set([place]));
			else places.add(place);
		}
	return [...found]
		.map(([answer, places]) => ({ answer, ...bestStretch([...places].sort((a, b) => a - b)) }))
		.filter(({ score }) => score >= MATCH_SCORE)
		.sort((one, other) => other.score - one.score || one.answer - other.answer);
}

/** Takes the fingerprints that a text has out of the index. */
export function strike(text: string, salt: FingerprintSalt, index: ServedIndex): void {
	for (const fingerprint of known(text, salt, index)) index.strike(fingerprint);
}

/** The fingerprints of all shingles of a text that the index may have. */
function* known(text: string, salt: FingerprintSalt, index: ServedIndex): Generator<Fingerprint> {
	const rows = digestsOf(wordsOf(text));
	const words = new Uint32Array(rows.length / ROW);
	salt.words(rows, words);
	for (let i = 0; i < words.length; i++)
		if (index.mayHave(words[i]))
			yield { word: words[i], more: salt.more(rows.subarray(i * ROW, i * ROW + ROW - 1)) };
}

/** The stretch with the highest score. @param places of fingerprints that were found, ascending */
function bestStretch(places: readonly number[]): Omit<NearVerbatim, 'answer'> {
	let best = { fingerprints: 0, shared: 0, score: 0 };
	let begin = 0;
	let score = 0;
	let first = 0;
	for (const [i, place] of places.entries()) {
		if (i > 0) score += MISSING * (place - places[i - 1] - 1);
		if (i === 0 || score <= 0) {
			begin = place;
			first = i;
			score = 0;
		}
		score += FOUND;
		if (score > best.score) best = { fingerprints: place - begin + 1, shared: i - first + 1, score };
	}
	return best;
}
