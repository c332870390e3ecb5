/**
 * Hard students that are read: weights from what they predict along probing texts, in full and as an API shows it. No key is
 * known here.
 *
 * @module
 */

import { loadTokenizer } from '../../src/corpus/load-tokenizer.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { predictAlong } from '../../src/model/predict.js';
import { loadTransformer, type Transformer } from '../../src/model/transformer.js';
import { newResiduals, type PairWeights, type Prediction } from '../../src/verify/residuals.js';
import { type Ground, studentAt, UNTRAINED } from './ground.js';
import { OTHER_REFERENCES, otherBase } from './other-base.js';
import { alignedPlaces, predictTranslated, type Translated } from './other-tokenizer.js';
import { askedPlaces, shownByApi } from './reading.js';

/** Positions that are read when a test is made. */
export const PLACES = [100, 500, 2000, 10_000] as const;
const MOST = PLACES[PLACES.length - 1];

/** Weights at each number of places, by way in. */
export type Readings = Readonly<Record<'grey' | 'open', readonly PairWeights[]>>;

/** Gathers readings of several models at places of one order. */
function gather(ground: Ground, models: number, references: number, width: number) {
	const start = () => PLACES.map(() => newResiduals('readings', width, references, ground.exposure(width)));
	const states = Array.from({ length: models }, () => ({ grey: start(), open: start() }));
	return {
		add(
			model: number,
			rank: number,
			prefix: readonly number[],
			own: Translated,
			known: readonly Translated[],
		) {
			for (const way of ['grey', 'open'] as const)
				for (const [j, most] of PLACES.entries())
					if (rank < most)
						states[model][way][j].addReading(
							prefix,
							own[way],
							known.map(({ open }) => open),
						);
		},
		readings: (): Readings[] =>
			states.map(({ grey, open }) => ({
				grey: grey.map((one) => one.weights()),
				open: open.map((one) => one.weights()),
			})),
	};
}

/** Reads several models along the same probes in one pass. */
export function readTogether(ground: Ground, models: readonly Transformer[], width: number): Readings[] {
	const { references, probes } = ground;
	const places = askedPlaces(ground, width);
	const found = gather(ground, models.length, references.length, width);
	predictAlong(
		[...references, ...models],
		probes,
		1e-3,
		(text, at, all) => {
			const { rank } = places.get(text * 1024 + at) as { rank: number };
			const prefix = probes[text].slice(0, at);
			const known = all.slice(0, references.length).map(full);
			for (const [i, own] of all.slice(references.length).entries())
				found.add(i, rank, prefix, { open: own, grey: shownByApi(own) }, known);
		},
		(text, at) => (places.get(text * 1024 + at)?.rank ?? Infinity) < MOST,
	);
	return found.readings();
}

const full = (open: Prediction): Translated => ({ open, grey: open });

/**
 * The same for models with the other tokenizer, at places where both tokenizers cut. Their references are the base with that
 * tokenizer and students of it, read in the same way, beside the teacher and the base.
 */
export function readOthers(
	work: string,
	ground: Ground,
	models: readonly Transformer[],
	width: number,
): Readings[] {
	const { probes } = ground;
	const marks = embeddedTokenizer();
	const own = loadTokenizer(otherBase(work));
	const usual = ground.references.slice(0, UNTRAINED);
	const others = [
		loadTransformer(otherBase(work)),
		...OTHER_REFERENCES.map(({ name }) => studentAt(work, name)),
	];
	const isAligned = alignedPlaces(marks, own, probes);
	const ranks = new Map<number, number>();
	for (const place of askedPlaces(ground, width).keys()) {
		if (ranks.size === MOST) break;
		if (isAligned({ text: Math.floor(place / 1024), at: place % 1024 })) ranks.set(place, ranks.size);
	}
	const theirs = new Map<number, readonly Translated[]>();
	predictTranslated(
		marks,
		own,
		[...others, ...models],
		probes,
		({ text, at }, predictions) => {
			theirs.set(text * 1024 + at, predictions);
		},
		({ text, at }) => ranks.has(text * 1024 + at),
	);
	const found = gather(ground, models.length, usual.length + others.length, width);
	predictAlong(
		usual,
		probes,
		1e-3,
		(text, at, all) => {
			const place = text * 1024 + at;
			const predictions = theirs.get(place);
			if (predictions === undefined) return;
			const known = [...all.map(full), ...predictions.slice(0, others.length)];
			for (const [i, one] of predictions.slice(others.length).entries())
				found.add(i, ranks.get(place) as number, probes[text].slice(0, at), one, known);
		},
		(text, at) => ranks.has(text * 1024 + at),
	);
	return found.readings();
}
