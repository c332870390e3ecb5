/**
 * `collect --until`: a test of what was answered so far, which says when it is enough.
 *
 * With references the suspect is looked at (`verify/looks.ts`), each look a `radioactivity` of the records; without, its
 * answers enter a sequential test one by one (`verify/sequential.ts`). Neither chooses what is asked.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import { z } from 'zod';
import type { Collection } from '../collect/collect.js';
import type { Inquiry } from '../collect/inquiry.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { writeWhole } from '../output.js';
import { newLooks, nextLookSize } from '../verify/looks.js';
import { newSequentialTest } from '../verify/sequential.js';
import type { Edge } from './edge.js';
import { type ChosenMarks, type MarkFlags, marksFromFlags, SCORED_LAYERS, tokenizerFor } from './marks.js';
import { parseInteger, parseLevel } from './numbers.js';
import { greyObservations, observeAnswers, readTraffic, type Traffic } from './suspects.js';

/** Flags of the test. */
export interface UntilFlags extends MarkFlags {
	readonly until?: number;
	readonly reference?: string[];
	readonly traffic?: string;
	readonly hypotheses: number;
}

/** They come with flags that name marks. */
export const UNTIL_OPTIONS = [
	new Option(
		'--until <p>',
		'stop when a mark is found at this level, corrected; needs the marks, and with --prefixes and --probe references',
	).argParser(parseLevel),
	new Option('--reference <paths...>', 'for --until and --probe: as in `touchmark radioactivity`'),
	new Option('--traffic <file>', 'for --until and --probe: as in `touchmark radioactivity`'),
	new Option('--hypotheses <n>', 'for --until: tests that belong together beside the marks, such as suspects')
		.argParser(parseInteger('--hypotheses', 1, 1_000_000))
		.default(1),
];

const One = z.strictObject({
	mark: z.string(),
	channel: z.enum(['shape', 'choice']),
	scored: z.int(),
	log10P: z.number(),
	/** After correction for marks, hypotheses, search bits and looks. */
	log10PCorrected: z.number(),
});

/** Where the test stands. */
const Standing = z.strictObject({
	level: z.number(),
	reached: z.boolean(),
	/** Answers that it rests on. */
	answers: z.int(),
	/** Times that the suspect was looked at; null where answers enter one by one. */
	looks: z.int().nullable(),
	verdict: z.string().nullable(),
	tests: z.array(One),
});
export type Standing = z.infer<typeof Standing>;

/** A running test. */
export interface Until {
	/** How many questions are to have answers before the test is asked again, when so many have been. */
	nextAt(answered: number): number;
	/** Hears answers as they come, in order. */
	readonly inOrder?: NonNullable<Collection['inOrder']>;
	/** Tests the records. @returns whether it is enough */
	test(records: string, answered: number): Promise<boolean>;
	standing(): Standing;
}

/** The test that the flags name; undefined without `--until`. @param folder of the collection */
export async function untilFromFlags(
	edge: Edge,
	flags: UntilFlags,
	inquiry: Inquiry,
	folder: string,
): Promise<Until | undefined> {
	const { until: level, reference = [], traffic } = flags;
	if (level === undefined) {
		const odd = [reference.length > 0 && '--reference', traffic && '--traffic'].find(Boolean);
		if (odd && inquiry.kind !== 'readings')
			throw badInput(`${odd}: has a meaning with --until or --probe only`);
		return undefined;
	}
	if (inquiry.kind === 'given')
		throw badInput('--until: has no meaning with --given; `touchmark exposure` tests pairs');
	if (inquiry.kind === 'readings' && reference.length === 0)
		throw badInput('--reference: is needed with --until and --prefixes; give the unmarked teacher first');
	if (traffic !== undefined && reference.length === 0)
		throw badInput('--traffic: has a meaning with --reference only');
	const { keyring: _, ...others } = flags;
	const named = flags.spec ?? flags.vllmConfig ?? flags.hfConfig;
	const chosen = await marksFromFlags(edge, named === undefined ? flags : others, SCORED_LAYERS);
	const tokenizer = await tokenizerFor(chosen.marks, flags);
	return reference.length === 0
		? oneByOne(chosen, level, flags.hypotheses, inquiry, tokenizer)
		: atLooks(
				chosen,
				level,
				flags,
				inquiry,
				tokenizer,
				await readTraffic(traffic, tokenizer),
				join(folder, LOOKS),
			);
}

