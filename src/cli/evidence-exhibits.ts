/**
 * Reads what a bundle shows beside its numbers out of the files that were tested, which must have been checked.
 *
 * @module
 */
import { join } from 'node:path';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { valuesOf } from '../evidence/commands.js';
import type { EvidenceCurve } from '../evidence/evidence-curve.js';
import type { Exhibits, ShownPair, ShownPassage } from '../evidence/exhibits.js';
import type { Finding } from '../evidence/findings.js';
import type { EvidencePredicate, EvidenceTest } from '../evidence/statement.js';
import { bindOpenedMark, type OpenedMark } from '../keys/opened-mark.js';
import { OpenedCoin } from '../marks/arm.js';
import type { Mark } from '../marks/mark.js';
import { log10 } from '../stats/portable.js';
import { coinsByPair } from '../verify/exposure-coins.js';
import { ExposurePair, ExposureScore } from '../verify/exposure-data.js';
import { scorePassage } from '../verify/passage.js';
import { hasSequentialTest, newSequentialTest } from '../verify/sequential.js';
import { isFinding } from '../verify/test-result.js';
import { argumentsOf } from './evidence-run.js';
import { readAll } from './exposure.js';
import { type GivenDocument, givenDocuments } from './given-documents.js';
import { tokenizerFor } from './marks.js';
import { namedSuspects } from './named-suspects.js';

/** Passages of one suspect and test, and pairs of a trial. */
const SHOWN = 3;
/** Tokens of a passage: at least, and at most. */
const PASSAGE = { least: 40, most: 160 } as const;
/** Answers that a curve goes through: a chart shows no more. */
const MOST_ANSWERS = 5000;

/** What is read. */
export interface ExhibitSources {
	readonly predicate: EvidencePredicate;
	readonly findings: readonly Finding[];
	/** Folder of the files. */
	readonly corpus: string;
	readonly keys: readonly OpenedMark[];
}

/** Reads it. @throws TouchmarkError `bad-input` that names file and line */
export async function exhibitsOf({ predicate, findings, corpus, keys }: ExhibitSources): Promise<Exhibits> {
	const marks = keys
		.map((key) => bindOpenedMark(key, 'the opened keys').mark)
		.filter(({ spec }) => spec.layer === 'deployment');
	const curves: EvidenceCurve[] = [];
	const passages: ShownPassage[] = [];
	const pairs: ShownPair[] = [];
	// Several tests may have read the same texts of a suspect.
	const shown = { curves: new Set<string>(), passages: new Set<string>() };
	for (const test of predicate.tests) {
		const [, ...args] = argumentsOf({ ...test, inputs: predicate.inputs });
		const paths = (flag: string | null) => valuesOf(args, flag).map((path) => join(corpus, path));
		if (test.command === 'exposure') {
			pairs.push(...(await pairsOf(test.suspect, paths)));
			continue;
		}
		const suspects = textsOf(test, args, corpus);
		const tested = marks.filter(({ id }) =>
			findings.some((one) => one.command === test.command && one.marks.some(({ mark }) => mark === id)),
		);
		if (suspects.length === 0 || tested.length === 0) continue;
		const [tokenizerPath] = paths('--tokenizer');
		const flags = tokenizerPath === undefined ? {} : { tokenizer: tokenizerPath };
		const tokenizer = await tokenizerFor(tested, flags);
		for (const { suspect, files } of suspects) {
			const of = findings.filter((one) => one.suspect === suspect && one.command === test.command);
			if (of.length === 0) continue;
			const documents = () =>
				givenDocuments(
					files,
					{
						textField: valuesOf(args, '--text-field')[0] ?? 'text',
						promptField: valuesOf(args, '--prompt-field')[0] ?? 'prompt',
					},
					tokenizer,
				);
			const texts = JSON.stringify([suspect, files]);
			if (test.command === 'radioactivity' && !shown.curves.has(texts)) {
				shown.curves.add(texts);
				// What the tests themselves paid for, the strictest of them, and every row of the bundle.
				const hypotheses = Math.max(...of.flatMap(({ tests }) => tests.map((one) => one.hypotheses)));
				const bits = Math.max(...of.flatMap((one) => one.marks.map((mark) => mark.searchBits)));
				const level = Math.min(...of.map((one) => one.level));
				const threshold = log10(hypotheses * findings.length) + bits * log10(2) - log10(level);
				curves.push(...(await curvesOf(suspect, documents(), tested, threshold)));
			}
			if (of.some(({ verdict }) => isFinding(verdict)) && !shown.passages.has(texts)) {
				shown.passages.add(texts);
				passages.push(...(await passagesOf(suspect, documents(), tested, tokenizer, test)));
			}
		}
	}
	return { curves, passages, pairs };
}

