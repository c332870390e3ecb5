/**
 * What the tests of a bundle say, and whether they agree with themselves: all that can be known without the files.
 *
 * @module
 */
import { z } from 'zod';
import { ScanResult } from '../scan/corpus-result.js';
import { log10 } from '../stats/portable.js';
import type { CohortResult } from '../verify/cohort-results.js';
import { DetectResult } from '../verify/detect.js';
import { ExposureResult, type ExposureRow } from '../verify/exposure-result.js';
import { RadioactivityResult } from '../verify/radioactivity.js';
import { SuspectsResult } from '../verify/suspects.js';
import { isFinding, type TestResult, type Verdict } from '../verify/test-result.js';
import { TraceResult } from '../verify/trace-result.js';
import type { EvidencePredicate, EvidenceTest } from './statement.js';

/** One suspect of one test, by its headline. */
export interface Finding {
	/** Number of its test in the bundle, from 0. */
	readonly test: number;
	readonly suspect: string;
	readonly command: EvidenceTest['command'];
	/** Documents, pairs, distinct windows, or the records that were traced: what was scored. */
	readonly scored: number;
	/** Corrected for everything that the test itself tried, and for the number of documents. */
	readonly log10P: number;
	/** The same, corrected for all tests of the bundle. */
	readonly log10PCorrected: number;
	/** log10 of the e-value, where the test has one. */
	readonly log10E: number | null;
	readonly level: number;
	/** That of the test; `no-evidence` where the correction for the bundle takes a finding away. */
	readonly verdict: Verdict;
	readonly alternatives: readonly string[];
	readonly withheld: readonly string[];
	/** Tests of single marks; none for exposure. Of a trace, those of cohorts. */
	readonly tests: readonly TestResult[];
	/** Marks that were looked for, with what each pays for a search of its key. */
	readonly marks: readonly Pick<TestResult, 'mark' | 'searchBits'>[];
	/** Accounts and cohorts, then controls. */
	readonly groups: readonly GroupRow[];
	/** log10 p of the same text under keys that were never deployed, for each of `tests`; none where they were not printed. */
	readonly nulls: readonly (readonly number[])[];
}

/** An account or cohort of a test, or a control that nobody suspects. */
export interface GroupRow {
	readonly kind: 'account' | 'cohort' | 'control account' | 'control cohort' | 'control model';
	readonly name: string;
	/** Pairs; of a trace, the records that fit an account. */
	readonly scored: number;
	readonly log10P: number;
	/** Adjusted for the false discovery rate over all that the test searched; null for a control. */
	readonly log10PAdjusted: number | null;
	/** False discovery rate of those that are found. */
	readonly fdr: number;
	/** Whether it is among those found, after correction for all tests of the bundle; controls are not accused. */
	readonly found: boolean;
}

/** A result as its command prints it. */
const RESULTS = {
	detect: DetectResult,
	radioactivity: z.union([SuspectsResult, RadioactivityResult]),
	exposure: ExposureResult,
	scan: ScanResult,
	trace: TraceResult,
} as const;

const Nulls = z.object({ nulls: z.array(z.array(z.number())).default([]) });

/** Headline of one test, before the correction for the bundle. */
export interface Headline extends Omit<Finding, 'log10PCorrected'> {
	/** Every verdict that the test gives, with the corrected log10 p that it rests on. */
	readonly given: readonly (readonly [Verdict, number])[];
}

/**
 * What a bundle says of its suspects, each test corrected for the number of tests (Bonferroni: a row says the same
 * whatever stands in the others). Accounts and cohorts are found at their false discovery rate divided by that number, so that
 * it holds for those of all tests together.
 *
 * @param tests how many there are
 */
export function findingsOf(headlines: readonly Headline[], tests: number): Finding[] {
	return headlines.map(({ given: _, ...row }) => {
		const log10PCorrected = Math.min(0, row.log10P + log10(tests));
		const lost = isFinding(row.verdict) && log10PCorrected > log10(row.level);
		const groups = row.groups.map((one) => ({
			...one,
			found: one.found && (one.log10PAdjusted ?? 0) + log10(tests) <= log10(one.fdr),
		}));
		return { ...row, log10PCorrected, groups, verdict: lost ? 'no-evidence' : row.verdict };
	});
}

