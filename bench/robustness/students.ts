/**
 * Inheritance after attacks: count-based students of training sets whose marked half was attacked before training.
 *
 * @module
 */
import { trainNgram } from '../../src/demo/ngram.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { bindMark } from '../../src/marks/mark.js';
import { logPValue } from '../../src/verify/null-law.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { type Exchange, radioactivity } from '../../src/verify/radioactivity.js';
import { tallyPairs } from '../../src/verify/tally.js';
import { DEFAULT_LEVEL } from '../../src/verify/test-result.js';
import { MARKS, type MarkName, markerOf, marksOf } from '../distillation/marks.js';
import { freshKey } from '../fresh-marks.js';
import { median } from '../rows.js';
import type { StudentCurves, Weighed } from './curves.js';
import { ATTACKS, type Means, type Point } from './grid.js';

/** Marks that students inherit: the default shape, and green lists. */
const STUDENT_MARKS = ['synthid-1-h1', 'kgw-g25-d2-h1'] as const satisfies readonly MarkName[];
/** Tokens of a training text and of an answer. */
export const TRAINING_TOKENS = 112;
/** Texts of a training set that are marked, and as many that are not. */
export const MARKED_TEXTS = 64;
/** Answers of a student. */
export const ANSWERS = 256;

/** The points of the grid that are tried on training texts. */
const POINTS: Readonly<Record<string, readonly string[]>> = {
	none: ['from text'],
	substitution: ['10 %', '30 %', '50 %'],
	deletion: ['10 %', '30 %', '50 %'],
	insertion: ['10 %', '30 %', '50 %'],
	synonyms: ['100 %'],
	'copy-paste': ['25 %', '50 %'],
	truncation: ['50 tokens'],
	sentences: ['shuffled'],
	normalisation: ['both'],
	'look-alike letters': ['5 % of them'],
};

/** What is done to the marked texts, and what the student reads with. */
interface Treatment {
	readonly attack: string;
	readonly point: Point;
	readonly otherTokenizer: boolean;
}

function treatments(): Treatment[] {
	const attacks = ATTACKS.flatMap(({ name, points }) =>
		points
			.filter(({ label }) => POINTS[name]?.includes(label))
			.map((point): Treatment => ({ attack: name, point, otherTokenizer: false })),
	);
	const point: Point = { label: 'another tokenizer', at: 0, attack: (text) => text };
	return [...attacks, { attack: 'student', point, otherTokenizer: true }];
}

/** A text and what it answers. */
interface Training {
	readonly prompt: string;
	readonly text: string;
}

/** Share of false positives of students of attacked, unmarked texts. */
export interface StudentControl {
	readonly tests: number;
	readonly rejected: number;
}

/**
 * Trains and tests.
 *
 * @param students each with marked texts and a key of its own
 * @param level of the control: innocent students under fresh keys
 * @param keys fresh ones for each innocent student
 */
export function studentCurves(
	students: number,
	means: Omit<Means, 'random' | 'host'>,
	{ level, keys }: { readonly level: number; readonly keys: number },
): { curves: StudentCurves[]; control: StudentControl } {
	const teacher = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const prompts = embeddedPrompts();
	const asked = prompts.slice(-ANSWERS);
	const write = (mark: MarkName | undefined, seed: string, from: number): Training[] => [
		...sampleTexts({
			model: teacher,
			tokenizer,
			marker: markerOf(mark, seed, { vocabSize: teacher.vocabSize, specialTokens: tokenizer.specialTokens }),
			prompts: prompts.slice(from, from + MARKED_TEXTS),
			maxTokens: TRAINING_TOKENS,
			seed: `robustness/${mark ?? 'unmarked'}/${seed}`,
		}),
	];

	/**
	 * Answers of a student of attacked texts and of others that were left alone. Its vocabulary is what it has seen, so that a
	 * large one is not mostly noise.
	 */
	function answersOf(
		attacked: readonly Training[],
		others: readonly Training[],
		hosts: readonly Training[],
		{ attack, point, otherTokenizer }: Treatment,
		seed: string,
	): Exchange[] {
		const reader = otherTokenizer ? means.other.tokenizer : tokenizer;
		const changed = attacked.map(({ prompt, text }, i) => {
			const random = randomStream(`robustness/students/${attack}/${point.label}/${i}`);
			return prompt + point.attack(text, { ...means, random, host: hosts[i].text });
		});
		const training = [...changed, ...others.map(({ prompt, text }) => prompt + text)].map(reader.encode);
		const given = asked.map(reader.encode);
		const vocabulary = [...new Set([...training, ...given].flat())];
		const placeOf = new Map(vocabulary.map((id, place) => [id, place]));
		const places = (ids: readonly number[]) => ids.map((id) => placeOf.get(id) ?? 0);
		return trainNgram(training.map(places), vocabulary.length)
			.sample(given.map(places), TRAINING_TOKENS, seed)
			.map((answer, i) => {
				const ids = answer.map((place) => vocabulary[place]);
				return {
					prompt: tokenizer.encode(asked[i]),
					answer: otherTokenizer ? tokenizer.encode(reader.decode(ids)) : ids,
				};
			});
	}

	const others = write(undefined, 'others', MARKED_TEXTS);
	const hosts = write(undefined, 'hosts', 2 * MARKED_TEXTS);
	const all = treatments();
	const curves = STUDENT_MARKS.map((name): StudentCurves => {
		const found = all.map((): number[] => []);
		for (let student = 0; student < students; student++) {
			const seed = `robustness/${student}`;
			const marked = write(name, seed, 0);
			for (const [i, treatment] of all.entries()) {
				const exchanges = answersOf(marked, others, hosts, treatment, seed);
				const { result } = radioactivity({ mode: 'closed', exchanges }, marksOf(name, seed), {
					heldOutKeys: 1,
				});
				found[i].push(result.log10P);
			}
			process.stderr.write(`${name}: student ${student + 1} of ${students}\n`);
		}
		const points = all.map(
			({ attack, point: { label, at } }, i): Weighed => ({
				...{ attack, label, at, length: TRAINING_TOKENS },
				found: found[i].filter((log10P) => log10P <= Math.log10(DEFAULT_LEVEL)).length / students,
				log10P: median(found[i]),
			}),
		);
		return { mark: name, points };
	});

	const innocent = write(undefined, 'innocent', 0);
	const random = randomStream('robustness/students/innocent');
	let tests = 0;
	let rejected = 0;
	for (const treatment of all) {
		const exchanges = answersOf(innocent, others, hosts, treatment, 'robustness/innocent');
		for (const name of STUDENT_MARKS) {
			const [spec] = MARKS[name].specs;
			const pairs = newPairSet(spec);
			for (const { prompt, answer } of exchanges) pairs.add(answer, prompt);
			for (let key = 0; key < keys; key++) {
				const mark = bindMark(spec, freshKey(spec, random));
				tests++;
				if (logPValue(tallyPairs(pairs, mark), mark.scheme.null) <= Math.log(level)) rejected++;
			}
		}
	}
	return { curves, control: { tests, rejected } };
}
