/**
 * `touchmark trace`: which accounts and cohorts did these records come through?
 *
 * @module
 */
import type { Command } from 'commander';
import { writePieces } from '../output.js';
import { newTrace } from '../verify/trace.js';
import type { TracedRecord, TraceResult } from '../verify/trace-result.js';
import { readAccounts } from './account-list.js';
import { newBrokenRecords } from './broken-records.js';
import { type Edge, EXIT } from './edge.js';
import { type DocumentFlags, givenDocuments } from './given-documents.js';
import { LAYERS, type MarkFlags, marksFromFlags, tokenizerFor, withMarkFlags } from './marks.js';
import { parseRate } from './numbers.js';

interface Flags extends MarkFlags, DocumentFlags {
	readonly accounts: string;
	readonly level: number;
	readonly fdr: number;
	readonly gate: number;
	readonly records?: string;
	readonly strict?: boolean;
	readonly failOnDetect?: boolean;
}

/** Adds the command. */
export function addTrace(program: Command, edge: Edge, exit: (code: number) => void): void {
	const command = program
		.command('trace')
		.description('which accounts and cohorts did these records come through?')
		.argument('<paths...>', 'text files, or JSONL with a text field')
		.requiredOption(
			'--accounts <file>',
			'pseudonyms of all accounts that come into question, one a line or {"account"} a line',
		)
		.option('--tokens', 'files hold token ids: one JSON array of integers a line')
		.option('--text-field <name>', 'field of a JSONL record that holds the text', 'text')
		.option(
			'--prompt-field <name>',
			'field that holds what the author was given; its contexts are not scored',
			'prompt',
		)
		.option(
			'--level <p>',
			'chance that a record names any account wrongly, corrected for all accounts',
			parseRate('--level'),
			1e-6,
		)
		.option(
			'--fdr <q>',
			'false discovery rate of the lists of accounts and cohorts',
			parseRate('--fdr'),
			0.01,
		)
		.option(
			'--gate <p>',
			'records whose deployment mark has a larger p-value are not traced; speed only, no error rate depends on it',
			(value) => (value === '1' ? 1 : parseRate('--gate')(value)),
			0.01,
		)
		.option('--records <file>', 'where to write what each record says that passed the gate, one a line')
		.option('--strict', 'a record that cannot be read ends the trace; otherwise it is counted and named')
		.option('--fail-on-detect', 'exit with 3 when an account or a cohort is found');
	withMarkFlags(command).action(async (paths: string[], flags: Flags) => {
		const { marks, searchBits } = await marksFromFlags(edge, flags, LAYERS);
		const tokenizer =
			flags.tokens && flags.tokenizer === undefined ? undefined : await tokenizerFor(marks, flags);
		const { level, fdr, gate } = flags;
		const trace = newTrace({ marks, accounts: readAccounts(flags.accounts), level, fdr, gate, searchBits });
		const traced: TracedRecord[] = [];
		const broken = newBrokenRecords(edge, flags);
		for await (const document of givenDocuments(paths, flags, tokenizer, broken.tell)) {
			const record = trace.add(document);
			if (flags.records !== undefined && record.gate.passed) traced.push(record);
		}
		broken.end();
		const result = trace.result();
		const { count: skipped } = broken;
		if (flags.records !== undefined) writePieces(flags.records, lines(traced));
		edge.out(
			flags.json
				? `${JSON.stringify({ ...result, skipped, tokenizer: tokenizer?.fingerprint ?? null })}\n`
				: describe(result, skipped),
		);
		const found = result.accounts.length > 0 || result.cohorts.some((cohort) => cohort.found);
		if (found && flags.failOnDetect) exit(EXIT.detected);
	});
}

function* lines(records: readonly TracedRecord[]): Generator<string> {
	for (const record of records) yield `${JSON.stringify(record)}\n`;
}

function describe(result: TraceResult, skipped: number): string {
	const { records, gated, named, accounts, cohorts, hypotheses, fdr } = result;
	const power = (log10: number) => `10^${log10.toFixed(1)}`;
	const rows = accounts.map(
		(row) =>
			`  ${row.account}: ${row.named} records name it, ${row.records} fit it, p ≤ ${power(row.log10P)}, epochs ${row.epochs.join(' to ')}\n`,
	);
	const groups = cohorts
		.filter(({ found }) => found)
		.map(
			(row) =>
				`  cohort ${row.cohort}, epoch ${row.epoch}: ${row.scored} pairs, mean ${row.effect.mean?.toFixed(4)} (null ${row.effect.expected}), p ≤ ${power(row.log10P)}\n`,
		);
	return (
		`${records} records${skipped > 0 ? `, ${skipped} left out` : ''}, ${gated} passed the gate, ${named} name an account (of ${hypotheses} tried)\n` +
		`${accounts.length} accounts and ${groups.length} of ${cohorts.length} cohorts at a false discovery rate of ${fdr}\n` +
		rows.join('') +
		groups.join('')
	);
}
