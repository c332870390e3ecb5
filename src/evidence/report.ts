/**
 * The report: one self-contained HTML page that a person without the key, the network or a script can read.
 *
 * @module
 */
import { newHistogramFrame, renderHistogram } from './histogram.js';
import { escapeHtml } from './html.js';
import { decimalText, logText, oddsText, rateText } from './number-text.js';
import { data, renderPage, resultsTable, section } from './page.js';
import { type Passage, renderPassage } from './passage-view.js';
import { kindOf, verdictCell } from './verdict-words.js';

/** One suspect in a report. */
export interface ReportSuspect {
	readonly suspect: string;
	/** Whether it was trained on text marked with the key under test. */
	readonly trainedOnMarked: boolean;
	/** Distinct (context, token) pairs scored. */
	readonly scored: number;
	/** Mean score of a pair; null when nothing was scored. */
	readonly mean: number | null;
	/** Its value under the null hypothesis. */
	readonly expected: number;
	readonly log10P: number;
	/** Rank of the true key among count + 1 keys; 1 = highest. */
	readonly heldOut: { readonly count: number; readonly rank: number };
	/** One of the closed set of verdicts; anything else is shown as it is, and counts as no finding. */
	readonly verdict: string;
	/** Other explanations that the test cannot rule out, e.g. `relay`. */
	readonly alternatives: readonly string[];
	/** log₁₀ p of the same text under keys never deployed. */
	readonly heldOutLog10Ps: readonly number[];
}

/** One suspect of a trial of served and unserved answers. */
export interface ReportExposure {
	readonly suspect: string;
	/** Whether it was trained on the answers that were served. */
	readonly trainedOnServed: boolean;
	/** Pairs, and those of them without a preference. */
	readonly pairs: number;
	readonly ties: number;
	readonly servedPreferred: number;
	readonly log10P: number;
	/** What is taken on trust, e.g. `exchangeable-redraw`. */
	readonly assumptions: readonly string[];
	/** As in {@link ReportSuspect}. */
	readonly verdict: string;
}

/** Everything on the page. */
export interface ReportData {
	readonly title: string;
	/** Of touchmark. */
	readonly version: string;
	/** ISO 8601 time. */
	readonly generatedAt: string;
	/** How long the run took. */
	readonly seconds: number;
	/** Error rate of a verdict, e.g. 1e-6. */
	readonly level: number;
	readonly suspects: readonly ReportSuspect[];
	/** Trials; the section is left out without any. */
	readonly exposure?: readonly ReportExposure[];
	readonly passage: Passage;
	/** How to recompute the numbers. */
	readonly commands: readonly string[];
}

/**
 * Renders the page. Pure: the same data give the same page, and all text in the data is escaped.
 *
 * @example
 * writeFileSync('report.html', renderReport(data));
 */
export function renderReport(data: ReportData): string {
	const { version, generatedAt, seconds } = data;
	return renderPage({
		...{ title: data.title, version, generatedAt, seconds },
		body: `${section('found', 'What was found', summary(data))}
${section('suspects', 'The suspects', table(data.suspects))}
${section('held-out', 'The same text under keys that were never deployed', panels(data))}
${data.exposure === undefined || data.exposure.length === 0 ? '' : `${section('exposure', 'Answers that were served, and answers that were not', exposureTable(data.exposure))}\n`}${section('passage', 'What a mark looks like', renderPassage(data.passage))}
${section('method', 'Method, and how to check it', method(data))}`,
	});
}

function names(suspects: readonly { readonly suspect: string }[]): string {
	return suspects.map(({ suspect }) => `“<bdi>${escapeHtml(suspect)}</bdi>”`).join(', ');
}

