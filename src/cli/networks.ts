/**
 * `touchmark networks`: which accounts work for one another?
 *
 * @module
 */
import { basename } from 'node:path';
import type { Command } from 'commander';
import { networksGraphml } from '../evidence/networks-graphml.js';
import { renderNetworks } from '../evidence/networks-report.js';
import { checked, parseJson } from '../input.js';
import { findNetworks, type NetworksResult, newTraffic } from '../networks/index.js';
import { writePieces, writeWhole } from '../output.js';
import { VERSION } from '../version.js';
import { type CommonOptions, type Edge, EXIT } from './edge.js';
import { readText } from './marks.js';
import { parseRate } from './numbers.js';
import { addRequests, TraceFile } from './requests.js';

interface Flags extends CommonOptions {
	readonly trace?: readonly string[];
	readonly fdr: number;
	readonly graphml?: string;
	readonly report?: string;
	readonly failOnDetect?: boolean;
}

/** Rows of the table for each network; all are in the JSON. */
const MOST_ROWS = 20;

/** Adds the command. */
export function addNetworks(program: Command, edge: Edge, exit: (code: number) => void): void {
	program
		.command('networks')
		.description('which accounts work in step with one another on the same prompts?')
		.argument(
			'<files...>',
			'requests, one {"account", "time", "fingerprints" or "prompt"} a line, in any order',
		)
		.option('--trace <files...>', 'results of `trace --json`: data sets that name accounts')
		.option('--fdr <q>', 'false discovery rate of the accounts put into networks', parseRate('--fdr'), 0.01)
		.option('--graphml <file>', 'where to write the graph')
		.option('--report <file>', 'where to write a page with a picture')
		.option('--fail-on-detect', 'exit with 3 when a network is found')
		.action(async (files: string[], flags: Flags) => {
			const datasets = (flags.trace ?? []).map((path) => ({
				name: basename(path),
				accounts: checked(TraceFile, parseJson(readText(path), path), path).accounts.map(
					({ account }) => account,
				),
			}));
			const traffic = newTraffic();
			let read = 0;
			const counted = (requests: number) => {
				read += requests;
				if (edge.terminal && !flags.quiet && read % 100_000 === 0) edge.err(`\r${read} requests`);
			};
			for (const file of files) await addRequests(file, traffic, counted);
			if (edge.terminal && !flags.quiet) edge.err('\r');
			const result = findNetworks(traffic.gathered(), { fdr: flags.fdr, datasets });
			if (flags.graphml !== undefined) writePieces(flags.graphml, networksGraphml(result));
			if (flags.report !== undefined)
				writeWhole(
					flags.report,
					renderNetworks({ result, version: VERSION, generatedAt: new Date().toISOString() }),
				);
			// Ties are for the picture and the GraphML: there may be a million.
			const { ties: _, ...printed } = result;
			edge.out(flags.json ? `${JSON.stringify(printed)}\n` : describe(result));
			if (result.networks.length > 0 && flags.failOnDetect) exit(EXIT.detected);
		});
}

const COLUMNS = [
	'network',
	'account',
	'requests',
	'sessions',
	'shared',
	'log10 p',
	'days',
	'datasets',
	'verdict',
];

function describe(result: NetworksResult): string {
	const { networks, candidates, accounts, requests, hypotheses, fdr } = result;
	const rows = networks.flatMap(({ id, accounts: members }) =>
		members
			.slice(0, MOST_ROWS)
			.map((row) => [
				String(id),
				row.account,
				String(row.requests),
				String(row.sessions),
				row.sharedPrompts.toFixed(2),
				row.log10P.toFixed(1),
				row.days.join(' to '),
				row.datasets.join(', ') || '-',
				row.verdict,
			]),
	);
	const widths = COLUMNS.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
	const line = (cells: readonly string[]) =>
		`${cells
			.map((cell, i) => cell.padEnd(widths[i]))
			.join('  ')
			.trimEnd()}\n`;
	const tested = candidates.flatMap((group) => group.accounts);
	const tooLittle = tested.filter(({ verdict }) => verdict === 'too-little-data').length;
	const sizes = networks.map(({ id, accounts: members }) => `  network ${id}: ${members.length} accounts\n`);
	return (
		`${requests} requests of ${accounts} accounts; ${candidates.length} groups by prompts, ${tested.length} accounts in them, ` +
		`${hypotheses} tested, ${tooLittle} with too little data\n` +
		`${networks.length} networks of accounts that work in step, at a false discovery rate of ${fdr}\n` +
		sizes.join('') +
		(rows.length === 0 ? '' : line(COLUMNS) + rows.map(line).join('')) +
		(networks.some(({ accounts: members }) => members.length > MOST_ROWS)
			? `the first ${MOST_ROWS} of each network; --json prints all\n`
			: '') +
		'In step means that hours follow those of the group beyond chance; it does not say who owns an account.\n'
	);
}
