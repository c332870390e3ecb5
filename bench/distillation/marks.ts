/**
 * The marks of the distillation bench: by name, with keys from a seed.
 *
 * @module
 */
import { createMarker, type Generation, type Marker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import type { MarkSpec } from '../../src/marks/mark-spec.js';
import { freshKey, specOf } from '../fresh-marks.js';

/** The marks that a text carries together, and whether the tilt leaves out contexts that the text had before. */
interface Recipe {
	readonly specs: readonly MarkSpec[];
	readonly repeatsMasked?: true;
}

const prf = 'chacha8-v1';
const kgw = (gamma: number, delta: number, contextWidth: number): MarkSpec =>
	specOf({ scheme: { name: 'kgw', gamma, delta }, prf, contextWidth });
const synthid = (depth: number, contextWidth: number): MarkSpec =>
	specOf({ scheme: { name: 'synthid', depth }, channel: 'shape', prf, contextWidth });
const gumbel = (contextWidth: number): MarkSpec => specOf({ scheme: { name: 'gumbel' }, prf, contextWidth });

/** All marks. A name says scheme, γ in hundredths (g), δ in nats (d) or depth, and context width (h). */
export const MARKS = {
	'synthid-1-h1': { specs: [synthid(1, 1)] },
	'synthid-2-h1': { specs: [synthid(2, 1)] },
	'synthid-3-h1': { specs: [synthid(3, 1)] },
	'synthid-4-h1': { specs: [synthid(4, 1)] },
	'synthid-8-h1': { specs: [synthid(8, 1)] },
	'kgw-g25-d0.5-h1': { specs: [kgw(0.25, 0.5, 1)] },
	'kgw-g25-d1-h1': { specs: [kgw(0.25, 1, 1)] },
	'kgw-g25-d2-h1': { specs: [kgw(0.25, 2, 1)] },
	'kgw-g50-d1-h1': { specs: [kgw(0.5, 1, 1)] },
	'kgw-g50-d2-h1': { specs: [kgw(0.5, 2, 1)] },
	'synthid-2-h1-masked': { specs: [synthid(2, 1)], repeatsMasked: true },
	'synthid-4-h1-masked': { specs: [synthid(4, 1)], repeatsMasked: true },
	'synthid-4-h2': { specs: [synthid(4, 2)] },
	'kgw-g25-d2-h2': { specs: [kgw(0.25, 2, 2)] },
	'gumbel-h1': { specs: [gumbel(1)] },
	'gumbel-h2': { specs: [gumbel(2)] },
	'gumbel-h4': { specs: [gumbel(4)] },
	'synthid-1-h1+gumbel-h4': { specs: [synthid(1, 1), gumbel(4)] },
	'synthid-4-h1+gumbel-h4': { specs: [synthid(4, 1), gumbel(4)] },
	'kgw-g25-d2-h1+gumbel-h4': { specs: [kgw(0.25, 2, 1), gumbel(4)] },
} as const satisfies Readonly<Record<string, Recipe>>;
export type MarkName = keyof typeof MARKS;
export const MARK_NAMES = Object.keys(MARKS) as MarkName[];

/**
 * A mark under the key of a seed: what a test of the bench opens. Marks that go together have keys of their own, and a
 * pair of channels has other keys than either channel alone.
 *
 * @returns one mark a channel
 */
export function marksOf(name: MarkName, seed: string): Mark[] {
	return MARKS[name].specs.map((spec, i) =>
		bindMark(spec, freshKey(spec, randomStream(`distillation/key/${name}/${seed}/${i}`))),
	);
}

/** A marker for the teacher. @param name undefined for no mark */
export function markerOf(
	name: MarkName | undefined,
	seed: string,
	model: { readonly vocabSize: number; readonly specialTokens: readonly number[] },
): Marker {
	const { vocabSize, specialTokens } = model;
	const marks = name === undefined ? [] : marksOf(name, seed);
	const recipe: Recipe | undefined = name === undefined ? undefined : MARKS[name];
	return recipe?.repeatsMasked === true
		? maskingMarker(marks, (masked) => createMarker({ marks: masked, vocabSize, specialTokens }))
		: createMarker({ marks, vocabSize, specialTokens });
}

/** Tilts nothing after a context that the same answer had before. Generations must be stepped one at a time. */
function maskingMarker(marks: readonly Mark[], create: (marks: readonly Mark[]) => Marker): Marker {
	const seen = new WeakMap<Generation, Set<string>>();
	let current = new Set<string>();
	const masked = marks.map((mark): Mark => {
		if (mark.spec.channel !== 'shape') return mark;
		return {
			...mark,
			covers(context) {
				const key = `${mark.id} ${Array.from(context).join()}`;
				if (!mark.covers(context) || current.has(key)) return false;
				current.add(key);
				return true;
			},
		};
	});
	const marker = create(masked);
	return {
		start: (options) => marker.start(options),
		step(generations, ...rest) {
			if (generations.length !== 1) throw new Error('one generation at a time');
			const [generation] = generations;
			current = seen.get(generation) ?? new Set();
			seen.set(generation, current);
			return marker.step(generations, ...rest);
		},
	};
}
