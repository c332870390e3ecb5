/**
 * Reads what a bundle shows beside its numbers out of the files that were tested, which must have been checked.
 *
 * @module
 */
import { join } from 'node:path';
import { valuesOf } from '../evidence/commands.js';
import type { Exhibits } from '../evidence/exhibits.js';
import type { Finding } from '../evidence/findings.js';
import type { EvidencePredicate, EvidenceTest } from '../evidence/statement.js';
import { bindOpenedMark, type OpenedMark } from '../keys/opened-mark.js';
import type { Mark } from '../marks/mark.js';
import { log10 } from '../stats/portable.js';
import { DetectResult } from '../verify/detect.js';
import { isFinding } from '../verify/test-result.js';
import { answerExhibits, type MarksByChannel } from './evidence-answers.js';
import { argumentsOf } from './evidence-run.js';
import { trialExhibits } from './evidence-trial.js';
import { givenDocuments } from './given-documents.js';
import { tokenizerFor } from './marks.js';
import { namedSuspects } from './named-suspects.js';

/** What is read. */
export interface ExhibitSources {
	readonly predicate: Pick<EvidencePredicate, 'tests' | 'inputs'>;
	readonly findings: readonly Finding[];
	/** Folder of the files. */
	readonly corpus: string;
	readonly keys: readonly OpenedMark[];
}

/** Reads it. @throws TouchmarkError `bad-input` that names file and line */
export async function exhibitsOf(sources: ExhibitSources): Promise<Exhibits> {
	const { predicate, findings, corpus, keys } = sources;
	const marks = keys.map((key) => bindOpenedMark(key, 'the opened keys').mark);
	const shown = { curves: [], passages: [], pairs: [], missing: [] } as {
		-readonly [Name in keyof Exhibits]: Exhibits[Name][number][];
	};
	const add = ({ curves = [], passages = [], pairs = [], missing = [] }: Partial<Exhibits>) => {
		shown.curves.push(...curves);
		shown.passages.push(...passages);
		shown.pairs.push(...pairs);
		shown.missing.push(...missing.filter((sentence) => !shown.missing.includes(sentence)));
	};
	// Several tests may have read the same texts of a suspect.
	const seen = new Set<string>();
	const isFirst = (...what: readonly unknown[]) => {
		const before = seen.size;
		return seen.add(JSON.stringify(what)).size > before;
	};
	for (const [number, test] of predicate.tests.entries()) {
		const [, ...args] = argumentsOf({ ...test, inputs: predicate.inputs });
		const paths = (flag: string) => valuesOf(args, flag).map((path) => join(corpus, path));
		if (test.command === 'exposure') add(await trialExhibits(test, args, paths, findings.length));
		else
			for (const texts of textsOf(test, args))
				add(await textExhibits(texts, { ...test, number, args }, { ...sources, marks, isFirst }));
	}
	return shown;
}

