/**
 * The null hypothesis at a million pairs: the spread of z over fresh keys, for every scheme.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { randomStream } from '../src/embed/random.js';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import { bindMark } from '../src/marks/mark.js';
import type { NullLaw, Uniforms } from '../src/schemes/scheme.js';
import { newPairSet, type PairSet } from '../src/verify/pairs.js';
import { scoreOf, type Tally, tallyPairs } from '../src/verify/tally.js';
import { freshKey, schemeCases } from './fresh-marks.js';
import type { Bench, Row } from './rows.js';

/** Vocabulary of the embedded tokenizer, of which permutations are made. */
const V = 2048;
const PAIRS = 1_000_000;

/** Mean and variance of one score. */
function moments(law: NullLaw): [mean: number, variance: number] | undefined {
	switch (law.kind) {
		case 'bernoulli':
			return [law.trials * law.p, law.trials * law.p * (1 - law.p)];
		case 'weighted-bernoulli':
			return [
				law.p * law.weights.reduce((sum, weight) => sum + weight, 0),
				law.p * (1 - law.p) * law.weights.reduce((sum, weight) => sum + weight ** 2, 0),
			];
		case 'exponential':
			return [1, 1];
		case 'two-exponentials':
			return [law.a + law.b, law.a ** 2 + law.b ** 2];
		case 'held-out':
			return undefined;
	}
}

function zOf(tally: Tally, law: NullLaw): number {
	const [mean, variance] = moments(law) ?? [0, 1];
	return (scoreOf(tally) - tally.scored * mean) / Math.sqrt(tally.scored * variance);
}

/** Ids of everything that is at hand, until there are enough distinct pairs at this width. */
function largeSet(width: number, corpus: string | undefined, random: Uniforms): PairSet {
	const tokenizer = embeddedTokenizer();
	const pairs = newPairSet({ contextWidth: width, start: 'skip' });
	const books = readdirSync('bench/distillation/books').map((name) => join('bench/distillation/books', name));
	const languages = readdirSync('bench/corpus')
		.filter((name) => name.endsWith('.txt'))
		.map((name) => join('bench/corpus', name));
	const more =
		corpus !== undefined && existsSync(corpus)
			? readdirSync(corpus)
					.filter((name) => /\.(txt|jsonl)(\.gz)?$/.test(name))
					.map((name) => join(corpus, name))
			: [];
	for (const path of [...languages, ...books, ...more]) {
		if (pairs.size >= PAIRS) break;
		const bytes = readFileSync(path);
		const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
		for (let at = 0; at < text.length && pairs.size < PAIRS; at += 200_000)
			pairs.add(tokenizer.encode(text.slice(at, at + 200_000)));
	}
	while (pairs.size < PAIRS)
		pairs.add(Uint32Array.from({ length: 10_000 }, () => Math.floor(V * random.next())));
	return pairs;
}

/** Standard deviation around 0, and its band: the χ² law of the sum of squares, by the Wilson–Hilferty cube. */
function spreadBand(tests: number, error: number): [low: number, high: number] {
	// The normal quantile of error/2 by Newton's steps on a bound: the band need not be exact to more than a percent.
	let z = Math.sqrt(-2 * Math.log(error / 2));
	z -= (Math.log(z) + 0.5 * Math.log(2 * Math.PI)) / z;
	const at = (sign: number) =>
		Math.max(0, 1 - 2 / (9 * tests) + sign * z * Math.sqrt(2 / (9 * tests))) ** 1.5;
	return [at(-1), at(1)];
}

export const bench: Bench = {
	about:
		'Standard deviation of z over fresh keys on a million distinct windows of real text (filled up with random ids where the ' +
		'texts at hand have fewer), widths 1 and 4, vocabulary 2,048. Where windows share a seed there are fewer effective pairs; ' +
		"google-deepmind's hash is scored on its first 1,024 pairs only. Peer: the upper edge of the band at family-wise 99.9 %; " +
		'tests that give an upper bound may lie below theirs.',
	async run({ quick, corpus }) {
		const found: { name: string; keys: number; deviation: number; exact: boolean; scored: number }[] = [];
		const random = randomStream('spread');
		for (const width of [1, 4]) {
			const pairs = largeSet(width, corpus, random);
			for (const one of schemeCases(width, V)) {
				// As many pairs as ids; a hash a pair; vocabulary-sized outputs a pair, which kgw-meta has as well.
				if (['unigram', 'gumbel-hmac', 'gumbel-meta'].includes(one.name)) continue;
				const keys = quick ? 3 : one.permutation ? 5 : 200;
				let squares = 0;
				let scored = 0;
				for (let key = 0; key < keys; key++) {
					const mark = bindMark(one.spec, freshKey(one.spec, random));
					const tally = tallyPairs(pairs, mark);
					squares += zOf(tally, mark.scheme.null) ** 2;
					scored = tally.scored;
				}
				const deviation = Math.sqrt(squares / keys);
				const name = `${one.name} h${one.spec.contextWidth}`;
				console.log(name, pairs.size, scored, deviation.toFixed(3), keys);
				found.push({ name, keys, deviation, exact: one.exact, scored });
			}
		}
		const outside: string[] = [];
		const rows = found.map(({ name, keys, deviation, exact, scored }): Row => {
			const [low, high] = spreadBand(keys, 1e-3 / found.length);
			if (deviation > high || (exact && deviation < low)) outside.push(name);
			return {
				case: name,
				ours: deviation,
				peer: high,
				peerName: `upper edge of [${exact ? low.toPrecision(3) : '0'}, ${high.toPrecision(3)}], ${keys} keys, ${scored} pairs`,
				unit: 'sd of z',
				ratio: deviation > 0 ? high / deviation : Number.MAX_SAFE_INTEGER,
			};
		});
		return {
			rows,
			notes: [
				`${outside.length} of ${rows.length} lie outside their band${outside.length > 0 ? `: ${outside.join(', ')}` : ''}.`,
				"transformers' SynthID table has 65,536 states: with all of them seen the score is the table's share for every key.",
			],
		};
	},
};