/** Answers enter one by one. A question without an answer holds up those after it, so that the order never changes. */
function oneByOne(
	{ marks, searchBits }: ChosenMarks,
	level: number,
	hypotheses: number,
	{ questions }: Inquiry,
	tokenizer: Tokenizer,
): Until {
	const tests = marks.map((mark) =>
		newSequentialTest(mark, { level, hypotheses: hypotheses * marks.length, searchBits: searchBits(mark) }),
	);
	let heard = 0;
	const reached = () => tests.some((test) => test.result().reached);
	return {
		nextAt: () => questions.length,
		inOrder(question, { text }) {
			if (question.id !== questions[heard]?.id) return false;
			heard++;
			for (const test of tests)
				test.add({ prompt: tokenizer.encode(question.prompt), answer: tokenizer.encode(text) });
			return reached();
		},
		test: () => Promise.resolve(reached()),
		standing: () => ({
			...{ level, reached: reached(), answers: heard, looks: null, verdict: null },
			tests: tests.map((test) => oneOf(test.result())),
		}),
	};
}

const oneOf = ({ mark, channel, scored, log10P, log10PCorrected }: z.infer<typeof One>) => ({
	...{ mark, channel, scored, log10P, log10PCorrected },
});

/** Looks that were taken at a collection. */
const LOOKS = 'looks.json';
const TakenLooks = z.strictObject({
	/** What is looked for and how: one test a folder. */
	test: z.strictObject({
		level: z.number(),
		hypotheses: z.int(),
		marks: z.array(z.string()),
		references: z.array(z.string()),
		traffic: z.string().nullable(),
	}),
	/** Each is written down before it is taken, so that none is taken for nothing. */
	taken: z.array(z.strictObject({ answers: z.int(), standing: Standing.nullable() })),
});
type TakenLooks = z.infer<typeof TakenLooks>;

function atLooks(
	{ marks, searchBits }: ChosenMarks,
	level: number,
	{ reference = [], traffic, hypotheses }: UntilFlags,
	{ kind }: Inquiry,
	tokenizer: Tokenizer,
	counts: Traffic,
	path: string,
): Until {
	const test: TakenLooks['test'] = {
		...{ level, hypotheses, marks: marks.map(({ id }) => id) },
		...{ references: reference, traffic: traffic ?? null },
	};
	const taken = takenLooks(path, test);
	const looks = newLooks(marks, { level, hypotheses, searchBits, taken: taken.length });
	const write = () => writeWhole(path, `${JSON.stringify({ test, taken }, null, '\t')}\n`);
	const standing = (): Standing =>
		taken.findLast((look) => look.standing !== null)?.standing ?? {
			...{ level, reached: false, answers: 0, looks: taken.length, verdict: null, tests: [] },
		};
	return {
		nextAt: nextLookSize,
		async test(records, answers) {
			const last = taken.at(-1);
			if (standing().reached) return true;
			if (last?.standing && last.answers === answers) return false;
			taken.push({ answers, standing: null });
			write();
			const observed =
				kind === 'readings'
					? await greyObservations([records], reference, tokenizer, counts)
					: await observeAnswers([records], reference, tokenizer, counts);
			const { look, reached, result } = looks.look(observed);
			const { verdict, tests } = result;
			taken[taken.length - 1] = {
				answers,
				standing: { level, reached, answers, looks: look, verdict, tests: tests.map(oneOf) },
			};
			write();
			return reached;
		},
		standing,
	};
}

/** Looks of earlier runs. Another test of the same answers would be one more hypothesis. */
function takenLooks(path: string, test: TakenLooks['test']): TakenLooks['taken'] {
	if (!existsSync(path)) return [];
	const known = checked(TakenLooks, parseJson(readFileSync(path, 'utf8'), path), path);
	if (JSON.stringify(known.test) !== JSON.stringify(test))
		throw badInput(
			`${path}: looks were taken for another level, other marks, references or hypotheses; give the same, or test the records with \`touchmark radioactivity\` and count both as --hypotheses`,
		);
	return known.taken;
}