/** What one suspect of a test shows. */
async function textExhibits(
	{ suspect, files, why }: SuspectTexts,
	test: EvidenceTest & { readonly number: number; readonly args: readonly string[] },
	from: ExhibitSources & { readonly marks: readonly Mark[]; isFirst(...what: readonly unknown[]): boolean },
): Promise<Partial<Exhibits>> {
	const { command, result, args } = test;
	const { findings, corpus, predicate, isFirst } = from;
	const below = (paths: readonly string[]) => paths.map((path) => join(corpus, path));
	const say = (reason: string) => `${suspect}, ${command}: ${reason}`;
	const of = findings.filter((one) => one.suspect === suspect && one.test === test.number);
	const found = of.some(({ verdict }) => isFinding(verdict));
	if (why !== null) return found ? { missing: [say(why)] } : {};
	const marks = strongestOf(of, from.marks);
	if (marks.shape === undefined && marks.choice === undefined)
		return found ? { missing: [say('the keys of the marks that it tests are not among those given.')] } : {};
	const grows = command === 'radioactivity';
	const withheld = of.flatMap((one) => one.withheld);
	if (grows && withheld.length > 0)
		return { missing: [say(`no curve: the verdict is withheld (${withheld.join(', ')}).`)] };
	const wanted = {
		curves: grows && isFirst('curves', suspect, files),
		passages: found && isFirst('passages', suspect, files),
	};
	if (!wanted.curves && !wanted.passages) return {};
	const [path] = below(valuesOf(args, '--tokenizer'));
	const tokenizer = await tokenizerFor(Object.values(marks), path === undefined ? {} : { tokenizer: path });
	const fields = {
		textField: valuesOf(args, '--text-field')[0] ?? 'text',
		promptField: valuesOf(args, '--prompt-field')[0] ?? 'prompt',
	};
	const alike = findings.filter((one) => one.suspect === suspect && one.command === command);
	return answerExhibits({
		documents: givenDocuments(below(files), fields, tokenizer),
		...{ suspect, wanted, marks, tokenizer, corpus, say },
		threshold: thresholdOf(alike) + log10(findings.length),
		isShown: (document) =>
			command !== 'detect' || isFoundAmong(result[document], result.length * predicate.tests.length),
	});
}

/** Texts of a suspect, or why none can be shown. */
interface SuspectTexts {
	readonly suspect: string;
	/** As the bundle names them. */
	readonly files: readonly string[];
	readonly why: string | null;
}

/** Texts of the suspects of a test. */
function textsOf({ command, suspect }: EvidenceTest, args: readonly string[]): SuspectTexts[] {
	const one = (files: readonly string[], why: string | null = null) => [{ suspect, files, why }];
	if (command === 'scan')
		return one([], 'run its command again with --flagged FILE for the records that it finds.');
	if (command === 'trace')
		return one([], 'run its command again with --records FILE for what each record says of accounts.');
	if (command === 'detect')
		return one(
			valuesOf(args, null),
			args.includes('--tokens') ? 'its files hold token ids, and no text to show.' : null,
		);
	const closed = (valuesOf(args, '--mode')[0] ?? 'closed') === 'closed';
	const why = closed ? null : 'it was tested by what it predicts, and wrote no text that could be shown.';
	const given = valuesOf(args, '--suspect');
	const named = namedSuspects(given, valuesOf(args, '--control'));
	return named === null
		? one(given, why)
		: named.suspects.map(({ name, paths }) => ({ suspect: name, files: paths, why }));
}

/** Of each channel the opened mark that the tests found strongest; an account's has no score without its codeword. */
function strongestOf(findings: readonly Finding[], marks: readonly Mark[]): MarksByChannel {
	const results = findings.flatMap(({ tests }) => tests).sort((a, b) => a.log10P - b.log10P);
	const of = (channel: 'shape' | 'choice') => {
		const ids = results.filter((one) => one.channel === channel).map(({ mark }) => mark);
		const opened = ids.flatMap(
			(id) => marks.find((mark) => mark.id === id && mark.spec.layer !== 'account') ?? [],
		);
		return opened.length === 0 ? {} : { [channel]: opened[0] };
	};
	return { ...of('shape'), ...of('choice') };
}

/** log10 of the e-value that reaches the level: after what the tests themselves paid for, the strictest of them. */
function thresholdOf(findings: readonly Finding[]): number {
	let threshold = 0;
	for (const { tests, level } of findings)
		for (const { hypotheses, searchBits } of tests)
			threshold = Math.max(threshold, log10(hypotheses) + searchBits * log10(2) - log10(level));
	return threshold;
}

/** Whether a document of `detect` is found after correction for so many documents and tests. */
function isFoundAmong(document: unknown, tries: number): boolean {
	const { verdict, log10PCorrected, level } = DetectResult.parse(document);
	return isFinding(verdict) && log10PCorrected + log10(tries) <= log10(level);
}