/** Headlines of tests, some of which have several suspects; null for a result that its command does not print. */
export function headlinesOf(tests: readonly EvidenceTest[]): Headline[] | null {
	try {
		return tests.flatMap((test, number) =>
			rowsOf(test).map((row) => ({ ...row, test: number, command: test.command })),
		);
	} catch (error) {
		if (!(error instanceof z.ZodError)) throw error;
		return null;
	}
}

/** A headline without what is the test's. */
type Row = Omit<Headline, 'command' | 'test'>;

/** A headline, with what is not said left empty. */
function headline(
	part: Pick<Row, 'suspect' | 'scored' | 'log10P' | 'log10E' | 'level' | 'verdict'> & Partial<Row>,
): Row {
	const given = [[part.verdict, part.log10P] as const];
	const { tests = [] } = part;
	const marks = tests.map(({ mark, searchBits }) => ({ mark, searchBits }));
	return { alternatives: [], withheld: [], groups: [], nulls: [], given, marks, ...part, tests };
}

function rowsOf({ suspect, command, result }: EvidenceTest): Row[] {
	if (command === 'detect') {
		const documents = result.map((one) => RESULTS.detect.parse(one));
		const best = documents.reduce((a, b) => (b.log10PCorrected < a.log10PCorrected ? b : a));
		const { verdict } = documents.find((one) => isFinding(one.verdict)) ?? best;
		return [
			headline({
				...{ suspect, level: best.level, verdict, tests: documents.flatMap(({ tests }) => tests) },
				scored: documents.reduce((sum, { scored }) => sum + scored, 0),
				log10P: Math.min(0, best.log10PCorrected + log10(documents.length)),
				log10E: documents.length === 1 ? best.log10E : null,
				given: documents.map((one) => [one.verdict, one.log10PCorrected]),
			}),
		];
	}
	return result.flatMap((one): Row[] => {
		if (command === 'exposure') {
			const { pairs, ties, log10PCorrected: log10P, ...rest } = RESULTS.exposure.parse(one);
			const { log10E, level, fdr, verdict, alternatives, withheld, accounts, controls } = rest;
			const rowOf =
				(kind: GroupRow['kind'], found = false, log10PAdjusted: number | null = null) =>
				(name: string, row: ExposureRow): GroupRow => ({
					...{ kind, name, found, log10PAdjusted, fdr },
					...{ scored: row.pairs - row.ties, log10P: row.log10P },
				});
			const groups = [
				...accounts.map((row) => rowOf('account', row.found, row.log10PAdjusted)(row.account, row)),
				...controls.accounts.map((row) => rowOf('control account')(row.account, row)),
				...controls.models.map((row) => rowOf('control model')(row.model, row)),
			];
			return [
				headline({
					...{ suspect, scored: pairs - ties, log10P, log10E, level, verdict },
					...{ alternatives, withheld, groups },
				}),
			];
		}
		if (command === 'scan') {
			const { scored, log10P, log10E, level, verdict, tests } = RESULTS.scan.parse(one);
			return [headline({ suspect, scored, log10P, log10E, level, verdict, tests })];
		}
		if (command === 'trace') {
			const { gated, accounts, cohorts, hypotheses, marks, fdr, level } = RESULTS.trace.parse(one);
			// An account's codeword in a text says that the text is marked: the least p of all that were searched.
			const log10P = accounts.reduce((least, row) => Math.min(least, row.log10P + log10(hypotheses)), 0);
			return [
				headline({
					...{ suspect, scored: gated, log10P, log10E: null, level, tests: cohorts },
					verdict: log10P <= log10(level) ? 'marked' : 'no-evidence',
					marks: [...marks, ...cohorts].map(({ mark, searchBits }) => ({ mark, searchBits })),
					groups: [
						...accounts.map(
							({ account: name, records: fitting, log10P: own, log10PAdjusted }): GroupRow => ({
								...{ kind: 'account', name, scored: fitting, log10P: own, log10PAdjusted, fdr, found: true },
							}),
						),
						...cohorts.map((cohort) => cohortRow('cohort', cohort, fdr)),
					],
				}),
			];
		}
		const parsed = RESULTS.radioactivity.parse(one);
		const several = 'suspects' in parsed;
		const rows = several ? parsed.suspects : [{ ...parsed, suspect, nulls: Nulls.parse(one).nulls }];
		return rows.map((row) => {
			const { scored, log10PCorrected, log10E, level, verdict, alternatives, tests, nulls } = row;
			return headline({
				...{ suspect: row.suspect, scored, log10E, level, verdict, alternatives, tests, nulls },
				// A relay is found by the choice channel, and the headline is that of the shape.
				log10P:
					verdict === 'marked' ? Math.min(...tests.map((test) => test.log10PCorrected)) : log10PCorrected,
				withheld: several ? parsed.withheld : [],
				groups: [
					...row.cohorts.map((cohort) => cohortRow('cohort', cohort, row.fdr)),
					...row.controls.cohorts.map((cohort) => cohortRow('control cohort', cohort, row.fdr)),
				],
			});
		});
	});
}