/** Files of the suspects' texts, for tests that read such. */
function textsOf(
	{ command, suspect }: EvidenceTest,
	args: readonly string[],
	corpus: string,
): { suspect: string; files: string[] }[] {
	const below = (paths: readonly string[]) => paths.map((path) => join(corpus, path));
	if (command === 'detect' && !args.includes('--tokens'))
		return [{ suspect, files: below(valuesOf(args, null)) }];
	const closed = (valuesOf(args, '--mode')[0] ?? 'closed') === 'closed';
	if (command !== 'radioactivity' || !closed) return [];
	const given = valuesOf(args, '--suspect');
	const several = namedSuspects(given, valuesOf(args, '--control'));
	if (several === null) return [{ suspect, files: below(given) }];
	return several.suspects.map(({ name, paths }) => ({ suspect: name, files: below(paths) }));
}

/** Curves of the marks that have a test from answer to answer. */
async function curvesOf(
	suspect: string,
	documents: AsyncIterable<GivenDocument>,
	marks: readonly Mark[],
	threshold: number,
): Promise<EvidenceCurve[]> {
	const running = marks.filter(hasSequentialTest).map((mark) => ({
		test: newSequentialTest(mark),
		curve: { suspect, channel: mark.spec.channel, threshold },
		points: [{ answers: 0, log10E: 0 }],
	}));
	for await (const { tokens, given } of documents) {
		for (const { test, points } of running) {
			const { answers, log10E } = test.add({ prompt: [...given], answer: [...tokens] });
			points.push({ answers, log10E });
		}
		if (running.length === 0 || running[0].points.length > MOST_ANSWERS) break;
	}
	return running.map(({ curve, points }) => ({ ...curve, points }));
}

async function passagesOf(
	suspect: string,
	documents: AsyncIterable<GivenDocument>,
	marks: readonly Mark[],
	tokenizer: Tokenizer,
	{ command, result }: EvidenceTest,
): Promise<ShownPassage[]> {
	const [shape, choice] = (['shape', 'choice'] as const).map((channel) =>
		marks.find(({ spec }) => spec.channel === channel),
	);
	const shown: ShownPassage[] = [];
	let number = 0;
	for await (const { tokens } of documents) {
		const found = command !== 'detect' || result[number]?.verdict === 'marked';
		number++;
		if (tokens.length < PASSAGE.least || !found) continue;
		const some = Array.from(tokens).slice(0, PASSAGE.most);
		shown.push({
			...{ suspect, from: `record ${number}`, cut: tokens.length > some.length },
			tokens: scorePassage(some, tokenizer, { shape, choice }),
		});
		if (shown.length === SHOWN) break;
	}
	return shown;
}

async function pairsOf(suspect: string, paths: (flag: string) => string[]): Promise<ShownPair[]> {
	const [scoreFiles, coinFiles] = [paths('--scores'), paths('--coins')];
	if (scoreFiles.length === 0 || coinFiles.length === 0) return [];
	const all = await readAll(ExposurePair, paths('--pairs'));
	const coins = coinsByPair(all, await readAll(OpenedCoin, coinFiles));
	const scores = new Map((await readAll(ExposureScore, scoreFiles)).map((score) => [score.id, score]));
	return all.slice(0, SHOWN).flatMap(({ id, prompt, ...texts }): ShownPair[] => {
		const [coin, score] = [coins.get(id), scores.get(id)];
		if (coin === undefined || score === undefined) return [];
		const { served } = coin;
		const unserved = served === 'a' ? 'b' : 'a';
		return [
			{
				...{ suspect, id, prompt },
				served: { text: texts[served], score: score[served] },
				unserved: { text: texts[unserved], score: score[unserved] },
			},
		];
	});
}
