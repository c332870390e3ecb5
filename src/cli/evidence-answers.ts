/**
 * What a suspect's answers show: how the evidence of each channel grew, and the first of them with the score of each token.
 *
 * @module
 */
import { relative } from 'node:path';
import { holdsRecords } from '../corpus/documents.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import type { EvidenceCurve } from '../evidence/evidence-curve.js';
import type { Exhibits, ShownPassage } from '../evidence/exhibits.js';
import { generatorOf } from '../marks/generators.js';
import type { Mark } from '../marks/mark.js';
import { scorePassage, scoresTokens } from '../verify/passage.js';
import { hasSequentialTest, newSequentialTest } from '../verify/sequential.js';
import type { GivenDocument, TextSource } from './given-documents.js';

/** Passages of one suspect and test. */
const SHOWN = 3;
/** Tokens of a passage: at least, and at most. */
const PASSAGE = { least: 40, most: 160 } as const;
/** Answers that a curve goes through: a chart shows no more. */
const MOST_ANSWERS = 5000;

/** One mark a channel, at most. */
export interface MarksByChannel {
	readonly shape?: Mark;
	readonly choice?: Mark;
}

/** Answers, and what is wanted of them. */
export interface AnswerSources {
	readonly suspect: string;
	readonly documents: AsyncIterable<GivenDocument>;
	readonly wanted: { readonly curves: boolean; readonly passages: boolean };
	readonly marks: MarksByChannel;
	readonly tokenizer: Tokenizer;
	/** log10 of the e-value that reaches the level. */
	readonly threshold: number;
	/** Whether a document, by its number, may be shown. */
	readonly isShown: (number: number) => boolean;
	/** Folder of the files. */
	readonly corpus: string;
	/** Says why something is missing. */
	readonly say: (reason: string) => string;
}

/** Reads the answers once, as far as needed. */
export async function answerExhibits(sources: AnswerSources): Promise<Partial<Exhibits>> {
	const { suspect, documents, wanted, marks, tokenizer, threshold, isShown, corpus, say } = sources;
	const missing: string[] = [];
	const leaveOut = (reason: string) => missing.push(say(reason));
	const nameOf = ({ spec }: Mark) => `the ${spec.channel} mark (${spec.scheme.name}, ${spec.prf})`;
	const given = (Object.values(marks) as Mark[]).filter((mark) => {
		if (generatorOf(mark.spec.prf).hardened) return true;
		leaveOut(
			`nothing is shown under ${nameOf(mark)}: its generator is not hardened, and scores of single tokens or answers would help to work out the key.`,
		);
		return false;
	});

	const running = given.flatMap((mark) => {
		if (!wanted.curves) return [];
		if (!hasSequentialTest(mark)) {
			leaveOut(`no curve under ${nameOf(mark)}: its scores have no law that holds one after another.`);
			return [];
		}
		const points: EvidenceCurve['points'][number][] = [{ count: 0, log10E: 0 }];
		return [
			{ test: newSequentialTest(mark), points, curve: { suspect, of: mark.spec.channel, threshold, points } },
		];
	});

	const scored: { shape?: Mark; choice?: Mark } = {};
	for (const mark of wanted.passages ? given : []) {
		if (!scoresTokens(mark))
			leaveOut(`no passage under ${nameOf(mark)}: single tokens have no score to show.`);
		else scored[mark.spec.channel] = mark;
	}
	const showsPassages = Object.keys(scored).length > 0;

	const passages: ShownPassage[] = [];
	let number = 0;
	for await (const { id, tokens, given: prompt, source } of documents) {
		const answer = [...tokens];
		if (number < MOST_ANSWERS)
			for (const { test, points } of running) {
				const { answers, log10E } = test.add({ prompt: [...prompt], answer });
				points.push({ count: answers, log10E });
			}
		const lacks = showsPassages && passages.length < SHOWN;
		if (lacks && answer.length >= PASSAGE.least && isShown(number)) {
			const part = { tokens: answer.slice(0, PASSAGE.most), given: prompt };
			passages.push({
				...{ suspect, from: placeOf(source, id, corpus), cut: answer.length > PASSAGE.most },
				tokens: scorePassage(part, tokenizer, scored),
			});
		}
		number++;
		const isDone = !showsPassages || passages.length === SHOWN;
		if (isDone && (running.length === 0 || number >= MOST_ANSWERS)) break;
	}
	if (showsPassages && passages.length === 0)
		leaveOut(`no passage: no answer that may be shown has ${PASSAGE.least} tokens.`);
	return { curves: running.map(({ curve }) => curve), passages, missing };
}

/** File and record, by the id that `detect` calls it. */
function placeOf(source: TextSource | null, id: string, corpus: string): string {
	if (source === null) return `record ${id}`;
	const file = relative(corpus, source.path);
	return holdsRecords(file) ? `${file}, record ${id}` : file;
}
