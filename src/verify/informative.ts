/**
 * After which prefixes a suspect is asked, where they can be chosen: first those whose answers tell most about a mark,
 * whatever its key.
 *
 * What m readings of a pair tell (squared standard deviations of the weighted sum, up to a factor that all pairs share) is,
 * as weights take it (`residuals.ts`),
 *
 *     h²·(1 − p)²·m/(1 + m/50),    h = e/(e + 16),  e = n·p̄,
 *
 * p being what the provider's unmarked model gives the token after the prefix, p̄ the mean of that over all prefixes that
 * end in this context, and n how often the context occurs in unmarked traffic (docs/statistics.md derives it). A reading is
 * worth what it adds, over all tokens that the suspect lists: much where common tokens follow a common context and none
 * is sure, and less with every reading of the same pairs. To take what adds most, again and again, is nearly
 * the best choice for every number of readings (Nemhauser, Wolsey and Fisher 1978).
 *
 * Nothing here receives a key, or pairs of text that was marked under it: like weights, an order made without the key can
 * cost power, never validity.
 *
 * @module
 */
import {
	type ContextCounts,
	contextKey,
	HALF_SHRUNK,
	LASTING_NOISE,
	occursEarlier,
	type Prediction,
} from './residuals.js';

/** Prefixes after which the suspect may be asked. */
export interface InformativePrefixes {
	/**
	 * Considers a prefix; it is known by its number: 0, 1, 2, …
	 *
	 * @param prefix all ids before the token, such as the beginning of an unmarked text of the provider
	 * @param prediction of the provider's unmarked model
	 */
	add(prefix: ArrayLike<number>, prediction: Prediction): void;
	/** Numbers of the prefixes that can count, the most informative first. */
	order(): number[];
}

/** A token after a context. */
interface Pair {
	/** Sum of its probabilities over the prefixes that list it. */
	mass: number;
	/** Readings of it among those that were taken. */
	read: number;
}

/** The prefixes that end in one context. */
interface Context {
	readonly frequency: number;
	readonly pairs: Map<number, Pair>;
	prefixes: number;
}

interface Prefix {
	readonly number: number;
	readonly context: Context;
	readonly listed: readonly { readonly pair: Pair; readonly p: number }[];
	/** At least what a reading here adds: that only falls as others are taken. */
	bound: number;
}

/** A reading is taken when it adds at least this share of the most that any would (Badanidiyuru and Vondrák 2014). */
const NEARLY = 0.9;
/** Below this share of the best reading, the rest comes in the order of its numbers. */
const NEGLIGIBLE = 1e-9;

/**
 * Starts to gather prefixes.
 *
 * @param traffic contexts of unmarked text, as counted
 * @param shown how many of its likeliest tokens the suspect shows
 */
export function newInformativePrefixes(traffic: ContextCounts, shown: number): InformativePrefixes {
	const { contextWidth } = traffic;
	const contexts = new Map<string, Context>();
	const prefixes: Prefix[] = [];
	let count = 0;

	function contextOf(prefix: ArrayLike<number>): Context | undefined {
		// What the suspect was given does not count (`residuals.ts`).
		if (prefix.length < contextWidth || (contextWidth > 0 && occursEarlier(prefix, contextWidth)))
			return undefined;
		const key = contextKey(prefix, prefix.length, contextWidth);
		const frequency = traffic.counts.get(key);
		if (frequency === undefined) return undefined;
		const context = contexts.get(key) ?? { frequency, pairs: new Map(), prefixes: 0 };
		contexts.set(key, context);
		return context;
	}

	return {
		add(prefix, { tokens, of }) {
			const number = count++;
			const context = contextOf(prefix);
			if (context === undefined) return;
			context.prefixes++;
			const listed = Array.from(tokens, (token) => ({ token, p: of(token) }))
				.sort((a, b) => b.p - a.p)
				.slice(0, shown)
				.map(({ token, p }) => {
					const pair = context.pairs.get(token) ?? { mass: 0, read: 0 };
					context.pairs.set(token, pair);
					pair.mass += p;
					return { pair, p };
				});
			prefixes.push({ number, context, listed, bound: 0 });
		},
		order() {
			for (const { pairs } of contexts.values()) for (const pair of pairs.values()) pair.read = 0;
			for (const prefix of prefixes) prefix.bound = gain(prefix);
			const most = prefixes.reduce((best, { bound }) => Math.max(best, bound), 0);
			const taken: Prefix[] = [];
			let left: readonly Prefix[] = prefixes;
			for (let least = most; least > NEGLIGIBLE * most; least *= NEARLY)
				left = left.filter((prefix) => {
					if (prefix.bound >= least) prefix.bound = gain(prefix);
					if (prefix.bound < least) return true;
					taken.push(prefix);
					for (const { pair } of prefix.listed) pair.read++;
					return false;
				});
			return [...taken, ...left].map(({ number }) => number);
		},
	};
}

/** What one more reading adds. */
function gain({ context, listed }: Prefix): number {
	let sum = 0;
	for (const { pair, p } of listed) {
		const exposed = (context.frequency * pair.mass) / context.prefixes;
		const learned = (exposed / (exposed + HALF_SHRUNK)) * (1 - p);
		sum += learned ** 2 * (told(pair.read + 1) - told(pair.read));
	}
	return sum;
}

/** What m readings of a pair tell, in single ones without lasting noise. */
function told(m: number): number {
	return m / (1 + m * LASTING_NOISE);
}
