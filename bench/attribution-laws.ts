/**
 * Evidence that a text gives against the account that it was served to, scheme by scheme, on synthetic next-token laws:
 * Zipf's, of a given entropy. Every context is new. The u of a token that was drawn with probability p is the power p of a
 * uniform, so keyed draws need no vocabulary.
 *
 * @module
 */

import { runTournament } from '../src/prf/kernel.js';
import type { Uniforms } from '../src/schemes/scheme.js';
import { linearWeights } from '../src/schemes/synthid.js';
import { drawCandidate } from '../src/schemes/tournament.js';
import { logCodewordTail } from '../src/stats/codeword-bound.js';
import { logBinomialUpperTail, logGammaUpperTail } from '../src/stats/tails.js';
import type { Row } from './rows.js';

const VOCABULARY = 1000;
/** What a peer that shows nothing counts as, in ratios. */
const NOTHING = 1e-3;

/** A row where more is better. */
export const attributionRow = (
	name: string,
	ours: number,
	peer: number,
	peerName: string,
	unit: string,
	ratio = ours / Math.max(peer, NOTHING),
): Row => ({
	...{ case: name, ours, peer, peerName, unit, ratio },
});

/** p ∝ rank^−s with that entropy in nats. */
export function zipf(entropy: number): Float64Array {
	let law = new Float64Array(0);
	let [low, high] = [0, 20];
	for (let step = 0; step < 50; step++) {
		const s = (low + high) / 2;
		law = Float64Array.from({ length: VOCABULARY }, (_, i) => (i + 1) ** -s);
		const total = law.reduce((sum, p) => sum + p, 0);
		law = law.map((p) => p / total);
		const found = law.reduce((sum, p) => (p > 0 ? sum - p * Math.log(p) : sum), 0);
		if (found > entropy) low = s;
		else high = s;
	}
	return law;
}

/** Probabilities of `count` drawn tokens. */
export function drawnFrom(law: Float64Array, count: number, random: Uniforms): number[] {
	return Array.from({ length: count }, () => law[drawCandidate(law, random)]);
}

/** u → score. */
export type Score = (u: number) => number;
export const logScore: Score = (u) => -Math.log(Math.max(1 - u, 2 ** -32));

/** A code whose symbols turn the draw. */
export interface Turned {
	readonly symbols: number;
	readonly positions: number;
	/** Tardos: the share of ones differs from position to position by the arcsine law. Two symbols. */
	readonly biased?: boolean;
	readonly score?: Score;
}

/** A least bound over λ for symbols that are not equally likely: as `codeword-bound.ts`, by going through a grid. */
function biasedTail(table: readonly Float64Array[], ones: Float64Array, score: number): number {
	let best = 0;
	for (let lambda = 0.01; lambda < 64; lambda *= 1.05) {
		let value = -lambda * score;
		for (const [i, [zero, one]] of table.entries()) {
			const most = lambda * Math.max(zero, one);
			const weights =
				(1 - ones[i]) * Math.exp(lambda * zero - most) + ones[i] * Math.exp(lambda * one - most);
			value += most + Math.log(weights);
		}
		best = Math.min(best, value);
	}
	return best;
}

/**
 * Nats against each of `accounts` accounts whose tokens are mixed in a text, on average.
 *
 * @param drawn probabilities of the tokens
 */
export function turnedEvidence(
	code: Turned,
	drawn: readonly number[],
	accounts: number,
	random: Uniforms,
): number {
	const { symbols, positions, biased = false, score = logScore } = code;
	const ones = Float64Array.from({ length: positions }, () =>
		biased ? Math.min(0.97, Math.max(0.03, Math.sin((random.next() * Math.PI) / 2) ** 2)) : 0.5,
	);
	const symbol = (i: number) =>
		biased ? Number(random.next() < ones[i]) : Math.floor(random.next() * symbols);
	const words = Array.from({ length: accounts }, () =>
		Array.from({ length: positions }, (_, i) => symbol(i)),
	);
	const table = Array.from({ length: positions }, () => new Float64Array(symbols));
	for (const p of drawn) {
		const word = words[Math.floor(random.next() * accounts)];
		const position = Math.floor(random.next() * positions);
		const u = random.next() ** p;
		for (let s = 0; s < symbols; s++) {
			const turned = u + (s - word[position]) / symbols;
			table[position][s] += score(turned - Math.floor(turned));
		}
	}
	const scores = Float64Array.from(table.flatMap((row) => [...row]));
	const nats = words.map((word) => {
		const sum = word.reduce((total, s, i) => total + table[i][s], 0);
		return -(biased ? biasedTail(table, ones, sum) : logCodewordTail({ symbols, scores }, sum));
	});
	return nats.reduce((sum, one) => sum + one, 0) / accounts;
}

/** A key an account, or a shift of token ids: the exact tail of the account's own sum. */
export function keyEvidence(drawn: readonly number[], random: Uniforms): number {
	const sum = drawn.reduce((total, p) => total + logScore(random.next() ** p), 0);
	return -logGammaUpperTail(drawn.length, sum);
}

/**
 * Symbols read out one by one, the likeliest at each position, then compared.
 *
 * @param errors undefined: the agreements of a random code, binomial; else what a Reed–Solomon code of all positions
 *   corrects, and evidence only if there are no more
 */
export function readOutEvidence(
	drawn: readonly number[],
	positions: number,
	errors: number | undefined,
	random: Uniforms,
): number {
	const symbols = 16;
	const table = new Map<number, Float64Array>();
	for (const p of drawn) {
		const position = Math.floor(random.next() * positions);
		const row = table.get(position) ?? new Float64Array(symbols);
		table.set(position, row);
		const u = random.next() ** p;
		for (let s = 0; s < symbols; s++) row[s] += logScore((u + s / symbols) % 1);
	}
	const agree = [...table.values()].filter((row) => row.indexOf(Math.max(...row)) === 0).length;
	const trials = errors === undefined ? table.size : positions;
	if (errors !== undefined && positions - agree > errors) return 0;
	return -logBinomialUpperTail(agree, trials, 1 / symbols);
}

/** A tournament of 30 layers whose bits the symbol's pattern flips; linear weights, judged as turned draws are. */
export function tournamentEvidence(law: Float64Array, count: number, random: Uniforms): number {
	const [depth, symbols, positions] = [30, 16, 256];
	const weights = linearWeights(depth);
	const bits = () => Math.floor(random.next() * 2 ** 32);
	const patterns = Array.from({ length: symbols }, bits);
	const scores = new Float64Array(symbols * positions);
	for (let t = 0; t < count; t++) {
		const words = Uint32Array.from(law, bits);
		const left = law.slice();
		runTournament(left, words, depth);
		const word = words[drawCandidate(left, random)];
		const position = Math.floor(random.next() * positions);
		// The account has symbol 0 everywhere: patterns of the others are relative to its own.
		for (let s = 0; s < symbols; s++) {
			const flipped = s === 0 ? word : word ^ patterns[s];
			for (let d = 0; d < depth; d++) if ((flipped >>> d) & 1) scores[position * symbols + s] += weights[d];
		}
	}
	let sum = 0;
	for (let i = 0; i < positions; i++) sum += scores[i * symbols];
	return -logCodewordTail({ symbols, scores }, sum);
}
