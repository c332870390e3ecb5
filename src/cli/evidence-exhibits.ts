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
export async function exhibitsOf({ predicate, findings, corpus, keys }: ExhibitSources): Promise<Exhibits> {
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
	for (const test of predicate.tests) {
		const [, ...args] = argumentsOf({ ...test, inputs: predicate.inputs });
		const below = (paths: readonly string[]) => paths.map((path) => join(corpus, path));
		const paths = (flag: string | null) => below(valuesOf(args, flag));
		if (test.command === 'exposure') {
			add(await trialExhibits(test, args, paths, findings.length));
			continue;
		}
		const { suspects, why } = textsOf(test, args);
		for (const { suspect, files } of suspects) {
			const of = findings.filter((one) => one.suspect === suspect && one.command === test.command);
			const found = of.some(({ verdict }) => isFinding(verdict));
			const say = (reason: string) => `${suspect}, ${test.command}: ${reason}`;
			if (why !== null) {
				if (found) add({ missing: [say(why)] });
				continue;
			}
			const tested = strongestOf(of, marks);
			if (tested.shape === undefined && tested.choice === undefined) {
				if (found) add({ missing: [say('the keys of the marks that it tests are not among those given.')] });
				continue;
			}
			const texts = { suspect, files };
			const wanted = {
				curves: test.command === 'radioactivity' && isFirst('curves', texts),
				passages: found && isFirst('passages', texts),
			};
			if (!wanted.curves && !wanted.passages) continue;
			const [tokenizerPath] = paths('--tokenizer');
			const tokenizer = await tokenizerFor(
				Object.values(tested),
				tokenizerPath === undefined ? {} : { tokenizer: tokenizerPath },
			);
			const fields = {
				textField: valuesOf(args, '--text-field')[0] ?? 'text',
				promptField: valuesOf(args, '--prompt-field')[0] ?? 'prompt',
			};
			add(
				await answerExhibits({
					documents: givenDocuments(below(files), fields, tokenizer),
					...{ suspect, wanted, tokenizer, marks: tested, say },
					threshold: thresholdOf(of, findings.length),
					isShown: (number) => test.command !== 'detect' || test.result[number]?.verdict === 'marked',
				}),
			);
		}
	}
	return shown;
}

/** Suspects of a test with the files of their texts, as the bundle names them; or why no text of theirs can be shown. */
function textsOf(
	{ command, suspect }: EvidenceTest,
	args: readonly string[],
): { suspects: { suspect: string; files: readonly string[] }[]; why: string | null } {
	const one = (files: readonly string[], why: string | null = null) => ({
		suspects: [{ suspect, files }],
		why,
	});
	if (command === 'scan')
		return one([], 'run its command again with --flagged FILE for the records that it finds.');
	if (command === 'trace')
		return one([], 'run its command again with --records FILE for what each record says of accounts.');
	if (command === 'detect')
		return one(
			valuesOf(args, null),
			args.includes('--tokens') ? 'its files hold token ids, and no text to show.' : null,
		);
	const given = valuesOf(args, '--suspect');
	const named = namedSuspects(given, valuesOf(args, '--control'))?.suspects;
	const suspects = named?.map(({ name, paths }) => ({ suspect: name, files: paths }));
	const closed = (valuesOf(args, '--mode')[0] ?? 'closed') === 'closed';
	return {
		suspects: suspects ?? [{ suspect, files: given }],
		why: closed ? null : 'it was tested by what it predicts, and wrote no text that could be shown.',
	};
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

/** log10 of the e-value that reaches the level: after what the tests themselves paid for, the strictest of them, and all rows. */
function thresholdOf(findings: readonly Finding[], rows: number): number {
	const hypotheses = Math.max(...findings.flatMap(({ tests }) => tests.map((one) => one.hypotheses)));
	const bits = Math.max(...findings.flatMap((one) => one.marks.map((mark) => mark.searchBits)));
	const level = Math.min(...findings.map((one) => one.level));
	return log10(hypotheses * rows) + bits * log10(2) - log10(level);
}
