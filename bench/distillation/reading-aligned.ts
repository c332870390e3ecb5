/**
 * Students with another tokenizer than the teacher's, read along probing texts where both tokenizers cut them: in full
 * (open) and as an API shows it (grey), against several sets of references.
 *
 *     npx tsx bench/distillation/reading-aligned.ts --mark NAME --seed SEED --suspect FOLDER
 *         [--reference NAME=FOLDER…] [--probes COUNT] [--work DIR]
 *
 * prints one line a way in and set: the teacher alone, each reference alone, and all together.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { type OwnModel, openModel } from '../../src/cli/own-models.js';
import { alignedPlaces, type Place, weightsAt } from '../../src/cli/places.js';
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import type { Mark } from '../../src/marks/mark.js';
import { testWeighted } from '../../src/verify/weighted.js';
import { CLAIMED } from './cells.js';
import { type Ground, groundOf } from './ground.js';
import { MARK_NAMES, marksOf } from './marks.js';
import type { Point } from './measured.js';
import { WORK } from './students.js';

/** Places at which a test is made; every number takes the places of the one before and more. */
const PLACES = [500, 1000, 2000, 5000, 10_000] as const;
/** Tokens that an API shows. */
const TOP = 20;

/** A test with one set of references. */
export interface AlignedPoint extends Point {
	/** Standard deviations above the null's mean. */
	readonly z: number;
}

/** By way in and references. */
export type AlignedCurves = Readonly<Record<string, readonly AlignedPoint[]>>;

/**
 * Reads one student.
 *
 * @param references by name; each of the mark's tokenizer or the student's
 * @param sets names of the references that are used together
 */
export function readAligned(
	{ probes, promptLength, exposure }: Pick<Ground, 'probes' | 'promptLength' | 'exposure'>,
	student: OwnModel & { readonly other: Tokenizer },
	mark: Mark,
	references: Readonly<Record<string, OwnModel>>,
	sets: readonly (readonly string[])[],
): AlignedCurves {
	const tokenizer = embeddedTokenizer();
	const { contextWidth } = mark.spec;
	const names = Object.keys(references);
	const texts = probes.map((ids) => tokenizer.encode(tokenizer.decode(ids)));
	const all = alignedPlaces(student, Object.values(references), texts, tokenizer);
	const places = inOrder(all.filter(({ prefix }) => prefix.length >= Math.max(promptLength, contextWidth)));
	const curves: Record<string, AlignedPoint[]> = {};
	for (const set of sets)
		for (const [way, seen] of [
			['open', places],
			['grey', places.map(likeliestOf)],
		] as const)
			curves[`${way} ${set.join('+')}`] = PLACES.filter((most) => most <= places.length).map((queries) => {
				const some = seen
					.slice(0, queries)
					.map((place) => ({ ...place, given: set.map((name) => place.given[names.indexOf(name)]) }));
				const weights = weightsAt(some, contextWidth, set.length, exposure);
				const { score, log10P, log10E } = testWeighted(weights, mark, {
					...{ level: 1e-6, hypotheses: 1, searchBits: 0 },
				});
				return { queries, z: score, log10P, log10E };
			});
	return curves;
}

/** An order drawn once for all students of as many places. */
export function inOrder(places: readonly Place[]): Place[] {
	const random = randomStream('distillation/aligned');
	return places
		.map((place) => ({ place, rank: random.next() }))
		.sort((a, b) => a.rank - b.rank)
		.map(({ place }) => place);
}

/** The likeliest tokens only, as an API shows them. */
export function likeliestOf({ prefix, tokens, suspect, given }: Place): Place {
	const kept = tokens
		.map((_, i) => i)
		.sort((a, b) => suspect[b] - suspect[a])
		.slice(0, TOP);
	const of = <T>(values: readonly T[]) => kept.map((i) => values[i]);
	return { prefix, tokens: of(tokens), suspect: of(suspect), given: given.map(of) };
}

function main(): void {
	const { values } = parseArgs({
		options: {
			work: { type: 'string', default: WORK },
			mark: { type: 'string', default: CLAIMED[0] },
			seed: { type: 'string', default: '1' },
			suspect: { type: 'string' },
			reference: { type: 'string', multiple: true, default: [] },
			probes: { type: 'string', default: '128' },
		},
	});
	const tokenizer = embeddedTokenizer();
	const open = (folder: string) => openModel(folder, tokenizer);
	const name = MARK_NAMES.find((one) => one === values.mark);
	if (name === undefined || values.suspect === undefined)
		throw new Error('give --mark NAME and --suspect FOLDER');
	const student = open(values.suspect);
	const { other } = student;
	if (other === null) throw new Error('the suspect has the tokenizer of the mark: measure.ts reads it');
	const references = {
		teacher: open('teacher'),
		...Object.fromEntries(values.reference.map((one) => one.split('=')).map(([key, at]) => [key, open(at)])),
	};
	const names = Object.keys(references);
	const curves = readAligned(
		groundOf(values.work, Number(values.probes)),
		{ ...student, other },
		marksOf(name, values.seed)[0],
		references,
		[...names.map((one) => [one]), names],
	);
	for (const [set, points] of Object.entries(curves))
		process.stdout.write(
			`${set}: ${points.map(({ queries, z, log10P }) => `${queries} z ${z.toFixed(1)} log10 p ${log10P.toFixed(1)}`).join(', ')}\n`,
		);
}

if (process.argv[1] === import.meta.filename) main();
