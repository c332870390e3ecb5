/**
 * A bundle as a page: for a lawyer first, for a statistician after.
 *
 * @module
 */
import { isFinding, type Verdict } from '../verify/test-result.js';
import type { Check } from './checks.js';
import { type Exhibits, exhibitSections } from './exhibits.js';
import type { Finding } from './findings.js';
import { newHistogramFrame, renderHistogram } from './histogram.js';
import { escapeHtml } from './html.js';
import { decimalText, logText, oddsText, rateText } from './number-text.js';
import { data, renderPage, resultsTable, section } from './page.js';
import type { EvidencePredicate } from './statement.js';
import { verdictCell } from './verdict-words.js';
import type { Verification } from './verify.js';

/** What each verdict claims of a suspect, in a sentence that goes on from its name. */
const CLAIMS = {
	marked: 'wrote text that carries the mark: it was made, or passed on, by the marked model',
	'trained-on-marked': 'was trained on text that carries the mark',
	exposed: 'was trained on these served answers',
	'no-evidence': 'shows no evidence',
	'too-little-data': 'cannot be judged: there is too little data',
} as const;

/**
 * Renders the page. Pure: the same bundle gives the same page, and all text in it is escaped.
 *
 * @param verification of the bundle, which must be valid
 * @param commands that compute each test again
 * @param exhibits examples out of the files, under the opened keys
 */
export function renderEvidence(
	verification: Verification,
	predicate: EvidencePredicate,
	commands: readonly string[],
	exhibits: Exhibits | null = null,
): string {
	const { checks, signers, findings } = verification;
	const { software, made, title } = predicate;
	return renderPage({
		...{ title, version: software.version, generatedAt: made },
		body: [
			section('found', 'What was found', summary(findings)),
			section('limits', 'What this does not show', limits(findings, checks)),
			section('suspects', 'The suspects', table(findings)),
			groups(findings),
			panels(findings),
			...exhibitSections(exhibits),
			section('origin', 'Where this comes from', origin(predicate, signers, checks)),
			section('method', 'Method', method(predicate, findings)),
			section('recompute', 'How to compute it again', recompute(commands)),
		]
			.filter((part) => part !== '')
			.join('\n'),
	});
}

function bdi(name: string): string {
	return `“<bdi>${escapeHtml(name)}</bdi>”`;
}

/** The strongest finding of each suspect, in the order of the tests. */
function bySuspect(findings: readonly Finding[]): Map<string, Finding[]> {
	const all = new Map<string, Finding[]>();
	for (const finding of findings) all.set(finding.suspect, [...(all.get(finding.suspect) ?? []), finding]);
	return all;
}

