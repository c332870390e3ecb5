/**
 * Weights of a test of inheritance: how far the suspect departs, pair by pair, from what references predict that do
 * not know the key.
 *
 * Nothing here receives a key, or pairs of text that was marked under it: what the provider served enters as counts
 * of *contexts* of unmarked text only. A filter or weight made from served (context, token) pairs would know the key
 * through them, since the key chose those tokens, and every innocent suspect would look guilty.
 *
 * A suspect that learned a share λ of marked text predicts (1 − λ)·ref + λ·marked = ref·(1 + λ·shift), where the shift
 * of a token is linear in its score to first order (a tournament's layer: g − Σp·g; a green list of small δ:
 * δ·(g − Σp·g)). The score test of λ = 0 weighs each score by relative residual over noise (docs/statistics.md derives it):
 *
 * - counted answers (Poisson, plus what the references miss): (n − ref)/√(ref + 4);
 * - given probabilities, m readings of a pair: ln(Σ suspect/Σ ref) clipped to ±½, over its variance, 1/m + 1/50: the noise
 *   of one reading is about the same share of every probability; training leaves a fiftieth of that on a pair however often
 *   it is read.
 *
 * Both are shrunk by e/(e + 16), e = how often unmarked traffic shows the pair: what was seldom served was not learned.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { badInput } from '../errors.js';
import { ln } from '../stats/portable.js';
import { fitReferences } from './reference-fit.js';

/** What a model predicts after one prefix. */
export interface Prediction {
	/** The likeliest tokens, or all. */
	readonly tokens: ArrayLike<number>;
	/** Probability of any token. */
	of(token: number): number;
}

/** How often each context occurs in unmarked text of the provider. */
export interface ContextCounts {
	/** Ids in a context. */
	readonly contextWidth: number;
	/** Counts by the ids, oldest first, joined with commas. */
	readonly counts: ReadonlyMap<string, number>;
}

/** Weights of distinct windows, fixed before a key is opened. */
export interface PairWeights {
	readonly contextWidth: number;
	/** Windows of context ids then token, one after another. */
	readonly rows: Uint32Array;
	readonly weights: Float64Array;
	/** Readings, or tokens of answers, that they rest on. */
	readonly observations: number;
	/** Share of each reference in the prediction. */
	readonly coefficients: readonly number[];
	/** SHA-256 over rows and weights, hexadecimal. */
	readonly digest: string;
}

/** Gathers what the suspect did beside what the references predict. */
export interface Residuals {
	/**
	 * The suspect's own prediction after a prefix. Only tokens that it lists count, and nothing does where the context
	 * occurs earlier in the prefix (without a context: no token that occurs there): a model repeats what it was given.
	 *
	 * @param prefix all ids before the token
	 * @param references one prediction a reference, the provider's unmarked model first
	 */
	addReading(prefix: ArrayLike<number>, suspect: Prediction, references: readonly Prediction[]): void;
	/** A token that the suspect wrote after a prefix. */
	addToken(prefix: ArrayLike<number>, token: number, references: readonly Prediction[]): void;
	/** The weights of everything so far. */
	weights(): PairWeights;
	/** What they are made from, pair by pair. */
	departures(): Iterable<Departure>;
}

/** One pair: what the suspect did, and what was expected. */
export interface Departure {
	readonly context: readonly number[];
	readonly token: number;
	/** Sum of the suspect's probabilities, or how often it wrote the token. */
	readonly mass: number;
	/** The same as the references predict it, each with its share. */
	readonly expected: number;
	/** Times that the pair was looked at. */
	readonly readings: number;
	/** How often unmarked traffic shows the pair; Infinity where no traffic was given. */
	readonly exposed: number;
}

/** Occurrences in unmarked traffic at which half of a departure is believed. */
export const HALF_SHRUNK = 16;
/** Added to an expected count: departures of rare pairs are what the references miss, not what was learned. */
const RARE = 4;
/** Clip of a log ratio, nats. */
const MOST_LOG_RATIO = 0.5;
/** Variance of a log ratio that further readings of a pair leave, over that of one reading. */
export const LASTING_NOISE = 0.02;
/** Below any probability of interest; keeps a logarithm finite. */
const TINY = 1e-6;
/** A pair that was not written is left out unless the references expect it this often. */
const LEAST_EXPECTED = 0.1;