function counted(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function summary({ suspects, level }: ReportData): string {
	if (suspects.length === 0) return '<p class="lead">No suspect was tested.</p>';
	const found = suspects.filter(({ verdict }) => kindOf(verdict) === 'found');
	const trained = suspects.filter(({ trainedOnMarked }) => trainedOnMarked);
	const others = suspects.length - trained.length;
	const hits = found.filter(({ trainedOnMarked }) => trainedOnMarked).length;
	const relays = suspects.filter(({ alternatives }) => alternatives.includes('relay'));
	const result = found.length === 0 ? 'none of them' : `${found.length} (${names(found)})`;
	const lead = `Touchmark tested ${counted(suspects.length, 'suspect')} for the mark of the key and found it in ${result}; a suspect that never had access to anything marked with the key would be found with a probability of at most ${oddsText(level)}.`;
	const truth = [
		trained.length > 0 ? `${hits} of ${trained.length} trained on text marked with the key` : '',
		others > 0 ? `${found.length - hits} of ${others} trained without it` : '',
	].filter(Boolean);
	const limits = [
		'“No evidence” does not mean “not distilled”: training on little marked text, or on text that was rewritten, can leave too little to be seen.',
		relays.length > 0
			? `A finding cannot by itself exclude that a suspect relays the provider’s API, rewriting its answers, instead of having been trained on them. This holds for: ${names(relays)}.`
			: '',
		'A finding says that marked text was used, not how the suspect came by it: marked text that others published reaches innocent parties too.',
	].filter(Boolean);
	return `<p class="lead">${lead}</p>
<p>How each suspect was trained is known here, so the test can be judged: it found ${truth.join(', and ')}.</p>
<h3>What this does not show</h3>
<ul class="limits">${limits.map((limit) => `<li>${limit}</li>`).join('')}</ul>`;
}

function table(suspects: readonly ReportSuspect[]): string {
	const columns = [
		'Suspect',
		'Trained on',
		'Tokens scored',
		'Mean score (null)',
		'log₁₀ p',
		'Rank among keys',
		'Verdict',
	];
	const caption =
		'Each distinct pair of context and token that a suspect wrote is scored once. “Marked” means marked with the key under test. The null value of the mean is what a suspect without access to marked text tends to. log₁₀ p = −6 means a chance of one in a million. Rank 1 is the highest score.';
	return resultsTable(caption, columns, new Set([2, 3, 4, 5]), suspects.map(cellsOf));
}

function exposureTable(rows: readonly ReportExposure[]): string {
	const redrawn = rows.filter(({ assumptions }) => assumptions.includes('exchangeable-redraw'));
	const columns = ['Suspect', 'Trained on', 'Pairs', 'Served preferred', 'log₁₀ p', 'Verdict'];
	const caption =
		'A pair is two complete answers of the provider’s model to one request. A keyed coin chose which one was served; nobody saw the other. A suspect prefers the answer that it finds likelier than reference models lead one to expect. One that never saw the served answers prefers them half of the time, whatever the texts: it cannot know the coin.';
	const note =
		redrawn.length === 0
			? ''
			: `\n<p class="meta">Assumed, not enforced by a coin, for ${names(redrawn)}: the second answers were drawn afterwards, from the same model and settings, so that either could have been the first.</p>`;
	const cells = rows.map((row) => [
		`<bdi>${escapeHtml(row.suspect)}</bdi>`,
		row.trainedOnServed ? 'these served answers' : 'other text',
		data(row.pairs, decimalText(row.pairs, 0)),
		`${data(row.servedPreferred, decimalText(row.servedPreferred, 0))} of ${decimalText(row.pairs - row.ties, 0)}`,
		data(row.log10P, logText(row.log10P)),
		verdictCell(row.verdict),
	]);
	return `${resultsTable(caption, columns, new Set([2, 3, 4]), cells)}${note}`;
}

function cellsOf(row: ReportSuspect): string[] {
	const alternatives = row.alternatives.map(escapeHtml).join(', ');
	return [
		`<bdi>${escapeHtml(row.suspect)}</bdi>`,
		row.trainedOnMarked ? 'marked text' : 'other text',
		data(row.scored, decimalText(row.scored, 0)),
		`${row.mean === null ? 'nothing scored' : data(row.mean, decimalText(row.mean, 4))} (${decimalText(row.expected, 2)})`,
		data(row.log10P, logText(row.log10P)),
		row.heldOut.count === 0 ? 'not ranked' : `${row.heldOut.rank} of ${row.heldOut.count + 1}`,
		`${verdictCell(row.verdict)}${alternatives && `<span class="aside">cannot rule out: ${alternatives}</span>`}`,
	];
}

function panels({ suspects, level }: ReportData): string {
	const frame = newHistogramFrame(suspects, level);
	const figures = suspects.map((suspect, i) => {
		const { heldOutLog10Ps: held } = suspect;
		const strongest = held.reduce((least, p) => Math.min(least, p), 0);
		const beyond = held.filter((p) => p <= suspect.log10P).length;
		const place =
			held.length === 0
				? 'No held-out keys were tried.'
				: beyond === 0
					? `The true key lies beyond all ${held.length} held-out keys (the strongest of them: ${logText(-strongest)}).`
					: `${beyond} of ${counted(held.length, 'held-out key')} lie at or beyond the true key.`;
		const broken = -suspect.log10P > frame.limit ? ' The axis is broken: not to scale beyond the break.' : '';
		return `<figure>
<figcaption><strong><bdi>${escapeHtml(suspect.suspect)}</bdi></strong>${place}${broken}</figcaption>
${renderHistogram(suspect, frame, `histogram-${i}`, suspect.suspect)}
</figure>`;
	});
	return `<p>Keys that were never deployed can have left no trace, so they show what chance does with this very text. Grey bars count those keys; the dotted outline is what theory expects of them; the heavy line is the true key. A verdict needs the true key to the right of the dashed line, by as much as the correction for the number of marks tested demands. All panels have the same axes.</p>
<div class="panels">
${figures.join('\n')}
</div>`;
}

function method({ suspects, level, commands }: ReportData): string {
	const keys = Math.max(0, ...suspects.map(({ heldOut }) => heldOut.count));
	const rank =
		keys === 0
			? ''
			: ` The rank among ${keys + 1} keys is a check that needs no theory, and cannot give a p-value below 1 in ${keys + 1}; the ${keys} others are derived from the digest of the tested text, so that nobody can draw again.`;
	const union =
		suspects.length > 1
			? ` Over the ${suspects.length} suspects together it is at most ${suspects.length} times as large.`
			: '';
	const recompute =
		commands.length === 0
			? ''
			: `<h3>Recompute</h3>
<pre><code>${commands.map(escapeHtml).join('\n')}</code></pre>`;
	return `<p>While the provider’s model answers, a secret key makes some continuations slightly more likely (the shape channel, which a student learns) and decides the draw among them (the choice channel, which identifies a text). Each distinct pair of context and next token that a suspect wrote is scored once under the key, and contexts that its prompt contained are left out.</p>
<p>The null hypothesis is: the suspect’s text was produced without access to anything marked under this key. The only randomness relied on is that of the key. Nothing is assumed about language, so p is exact, or an upper bound, whatever the text; no normal approximation is used.${rank}</p>
<p>A verdict is reached at an error rate of ${rateText(level)} for each suspect, corrected for the number of marks tested.${union}</p>
${recompute}`;
}