function summary(findings: readonly Finding[]): string {
	const items = [...bySuspect(findings)].map(([suspect, some]) => {
		const found = some.filter(({ verdict }) => isFinding(verdict));
		if (found.length === 0) {
			const verdict = some.some((one) => one.verdict === 'no-evidence') ? 'no-evidence' : 'too-little-data';
			return `${bdi(suspect)} ${CLAIMS[verdict]}. This does not mean that it was not trained on marked text.`;
		}
		return [...new Set(found.map(({ verdict }) => verdict))]
			.map((verdict) =>
				claim(
					suspect,
					verdict,
					found.filter((one) => one.verdict === verdict),
				),
			)
			.join('</li><li>');
	});
	return `<ul class="limits lead">${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
}

/** One verdict of a suspect, however many tests say so. */
function claim(suspect: string, verdict: Verdict, some: readonly Finding[]): string {
	const strongest = some.reduce((best, one) => (one.log10PCorrected < best.log10PCorrected ? one : best));
	const tests = some.length === 1 ? '' : ` ${some.length} tests say so; the strongest is given here.`;
	// What every one of them leaves open stays open.
	const open = strongest.alternatives.filter((why) =>
		some.every(({ alternatives }) => alternatives.includes(why)),
	);
	const but = open.length > 0 ? ` This cannot rule out: ${open.map(escapeHtml).join(', ')}.` : '';
	const innocent =
		verdict === 'exposed'
			? 'A suspect that never saw these answers'
			: 'A suspect without access to anything marked with this key';
	return `<strong>${bdi(suspect)} ${CLAIMS[verdict]}.</strong> ${innocent} would be found with a probability of at most ${oddsText(strongest.level)}; the chance of a result as strong as this one is at most 10<sup>${logText(strongest.log10PCorrected)}</sup>, corrected for everything that was tested.${tests}${but}`;
}

/** Other explanations, each with what in the bundle speaks for or against it. */
function limits(findings: readonly Finding[], checks: readonly Check[]): string {
	const status = (name: Check['name']) => checks.find((check) => check.name === name);
	const holds = (name: Check['name']) => status(name)?.status === 'passed';
	const choice = findings.flatMap(({ tests }) => tests.filter(({ channel }) => channel === 'choice'));
	const strongChoice = choice.filter(({ power }) => power >= 0.5);
	const traced = findings.filter(({ command }) => command === 'trace');
	const relay = traced.some(({ verdict }) => verdict === 'marked')
		? 'Codewords of accounts were found in the text itself. A relay passes them on and a student hardly keeps them: this speaks for text that the marked model wrote.'
		: strongChoice.length === 0
			? 'The bundle holds no test of the choice channel with enough text to tell, so nothing here speaks against it.'
			: findings.some(({ verdict }) => verdict === 'marked')
				? 'The choice channel was found, which a relay shows and a student hardly does: this speaks for it.'
				: 'The choice channel, which a relay would show, was looked for in enough text and not found: this speaks against a relay that passes answers on unchanged, not against one that rewrites them.';
	const forger = [
		holds('commitments')
			? 'The keys were committed to an append-only log'
			: 'The bundle does not prove that the keys were committed beforehand',
		holds('order')
			? 'before the suspects were released, as a time stamp shows, so that they were not chosen to fit the suspects.'
			: `and that this was before the suspects were released is not shown (${escapeHtml(status('order')?.detail ?? '')}).`,
		'Whoever had the secret key could have written marked text in a suspect’s name: only how the suspect’s answers were obtained, and who signed for that, speaks against it.',
	].join(' ');
	const exposure = findings.some(({ command }) => command === 'exposure');
	const web = [
		...(exposure
			? [
					'The trial of served and unserved answers ties the suspect to single answers; if control accounts were named, their rows say whether answers that nobody is suspected of passing on show it too.',
				]
			: []),
		...(traced.length > 0
			? [
					'Accounts that are found are those that text was served to; whether their holders passed it on, or somebody who had it from them, is not shown.',
				]
			: []),
	];
	if (web.length === 0)
		web.push(
			'Nothing in this bundle speaks against it: a trial of served and unserved answers, or marks of accounts, would.',
		);
	const items: readonly (readonly [string, string])[] = [
		[
			'Marked text on the open web',
			`The suspect may have learned from marked text that others published. ${web.join(' ')}`,
		],
		['A relay of the provider’s API', relay],
		['Somebody who had the key', forger],
	];
	return `<p>A finding says that marked text was used, not by which way the suspect came by it. Other ways that the same result could have come about:</p>
<dl class="limits">${items.map(([name, text]) => `<dt><strong>${name}</strong></dt><dd>${text}</dd>`).join('')}</dl>`;
}

const COLUMNS = ['Suspect', 'Test', 'Scored', 'log₁₀ p', 'Corrected', 'log₁₀ e', 'Verdict'];

function table(findings: readonly Finding[]): string {
	const caption =
		'One row a suspect and test. log₁₀ p = −6 means a chance of one in a million; the corrected value pays for all marks, documents and suspects of the test and for all tests of the bundle. An e-value of 10⁶ is as rare without marks.';
	const cells = findings.map((row) => [
		`<bdi>${escapeHtml(row.suspect)}</bdi>`,
		row.command,
		data(row.scored, decimalText(row.scored, 0)),
		data(row.log10P, logText(row.log10P)),
		data(row.log10PCorrected, logText(row.log10PCorrected)),
		row.log10E === null ? 'none' : data(row.log10E, logText(row.log10E)),
		`${verdictCell(row.verdict)}${[...row.alternatives, ...row.withheld].map((why) => `<span class="aside">${escapeHtml(why)}</span>`).join('')}`,
	]);
	return resultsTable(caption, COLUMNS, new Set([2, 3, 4, 5]), cells);
}

/** Rows of the table of accounts and cohorts; all are in the bundle. */
const MOST_GROUPS = 40;

/** Accounts and cohorts beside controls; nothing where a test names none. */
function groups(findings: readonly Finding[]): string {
	const rows = findings.flatMap(({ suspect, groups: some }) => some.map((row) => ({ suspect, ...row })));
	if (rows.length === 0) return '';
	const shown = rows.slice(0, MOST_GROUPS);
	const cells = shown.map(({ suspect, kind, name, scored, log10P, found }) => [
		`<bdi>${escapeHtml(name)}</bdi>`,
		kind,
		`<bdi>${escapeHtml(suspect)}</bdi>`,
		data(scored, decimalText(scored, 0)),
		data(log10P, logText(log10P)),
		kind.startsWith('control') ? 'not suspected' : found ? 'found' : 'not found',
	]);
	const rates = [...new Set(rows.map(({ fdr }) => fdr))].map(rateText).join(' or ');
	const rest = rows.length > shown.length ? ` ${rows.length - shown.length} more are in the bundle.` : '';
	return section(
		'groups',
		'Accounts and cohorts, beside those that nobody suspects',
		resultsTable(
			`Answers that were served to these accounts, or marks of these cohorts; of a trace, the records that fit an account’s codeword. Of the accounts found, and of the cohorts, at most ${rates} are wrong on average, over all tests of the bundle. An account is a pseudonym: that it is found does not say who passed its answers on. Controls were named before the key or the coins were opened; they say what marked text that anybody can find would look like.${rest}`,
			['Name', 'Kind', 'Suspect', 'Scored', 'log₁₀ p', 'Result'],
			new Set([3, 4]),
			cells,
		),
	);
}

/** Tests with their null samples; nothing where none were printed. */
function panels(findings: readonly Finding[]): string {
	const samples = findings.flatMap(({ suspect, tests, nulls, level }) =>
		tests.flatMap((test, i) =>
			nulls[i] === undefined ? [] : [{ suspect, test, level, log10P: test.log10P, heldOutLog10Ps: nulls[i] }],
		),
	);
	if (samples.length === 0) return '';
	const frame = newHistogramFrame(samples, Math.min(...samples.map(({ level }) => level)));
	const figures = samples.map((sample, i) => {
		const { suspect, test, heldOutLog10Ps: held } = sample;
		const name = `${suspect}, ${test.channel}`;
		const beyond = held.filter((log10P) => log10P <= test.log10P).length;
		return `<figure>
<figcaption><strong><bdi>${escapeHtml(name)}</bdi></strong>${decimalText(beyond, 0)} of ${decimalText(held.length, 0)} keys that were never deployed lie at or beyond the true one.</figcaption>
${renderHistogram(sample, frame, `null-${i}`, name)}
</figure>`;
	});
	return section(
		'null',
		'The same text under keys that were never deployed',
		`<p>Such keys can have left no trace, so they show what chance does with this very text. Grey bars count them, the dotted outline is what theory expects, the heavy line is the true key, the dashed one the level of a verdict.</p>
<div class="panels">
${figures.join('\n')}
</div>`,
	);
}

function origin(
	{ inputs, suspects, marks, log, made }: EvidencePredicate,
	signers: readonly string[],
	checks: readonly Check[],
): string {
	const released = suspects.map(
		({ name, released: when }) =>
			`${bdi(name)}: ${when === null ? 'time of release not stated' : `released ${escapeHtml(when)}`}`,
	);
	const files = inputs.map(({ name, records, bytes, sha256 }) => [
		`<bdi>${escapeHtml(name)}</bdi>`,
		data(records, decimalText(records, 0)),
		data(bytes, decimalText(bytes, 0)),
		`<code>${sha256}</code>`,
	]);
	const rows = checks.map(({ name, status, code, detail }) => [
		name,
		status === 'passed' ? 'passed' : `${status} (${code})`,
		escapeHtml(detail),
	]);
	return `<p>Made ${escapeHtml(made)}; signed by the key${signers.length === 1 ? '' : 's'} ${signers.map((key) => `<code>${key}</code>`).join(', ')}. Whose keys these are must be known from elsewhere. ${released.join('; ')}. ${marks.length} mark${marks.length === 1 ? '' : 's'}${log === null ? ', no log' : `, committed in the log of <code>${log.head.publicKey}</code>`}.</p>
${resultsTable('The files that were tested. A record of JSONL is a line; each can be shown by itself, with a proof that it is in its file.', ['File', 'Records', 'Bytes', 'SHA-256'], new Set([1, 2]), files)}
${resultsTable('What was checked when this page was made; nothing was computed again.', ['Check', 'Result', 'Detail'], new Set(), rows)}`;
}

function method({ tests }: EvidencePredicate, findings: readonly Finding[]): string {
	const levels = [...new Set(findings.map(({ level }) => level))].map(rateText).join(', ');
	return `<p>While the provider’s model answers, a secret key makes some continuations slightly more likely (the shape channel, which a student learns) and decides the draw among them (the choice channel, which identifies a text). Each distinct pair of context and next token is scored once under the key; what a suspect was given does not count.</p>
<p>The null hypothesis is: the text was produced without access to anything marked under this key. The only randomness that is relied on is that of the key. Nothing is assumed about language, so p is exact, or an upper bound, whatever the text. An account that text was served to has a secret codeword in it; accounts are judged by the randomness of codewords, whatever the text. In a trial of served and unserved answers a keyed coin decided which of two answers was served, and a suspect that never saw them prefers either with probability one half.</p>
<p>A verdict is reached at an error rate of ${levels}, corrected for all marks and documents of a test and for the ${tests.length} test${tests.length === 1 ? '' : 's'} of this bundle (Bonferroni).</p>
<h3>What could be wrong</h3>
<ul class="limits"><li>Answers that are not the suspect’s: how they were collected is not shown by statistics, only by who signs for it.</li><li>Prompts that held marked text and are not in the files: the suspect would repeat it.</li><li>Tests that were tried and left out of the bundle: a p-value pays only for what is counted.</li><li>References or weights made with knowledge of the key.</li></ul>`;
}

function recompute(commands: readonly string[]): string {
	return `<p>With the files in a folder and the opened keys in a file, this checks every number on this page:</p>
<pre><code>touchmark evidence verify BUNDLE --corpus FOLDER --key KEYS</code></pre>
<p>It runs these commands in that folder, those that look for marks with <code>--spec KEYS</code>:</p>
<pre><code>${commands.map(escapeHtml).join('\n')}</code></pre>`;
}