/** A prediction of listed tokens: others are as likely as the least listed, and at most what is left. */
export function listedPrediction(tokens: ArrayLike<number>, probabilities: ArrayLike<number>): Prediction {
	const listed = new Map<number, number>();
	let rest = 1;
	let least = 1;
	for (let i = 0; i < tokens.length; i++) {
		listed.set(tokens[i], probabilities[i]);
		rest -= probabilities[i];
		least = Math.min(least, probabilities[i]);
	}
	const unlisted = Math.max(TINY, Math.min(least, rest));
	return { tokens, of: (token) => listed.get(token) ?? unlisted };
}

/** Counts the contexts of texts that no key has touched. */
export function countContexts(texts: Iterable<ArrayLike<number>>, contextWidth: number): ContextCounts {
	const counts = new Map<string, number>();
	for (const text of texts)
		for (let at = contextWidth; at < text.length; at++) {
			const key = contextKey(text, at, contextWidth);
			counts.set(key, (counts.get(key) ?? 0) + 1);
		}
	return { contextWidth, counts };
}

/** A context as {@link ContextCounts} names it: the ids before `end`. */
export function contextKey(ids: ArrayLike<number>, end: number, width: number): string {
	if (width === 1) return String(ids[end - 1]);
	let key = '';
	for (let i = end - width; i < end; i++) key += i === end - width ? ids[i] : `,${ids[i]}`;
	return key;
}

/** One context: where its tokens' sums are, and how often it was seen. */
interface Seen {
	readonly ids: readonly number[];
	readonly slots: Map<number, number>;
	times: number;
}

/**
 * Starts to gather.
 *
 * @param kind `readings` of predictions, or `text` that the suspect wrote
 * @param references how many references there are, 1 to 8
 * @param traffic contexts of unmarked text, as counted; without it nothing is shrunk
 * @throws TouchmarkError `bad-input` for another number of references, or for traffic counted by rows that are longer than a
 *   context: pairs would let the key in
 */
