/**
 * Hard students that are read: weights from what they predict along probing texts, in full and as an API shows it. No key is
 * known here.
 *
 * @module
 */

import { alignedPlaces, type Place, weightsAt } from '../../src/cli/places.js';
import { loadTokenizer } from '../../src/corpus/load-tokenizer.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { predictAlong } from '../../src/model/predict.js';
import { loadTransformer, type Transformer } from '../../src/model/transformer.js';
import { newResiduals, type PairWeights } from '../../src/verify/residuals.js';
import { type Ground, studentAt, UNTRAINED } from './ground.js';
import { OTHER_REFERENCES, otherBase } from './other-base.js';
import { askedPlaces, shownByApi } from './reading.js';
import { inOrder, likeliestOf } from './reading-aligned.js';

/** Positions that are read when a test is made. */
export const PLACES = [100, 500, 2000, 10_000] as const;
const MOST = PLACES[PLACES.length - 1];

/** Weights at each number of places, by way in. */
export type Readings = Readonly<Record<'grey' | 'open', readonly PairWeights[]>>;

/** Reads several models along the same probes in one pass. */
export function readTogether(ground: Ground, models: readonly Transformer[], width: number): Readings[] {
	const { references, probes } = ground;
	const places = askedPlaces(ground, width);
	const start = () =>
		PLACES.map(() => newResiduals('readings', width, references.length, ground.exposure(width)));
	const states = models.map(() => ({ grey: start(), open: start() }));
	predictAlong(
		[...references, ...models],
		probes,
		1e-3,
		(text, at, all) => {
			const { rank } = places.get(text * 1024 + at) as { rank: number };
			const prefix = probes[text].slice(0, at);
			const known = all.slice(0, references.length);
			for (const [i, own] of all.slice(references.length).entries()) {
				const seen = { open: own, grey: shownByApi(own) };
				for (const way of ['grey', 'open'] as const)
					for (const [j, most] of PLACES.entries())
						if (rank < most) states[i][way][j].addReading(prefix, seen[way], known);
			}
		},
		(text, at) => (places.get(text * 1024 + at)?.rank ?? Infinity) < MOST,
	);
	return states.map(({ grey, open }) => ({
		grey: grey.map((one) => one.weights()),
		open: open.map((one) => one.weights()),
	}));
}

/** Probing texts of suspects with another tokenizer: more places than are read. */
const OTHER_PROBES = 128;

/**
 * The same for models with the other tokenizer, as `touchmark radioactivity` reads them, where both tokenizers cut. Their
 * references are the base with that tokenizer and students of it, beside the teacher and the base.
 */
export function readOthers(
	work: string,
	ground: Ground,
	models: readonly Transformer[],
	width: number,
): Readings[] {
	const tokenizer = embeddedTokenizer();
	const other = loadTokenizer(otherBase(work));
	const foreign = [
		loadTransformer(otherBase(work)),
		...OTHER_REFERENCES.map(({ name }) => studentAt(work, name)),
	];
	const references = [
		...ground.references.slice(0, UNTRAINED).map((model) => ({ name: 'usual', model, other: null })),
		...foreign.map((model) => ({ name: 'foreign', model, other })),
	];
	const texts = ground.probes.slice(0, OTHER_PROBES).map((ids) => tokenizer.encode(tokenizer.decode(ids)));
	return models.map((model) => {
		const suspect = { name: 'suspect', model, other };
		const all = alignedPlaces(suspect, references, texts, tokenizer);
		const open = inOrder(all.filter(({ prefix }) => prefix.length >= Math.max(ground.promptLength, width)));
		const weights = (places: readonly Place[]) =>
			PLACES.map((most) => weightsAt(places.slice(0, most), width, references.length, ground.exposure));
		return { grey: weights(open.slice(0, MOST).map(likeliestOf)), open: weights(open) };
	});
}
