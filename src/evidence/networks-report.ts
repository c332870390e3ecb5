/**
 * Networks as one self-contained HTML page.
 *
 * @module
 */
import type { NetworkAccount, NetworksResult } from '../networks/networks-result.js';
import { escapeHtml } from './html.js';
import { renderNetworksPicture } from './networks-picture.js';
import { decimalText, logText, rateText } from './number-text.js';
import { data, renderPage, resultsTable, section } from './page.js';

export interface NetworksPage {
	readonly result: NetworksResult;
	/** Of touchmark. */
	readonly version: string;
	/** ISO 8601 time. */
	readonly generatedAt: string;
}

/** Accounts of a network that the page names; the JSON has them all. */
const MOST_ROWS = 20;
/** Groups without a network that are drawn. */
const MOST_OTHERS = 20;

/** Renders the page. Pure: the same data give the same page, and all text in the data is escaped. */
export function renderNetworks({ result, version, generatedAt }: NetworksPage): string {
	const { networks } = result;
	const body = [
		section('found', 'What was found', summary(result)),
		section('picture', 'The groups', picture(result)),
		...(networks.length === 0 ? [] : [section('networks', 'The networks', table(result))]),
		...networks.map(({ id, accounts }) => section(`network-${id}`, `Network ${id}`, accountTable(accounts))),
		section('method', 'Method', METHOD(result.fdr)),
	];
	return renderPage({ title: 'Touchmark networks', version, generatedAt, body: body.join('\n') });
}

function summary({
	networks,
	candidates,
	accounts,
	requests,
	hypotheses,
	fdr,
	fingerprintShare,
}: NetworksResult): string {
	const named = networks.reduce((sum, network) => sum + network.accounts.length, 0);
	const sample =
		fingerprintShare < 1
			? `<p class="meta">There were more fingerprints than are held; a share of ${decimalText(fingerprintShare, 3)} of them was looked at.</p>`
			: '';
	return `<p class="lead">Of ${decimalText(accounts, 0)} accounts with ${decimalText(requests, 0)} requests, ${decimalText(named, 0)} work in step with others that ask the same: ${networks.length} networks, at a false discovery rate of ${rateText(fdr)}.</p>
<p>${candidates.length} groups of accounts share prompts or data sets. ${decimalText(hypotheses, 0)} of their accounts had enough days to test whether their hours follow those of the group.</p>${sample}
<h3>What this does not show</h3>
<ul class="limits"><li>“In step” says that hours follow those of the group beyond chance. It does not say who owns an account, and a team of innocents that meets at changing hours is in step too.</li>
<li>An account in no network is not cleared: it may have too little data, or work at other hours than its group.</li></ul>`;
}

function picture({ candidates, ties }: NetworksResult): string {
	const found = candidates.filter(({ network }) => network !== null);
	const others = candidates.filter(({ network }) => network === null);
	const drawn = [...found, ...others.slice(0, MOST_OTHERS)];
	if (drawn.length === 0) return '<p>No accounts share enough prompts.</p>';
	const hidden = others.length - Math.min(others.length, MOST_OTHERS);
	return `<p>Each disc is a group by prompts and data sets alone. A dot is an account, or several where there is no room for all; those in colour are in step with the group. Lines, in small groups, are ties by prompts.${hidden > 0 ? ` ${hidden} groups without a network are not drawn.` : ''}</p>
<figure>${renderNetworksPicture(drawn, ties)}</figure>`;
}

function table({ networks, candidates }: NetworksResult): string {
	const columns = [
		'Network',
		'Accounts in step',
		'Of the group',
		'Requests',
		'Strongest log₁₀ p',
		'Days',
		'Data sets',
	];
	const cells = networks.map(({ id, accounts }) => {
		const group = candidates.find(({ network }) => network === id)?.accounts.length ?? accounts.length;
		const requests = accounts.reduce((sum, row) => sum + row.requests, 0);
		const days = accounts.flatMap((row) => row.days).sort();
		const datasets = [...new Set(accounts.flatMap((row) => row.datasets))];
		return [
			`<a href="#network-${id}">${id}</a>`,
			data(accounts.length, decimalText(accounts.length, 0)),
			data(group, decimalText(group, 0)),
			data(requests, decimalText(requests, 0)),
			data(accounts[0].log10P, logText(accounts[0].log10P)),
			`${days[0]} to ${days[days.length - 1]}`,
			names(datasets),
		];
	});
	return resultsTable('Numbered by size.', columns, new Set([1, 2, 3, 4]), cells);
}

function accountTable(accounts: readonly NetworkAccount[]): string {
	const columns = ['Account', 'Requests', 'Sessions', 'Shared prompts', 'log₁₀ p', 'Days', 'Data sets'];
	const cells = accounts
		.slice(0, MOST_ROWS)
		.map((row) => [
			`<bdi>${escapeHtml(row.account)}</bdi>`,
			data(row.requests, decimalText(row.requests, 0)),
			data(row.sessions, decimalText(row.sessions, 0)),
			data(row.sharedPrompts, decimalText(row.sharedPrompts, 2)),
			data(row.log10P, logText(row.log10P)),
			`${row.days[0]} to ${row.days[1]}`,
			names(row.datasets),
		]);
	const caption =
		accounts.length > MOST_ROWS
			? `The ${MOST_ROWS} strongest of ${decimalText(accounts.length, 0)}; the JSON result has all.`
			: 'Strongest first.';
	return resultsTable(caption, columns, new Set([1, 2, 3, 4]), cells);
}

function names(datasets: readonly string[]): string {
	return datasets.length === 0 ? '–' : datasets.map((name) => `<bdi>${escapeHtml(name)}</bdi>`).join(', ');
}

const METHOD = (
	fdr: number,
) => `<p>Groups are found by what accounts asked and by data sets that name them; no time has a part in that. Then each account’s timing is tested against the rest of its group. Its days are kept, and so are the hours that it works within a day; asked is whether the hours of a day stand on the day on which the group worked at these hours. Four days in a row on which the account was there are a block, and under the null hypothesis each order of their hours is as likely as any other. p is a Chernoff bound over these orders, exact whatever the group did.</p>
<p>Jobs at the same hour every night, work around the clock, days off in common and volume are no evidence: no order of such days differs from another, or all orders have the same days.</p>
<p>An account whose hours do not depend on the group’s, given the days, is put into a network with a chance of at most ${rateText(fdr)}. Shared prompts have no p-value: they say whom to test.</p>`;
