/**
 * Students that are read: what they predict along probing texts, in full and as an API shows it.
 *
 * @module
 */
import { randomStream } from '../../src/embed/random.js';
import type { Mark } from '../../src/marks/mark.js';
import { type NextToken, predictAlong } from '../../src/model/predict.js';
import type { Transformer } from '../../src/model/transformer.js';
import { newPairSet, type PairSet } from '../../src/verify/pairs.js';
import { listedPrediction, newResiduals, type Prediction } from '../../src/verify/residuals.js';
import { scoreOf, tallyPairs } from '../../src/verify/tally.js';
import { type Ground, UNTRAINED } from './ground.js';
import { type Measured, type Point, plainPoint, weightedPoint } from './measured.js';

/** Queries at which a test is made; every number takes the queries of the one before and more. */
const PLACES = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000] as const;
/** The weighted tests stop to read here: what they need is known by then. */
const MOST_WEIGHTED = 10_000;
/** Tokens that an API shows. */
export const TOP = 20;

/** Mean score of one drawn token per distinct context, by Hoeffding's bound: p = exp(−2n(mean − γ)²). */
function hoeffdingPoint(queries: number, pairs: PairSet, mark: Mark): Point {
	const law = mark.scheme.null;
	const tally = tallyPairs(pairs, mark);
	if (law.kind !== 'bernoulli' || tally.scored === 0) return { queries, log10P: 0 };
	// A tournament's score is the mean of its layers.
	const excess = scoreOf(tally) / (tally.scored * law.trials) - law.p;
	return { queries, log10P: excess > 0 ? (-2 * pairs.size * excess ** 2) / Math.LN10 : 0 };
}

/** A place in a probing text, and when it is asked. */
interface Asked {
	readonly rank: number;
}

/**
 * All places after the prompts, in an order drawn once for all students: first those whose context the text did not have
 * before, since no others count for a weighted test.
 */
export function askedPlaces({ probes, promptLength }: Ground, contextWidth: number): Map<number, Asked> {
	const fresh: number[] = [];
	const repeated: number[] = [];
	probes.forEach((ids, text) => {
		const seen = new Set<string>();
		for (let at = contextWidth; at < ids.length; at++) {
			const context = ids.slice(at - contextWidth, at).join();
			if (at > Math.max(promptLength, contextWidth))
				(seen.has(context) ? repeated : fresh).push(text * 1024 + at);
			seen.add(context);
		}
	});
	const random = randomStream('distillation/places');
	for (const places of [fresh, repeated])
		for (let i = places.length - 1; i > 0; i--) {
			const j = Math.floor(random.next() * (i + 1));
			[places[i], places[j]] = [places[j], places[i]];
		}
	return new Map([...fresh, ...repeated].map((place, rank) => [place, { rank }]));
}

/** What an API shows of a prediction: its likeliest tokens. */
export function shownByApi({ tokens, of }: NextToken): Prediction {
	const top = [...tokens].sort((a, b) => of(b) - of(a)).slice(0, TOP);
	return listedPrediction(top, top.map(of));
}

/** The likeliest token. */
function likeliest({ tokens, of }: NextToken): number {
	let best = tokens[0];
	for (const token of tokens) if (of(token) > of(best)) best = token;
	return best;
}

/** A token drawn from the listed ones. */
function drawn({ tokens, of }: NextToken, uniform: number): number {
	let left = uniform * tokens.reduce((sum, token) => sum + of(token), 0);
	for (const token of tokens) {
		left -= of(token);
		if (left < 0) return token;
	}
	return tokens[tokens.length - 1];
}

/** Gathers what students of one context width predict along the probes, several students in one pass. */
export function readStudents(
	ground: Ground,
	students: readonly { readonly model: Transformer; readonly mark: Mark }[],
	contextWidth: number,
): { grey: NonNullable<Measured['grey']>; open: NonNullable<Measured['open']> }[] {
	const { references, probes } = ground;
	const places = askedPlaces(ground, contextWidth);
	const budgets = PLACES.filter((most) => most <= places.size);
	const read = budgets.filter((most) => most <= MOST_WEIGHTED);
	const exposure = ground.exposure(contextWidth);
	const trained = references.length;
	const given = [UNTRAINED, trained];
	const gather = () =>
		given.map((count) =>
			read.map((most) => ({ most, residuals: newResiduals('readings', contextWidth, count, exposure) })),
		);
	const states = students.map(({ mark }) => ({
		open: gather(),
		grey: gather(),
		top: budgets.map((most) => ({ most, pairs: newPairSet(mark.spec) })),
		first: budgets.map((most) => ({ most, pairs: newPairSet(mark.spec), seen: new Set<string>() })),
		random: randomStream('distillation/drawn'),
	}));
	predictAlong(
		[...references, ...students.map(({ model }) => model)],
		probes,
		1e-3,
		(text, at, all) => {
			const { rank } = places.get(text * 1024 + at) as Asked;
			const prefix = probes[text].slice(0, at);
			const context = prefix.slice(at - contextWidth);
			const others = all.slice(0, trained);
			states.forEach((state, i) => {
				const own = all[trained + i];
				if (rank < MOST_WEIGHTED) {
					const listed = shownByApi(own);
					given.forEach((count, j) => {
						const known = others.slice(0, count);
						for (const { most, residuals } of state.open[j])
							if (rank < most) residuals.addReading(prefix, own, known);
						for (const { most, residuals } of state.grey[j])
							if (rank < most) residuals.addReading(prefix, listed, known);
					});
				}
				const best = likeliest(own);
				const one = drawn(own, state.random.next());
				for (const { most, pairs } of state.top) if (rank < most) pairs.add([...context, best]);
				for (const { most, pairs, seen } of state.first)
					if (rank < most && !seen.has(context.join())) {
						seen.add(context.join());
						pairs.add([...context, one]);
					}
			});
		},
		(text, at) => places.has(text * 1024 + at),
	);
	return states.map(({ open, grey, top, first }, i) => {
		const { mark } = students[i];
		const curve = (some: (typeof open)[number]) =>
			some.map(({ most, residuals }) => weightedPoint(most, residuals.weights(), mark));
		const reading = top.map(({ most, pairs }) => plainPoint(most, pairs, mark));
		return {
			grey: {
				weighted: curve(grey[0]),
				'weighted+students': curve(grey[1]),
				'reading mode': reading,
				'one token a context': first.map(({ most, pairs }) => hoeffdingPoint(most, pairs, mark)),
			},
			open: { weighted: curve(open[0]), 'weighted+students': curve(open[1]), 'reading mode': reading },
		};
	});
}
