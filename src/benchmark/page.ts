/**
 * A benchmark as one self-contained HTML page.
 *
 * @module
 */
import { escapeHtml } from '../evidence/html.js';
import { decimalText, logText, rateText } from '../evidence/number-text.js';
import { data, renderPage, resultsTable, section } from '../evidence/page.js';
import type { BenchmarkResult, BenchmarkRun } from './benchmark-result.js';
import { evidenceDomain, renderEvidence, renderPower } from './plots.js';

export interface BenchmarkPage {
	readonly result: BenchmarkResult;
	/** Of touchmark. */
	readonly version: string;
	/** ISO 8601 time. */
	readonly generatedAt: string;
	readonly seconds: number;
}

/** Renders the page. Pure: the same data give the same page, and all text in the data is escaped. */
export function renderBenchmark({ result, version, generatedAt, seconds }: BenchmarkPage): string {
	const body = [
		section('summary', 'In short', summary(result)),
		section('plots', 'What was found', plots(result)),
		section('findings', 'Beside the truth', findings(result)),
		section('speed', 'Speed and memory', speed(result)),
		section('method', 'Method', method(result)),
	];
	return renderPage({ title: 'Touchmark benchmark', version, generatedAt, seconds, body: body.join('\n') });
}

const whole = (value: number) => data(value, decimalText(value, 0));
const rounded = (value: number) => data(Math.round(value), decimalText(Math.round(value), 0));

function summary({ all, runs, fdr, made }: BenchmarkResult): string {
	const [{ records, tokens }] = runs;
	return `<p class="lead">${rounded(all.tokensPerSecond)} tokens and ${rounded(all.recordsPerSecond)} records a second, in ${mebibytes(all.peakRssBytes)}. Of ${whole(all.planted)} planted records ${whole(all.found)} were found; ${whole(all.falsePositives)} others were reported.</p>
<p>The corpus${made ? ' was made up and' : ''} has ${decimalText(records, 0)} records with ${decimalText(tokens, 0)} tokens. Of the reported records ${data(all.falseDiscoveryRate, `${decimalText(100 * all.falseDiscoveryRate, 1)} %`)} are wrong on average; the scan promises at most ${decimalText(100 * fdr, 1)} %. Its lower bound of marked records held in ${all.markedAtLeastHeld} of ${runs.length} scans, that of the marked share in ${all.shareLower95Held}; it promises 95 %.</p>`;
}

function plots({ power, evidence }: BenchmarkResult): string {
	const domain = evidenceDomain(evidence);
	const figure = (name: string, text: string, svg: string) =>
		`<figure><figcaption><strong>${name}</strong>${text}</figcaption>${svg}</figure>`;
	const { planted, plantedWithout, others, othersWithout } = evidence;
	return `<div class="panels">
${figure('Found, by length', 'Share of the planted records that is reported.', renderPower(power, 'power'))}
${figure('Evidence of planted records', `${decimalText(plantedWithout, 0)} more have none.`, renderEvidence(planted, plantedWithout, domain, 'planted', 'planted'))}
${figure('Evidence of other records', `${decimalText(othersWithout, 0)} more have none.`, renderEvidence(others, othersWithout, domain, 'others', 'others'))}
</div>`;
}

function name({ seed }: BenchmarkRun): string {
	return `<bdi>${escapeHtml(seed)}</bdi>`;
}

function findings({ runs }: BenchmarkResult): string {
	const columns = [
		'Seed',
		'Planted',
		'Found',
		'Wrong',
		'log₁₀ p',
		'Marked, at least',
		'Share, at least; planted',
	];
	const cells = runs.map((run) => [
		name(run),
		whole(run.planted),
		whole(run.found),
		whole(run.falsePositives),
		data(run.log10P, logText(run.log10P)),
		whole(run.markedAtLeast),
		`${percent(run.shareLower95)}; ${percent(run.plantedShare)}`,
	]);
	const caption =
		'Wrong are reported records that were not planted. p is that of the corpus, corrected for the number of tests. Shares are of distinct windows.';
	return resultsTable(caption, columns, new Set([1, 2, 3, 4, 5]), cells);
}

function speed({ runs }: BenchmarkResult): string {
	const columns = ['Seed', 'Tokens', 'Seconds', 'Tokens a second', 'Records a second', 'Peak memory'];
	const cells = runs.map((run) => [
		name(run),
		whole(run.tokens),
		data(run.seconds, decimalText(run.seconds, 1)),
		rounded(run.tokensPerSecond),
		rounded(run.recordsPerSecond),
		mebibytes(run.peakRssBytes),
	]);
	return resultsTable('Each scan is a process of its own.', columns, new Set([1, 2, 3, 4]), cells);
}

function mebibytes(bytes: number): string {
	return data(bytes, `${decimalText(bytes / 2 ** 20, 0)} MiB`);
}

function percent(share: number): string {
	return data(share, `${decimalText(100 * share, 2)} %`);
}

function method({ made, share, level, fdr }: BenchmarkResult): string {
	const corpus = made
		? 'The corpus was drawn from pairs of tokens in unmarked texts of the embedded model and its prompts, in records of 30 to 400 tokens. Real text repeats itself more.'
		: 'The corpus was given; nothing in it was written under the keys of this benchmark.';
	return `<p>${corpus} The first scan has no planted records. For each of the others the embedded model wrote new records under new keys, a share of ${rateText(share)} of the corpus, 30 to 400 tokens each; every length is as likely as any other on a logarithmic scale. Text is read with the embedded tokenizer. Its vocabulary is small, so a text has more tokens than under a large one, and the embedded model chooses among many tokens: marks of a model that is surer of its next token need longer records.</p>
<p>Records are reported at a false discovery rate of ${rateText(fdr)}, the corpus at a level of ${rateText(level)}. Time is that of the whole process, its start included; a small corpus is scanned more slowly than a large one. Throughput is the median of the scans, memory the greatest peak of the resident size.</p>`;
}
