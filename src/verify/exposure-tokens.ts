/**
 * Exposure token by token, without a second answer: for logs that hold, for each served token, the distribution that it
 * was drawn from.
 *
 * With r(t) any function of the suspect that does not know what was served (its log-probability of t less a reference's),
 * X = r(y) − Σ p(t)·r(t) has mean 0 given all that came before, since y was drawn from p: Σ X is a martingale under the
 * null hypothesis. r is clipped to ±c, so |X| ≤ 2c, and 1 + λX is a fair bet for 0 ≤ λ < 1/(2c). The e-process is the
 * mean of such products over strengths fixed beforehand (Ville 1939; Waudby-Smith and Ramdas 2024, "Estimating means of
 * bounded random variables by betting").
 *
 * It holds only if p is the distribution that was sampled (after tilt, temperature, top-k and top-p), and no answer was
 * selected after it was drawn. Under a keyed choice a context draws the same token again, so only the first visit to each
 * (context, key) counts.
 *
 * @module
 */
import { badInput } from '../errors.js';
import { exp, ln, log1p } from '../stats/portable.js';

/** One served token, with all tokens that could have been drawn. */
export interface DrawnToken {
	/** What fixes the keyed draw (key and context); two tokens with one name count once. Null for an unkeyed draw. */
	readonly visit: string | null;
	/** Probabilities of the candidates, adding up to 1 (to 1e-6, and then divided by their sum); others had 0. */
	readonly probabilities: ArrayLike<number>;
	/** r of each candidate, in the same order. */
	readonly values: ArrayLike<number>;
	/** Which candidate was served. */
	readonly drawn: number;
}

/** Bets on tokens as they come. */
export interface TokenBets {
	/** log10 of the e-value so far. */
	readonly log10E: number;
	/** Tokens that were bet on. */
	readonly scored: number;
	/** Tokens left out as repeated visits. */
	readonly repeated: number;
	/** @throws TouchmarkError `bad-input` for probabilities that are none, or values that are not finite */
	add(token: DrawnToken): void;
}

/** Strengths, as shares of the largest that cannot ruin: 2^−1 … 2^−10. */
const SHARES = Array.from({ length: 10 }, (_, i) => 2 ** -(i + 1));

/**
 * An e-process over served tokens.
 *
 * @param clip c > 0, in the units of r; fixed before any token is seen
 */
export function newTokenBets(clip = 1): TokenBets {
	if (!(clip > 0 && clip < Infinity)) throw badInput('the clip must be a finite number above 0');
	const logs = new Float64Array(SHARES.length);
	const visits = new Set<string>();
	let scored = 0;
	let repeated = 0;
	const clipped = (value: number) => {
		if (!Number.isFinite(value)) throw badInput(`token ${scored + repeated}: a value is not finite`);
		return Math.max(-clip, Math.min(clip, value));
	};
	return {
		get log10E() {
			const largest = logs.reduce((most, log) => Math.max(most, log), -Infinity);
			const mean = logs.reduce((sum, log) => sum + exp(log - largest), 0) / logs.length;
			return (largest + ln(mean)) / Math.LN10;
		},
		get scored() {
			return scored;
		},
		get repeated() {
			return repeated;
		},
		add({ visit, probabilities, values, drawn }) {
			const where = `token ${scored + repeated}`;
			if (probabilities.length !== values.length)
				throw badInput(`${where}: needs one value for each candidate`);
			if (!(Number.isInteger(drawn) && probabilities[drawn] > 0))
				throw badInput(`${where}: what was drawn is not among the candidates`);
			if (visit !== null && visits.has(visit)) {
				repeated++;
				return;
			}
			let sum = 0;
			let mean = 0;
			for (let i = 0; i < values.length; i++) {
				if (!(probabilities[i] >= 0)) throw badInput(`${where}: a probability is not a number from 0 to 1`);
				sum += probabilities[i];
				mean += probabilities[i] * clipped(values[i]);
			}
			if (!(Math.abs(sum - 1) <= 1e-6)) throw badInput(`${where}: probabilities add up to ${sum}, not 1`);
			const x = clipped(values[drawn]) - mean / sum;
			if (visit !== null) visits.add(visit);
			scored++;
			SHARES.forEach((share, i) => {
				logs[i] += log1p((share / (2 * clip)) * x);
			});
		},
	};
}