function cohortRow(
	kind: GroupRow['kind'],
	{ cohort: name, scored, log10P, log10PAdjusted, found }: CohortResult,
	fdr: number,
): GroupRow {
	const accused = kind === 'cohort' ? { log10PAdjusted, found } : { log10PAdjusted: null, found: false };
	return { kind, name, scored, log10P, fdr, ...accused };
}

/** How far printed logarithms may be apart. */
export const TOLERANCE = 1e-9;

/**
 * The first thing in which a bundle's results contradict themselves or the marks; null where there is none.
 *
 * @param committed ids of marks whose commitments the bundle proves
 */
export function contradictionIn(
	headlines: readonly Headline[],
	predicate: Pick<EvidencePredicate, 'marks' | 'suspects'>,
	committed: ReadonlySet<string>,
): string | null {
	const known = new Set(predicate.marks.map(({ id }) => id));
	const named = new Set(predicate.suspects.map(({ name }) => name));
	for (const { suspect, command, level, given, tests, marks, groups } of headlines) {
		const where = `${command} of "${suspect}"`;
		if (!named.has(suspect)) return `${where}: is of a suspect that the bundle does not name`;
		for (const [verdict, log10P] of given)
			if (isFinding(verdict) && log10P > log10(level) + TOLERANCE)
				return `${where}: its verdict is "${verdict}", but its p-value does not reach the level`;
		for (const { mark, searchBits } of marks) {
			if (!known.has(mark)) return `${where}: tests a mark that the bundle does not name`;
			if (searchBits === 0 && !committed.has(mark))
				return `${where}: pays for no search of the key, whose commitment the bundle does not prove`;
		}
		for (const { kind, name, log10P, log10PAdjusted, fdr, found } of groups)
			if (found && (log10PAdjusted === null || log10PAdjusted > log10(fdr) + TOLERANCE))
				return `${where}: finds ${kind} "${name}", but its p-value does not reach the false discovery rate`;
			else if (log10PAdjusted !== null && log10PAdjusted < log10P - TOLERANCE)
				return `${where}: the adjusted p-value of ${kind} "${name}" is below the plain one`;
		for (const test of tests) {
			const { log10P: plain, hypotheses, searchBits, heldOut } = test;
			const corrected = Math.min(0, plain + log10(hypotheses) + searchBits * log10(2));
			if (Math.abs(corrected - test.log10PCorrected) > TOLERANCE * Math.max(1, Math.abs(corrected)))
				return `${where}: log10PCorrected is not log10P corrected for ${hypotheses} hypotheses`;
			if (heldOut !== undefined) {
				const { count, rank, pValue } = heldOut;
				if (rank > count + 1 || Math.abs(pValue - rank / (count + 1)) > TOLERANCE)
					return `${where}: the p-value of the held-out keys is not that of their rank`;
			}
		}
	}
	return null;
}