export function newResiduals(
	kind: 'readings' | 'text',
	contextWidth: number,
	references: number,
	traffic?: ContextCounts,
): Residuals {
	if (!(Number.isInteger(references) && references >= 1 && references <= 8))
		throw badInput('give 1 to 8 references: models that do not know the key, the unmarked teacher first');
	if (traffic !== undefined && traffic.contextWidth !== contextWidth)
		throw badInput(
			`the traffic counts rows of ${traffic.contextWidth} ids where a context of this mark has ${contextWidth}: counts of ` +
				'(context, token) pairs know the key and may not enter weights; count contexts of unmarked text',
		);
	const contexts = new Map<string, Seen>();
	/** For each pair: the suspect's mass, times seen, one mass a reference. */
	const columns = 2 + references;
	let sums = new Float64Array(columns * 1024);
	let size = 0;
	let observations = 0;

	function contextAt(prefix: ArrayLike<number>): Seen {
		if (prefix.length < contextWidth)
			throw badInput(`a prefix has ${prefix.length} ids where the context of this mark has ${contextWidth}`);
		const key = contextKey(prefix, prefix.length, contextWidth);
		let seen = contexts.get(key);
		if (seen === undefined) {
			const ids = Array.from({ length: contextWidth }, (_, i) => prefix[prefix.length - contextWidth + i]);
			seen = { ids, slots: new Map(), times: 0 };
			contexts.set(key, seen);
		}
		seen.times++;
		observations++;
		return seen;
	}
	function add(seen: Seen, token: number, mass: number, given: readonly Prediction[]): void {
		let slot = seen.slots.get(token);
		if (slot === undefined) {
			slot = size++;
			seen.slots.set(token, slot);
			if (size * columns > sums.length) {
				const larger = new Float64Array(2 * sums.length);
				larger.set(sums);
				sums = larger;
			}
		}
		const at = slot * columns;
		sums[at] += checkedMass(mass);
		sums[at + 1] += 1;
		for (let j = 0; j < references; j++) sums[at + 2 + j] += checkedMass(given[j].of(token));
	}
	function check(wanted: typeof kind, given: readonly Prediction[]): void {
		if (wanted !== kind) throw badInput('readings and written text cannot be mixed in one test');
		if (given.length !== references)
			throw badInput(
				`there are predictions of ${given.length} references where ${references} were announced`,
			);
	}

	const column = (j: number) => Float64Array.from({ length: size }, (_, i) => sums[i * columns + j]);
	const fitted = () =>
		fitReferences(
			column(0),
			Array.from({ length: references }, (_, j) => column(2 + j)),
		);
	function* departures(coefficients: readonly number[]): Generator<Departure> {
		for (const [key, { ids: context, slots, times }] of contexts) {
			const frequency = traffic?.counts.get(key) ?? 0;
			for (const [token, slot] of slots) {
				const at = slot * columns;
				const expected = coefficients.reduce((sum, c, j) => sum + c * sums[at + 2 + j], 0);
				if (kind === 'text' && sums[at] === 0 && expected < LEAST_EXPECTED) continue;
				// By all references as fitted: one alone that knew the key would let it into the weights.
				const share = expected / (kind === 'text' ? times : sums[at + 1]);
				const exposed = traffic === undefined ? Infinity : frequency * share;
				yield { context, token, mass: sums[at], expected, readings: sums[at + 1], exposed };
			}
		}
	}

	return {
		addReading(prefix, suspect, given) {
			check('readings', given);
			if (contextWidth > 0 && occursEarlier(prefix, contextWidth)) return;
			const held = contextWidth > 0 ? undefined : new Set(Array.from(prefix));
			const seen = contextAt(prefix);
			for (let i = 0; i < suspect.tokens.length; i++) {
				const token = suspect.tokens[i];
				if (!held?.has(token)) add(seen, token, suspect.of(token), given);
			}
		},
		addToken(prefix, token, given) {
			check('text', given);
			const seen = contextAt(prefix);
			const candidates = new Set<number>([token]);
			for (const { tokens } of given) for (let i = 0; i < tokens.length; i++) candidates.add(tokens[i]);
			for (const candidate of candidates) add(seen, candidate, candidate === token ? 1 : 0, given);
		},
		departures: () => departures(fitted()),
		weights() {
			const coefficients = fitted();
			const rows: number[] = [];
			const weights: number[] = [];
			for (const departure of departures(coefficients)) {
				const weight = weightOf(kind, departure);
				if (weight === 0) continue;
				rows.push(...departure.context, departure.token);
				weights.push(weight);
			}
			return sealed(contextWidth, rows, weights, observations, coefficients);
		},
	};
}

function checkedMass(mass: number): number {
	if (!(mass >= 0 && mass < Infinity))
		throw badInput(`a model predicts a probability of ${mass}; its weights may be broken`);
	return mass;
}

/** Whether the last ids occur in this order before. */
export function occursEarlier(ids: ArrayLike<number>, count: number): boolean {
	const last = ids.length - count;
	for (let start = 0; start < last; start++) {
		let same = 0;
		while (same < count && ids[start + same] === ids[last + same]) same++;
		if (same === count) return true;
	}
	return false;
}

/** The weight of a pair: how far it departs, over its noise, as far as it was served. */
export function weightOf(
	kind: 'readings' | 'text',
	{ mass, expected, readings, exposed }: Departure,
): number {
	const departure =
		kind === 'text'
			? (mass - expected) / Math.sqrt(expected + RARE)
			: logRatio(mass, expected) / (LASTING_NOISE + 1 / readings);
	return exposed === Infinity ? departure : (departure * exposed) / (exposed + HALF_SHRUNK);
}

function logRatio(mass: number, expected: number): number {
	return Math.max(-MOST_LOG_RATIO, Math.min(MOST_LOG_RATIO, ln((mass + TINY) / (expected + TINY))));
}

/** Adds the digest. */
function sealed(
	contextWidth: number,
	ids: readonly number[],
	values: readonly number[],
	observations: number,
	coefficients: readonly number[],
): PairWeights {
	const rows = Uint32Array.from(ids);
	const weights = Float64Array.from(values);
	const digest = bytesToHex(
		sha256.create().update(new Uint8Array(rows.buffer)).update(new Uint8Array(weights.buffer)).digest(),
	);
	return { contextWidth, rows, weights, observations, coefficients, digest };
}
