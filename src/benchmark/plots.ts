/**
 * The plots of a benchmark's page, as inline SVG. Colours come from the page's CSS.
 *
 * @module
 */
import { bin, max, ticks } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { decimalText } from '../evidence/number-text.js';
import { at, BASE, LEFT, plot, RIGHT, TOP, xTick, yTick } from '../evidence/plot-frame.js';
import type { BenchmarkResult } from './benchmark-result.js';

/** Bins of a histogram, about. */
const BINS = 24;

function bar(style: string, x: number, y: number, width: number): string {
	return `<rect class="${style}" x="${at(x)}" y="${at(y)}" width="${at(width)}" height="${at(BASE - y)}"/>`;
}

/** Share of the planted records that is found, by length. */
export function renderPower(power: BenchmarkResult['power'], id: string): string {
	const y = scaleLinear().domain([0, 1]).range([BASE, TOP]);
	const step = (RIGHT - LEFT) / power.length;
	const parts = [0, 0.5, 1].map((tick) => yTick(y(tick), `${100 * tick} %`));
	for (const [i, { from, to, planted, found }] of power.entries()) {
		const middle = LEFT + (i + 0.5) * step;
		const top = y(planted === 0 ? 0 : found / planted);
		if (found > 0) parts.push(bar('bar planted', middle - 0.3 * step, top, 0.6 * step));
		const count = planted === 0 ? 'none' : `${decimalText(found, 0)} of ${decimalText(planted, 0)}`;
		parts.push(
			`<text x="${at(middle)}" y="${at(top - 4)}" text-anchor="middle">${count}</text>`,
			`<text x="${at(middle)}" y="${BASE + 16}" text-anchor="middle">${from}–${to}</text>`,
		);
	}
	const told = power.map(({ from, to, planted, found }) => `${from} to ${to}: ${found} of ${planted}`);
	return plot(
		id,
		'Planted records found, by length',
		`Found, by tokens: ${told.join('; ')}.`,
		{ x: 'tokens of the record', y: 'found' },
		parts,
	);
}

/** The horizontal axis that histograms of e-values share: whole numbers at both ends. */
export function evidenceDomain({ planted, others }: BenchmarkResult['evidence']): [number, number] {
	// Both ascend, and may be too long to spread.
	const ends = [planted, others].flatMap((list) =>
		list.length === 0 ? [] : [list[0], list[list.length - 1]],
	);
	return [Math.floor(Math.min(0, ...ends)), Math.ceil(Math.max(1, ...ends))];
}

/**
 * A histogram of log₁₀ e-values.
 *
 * @param values that some records have
 * @param without records that have none: e = 0
 * @param domain of the axis
 * @param style `planted` for records that were planted
 */
export function renderEvidence(
	values: readonly number[],
	without: number,
	[low, high]: readonly [number, number],
	id: string,
	style: 'planted' | 'others',
): string {
	const x = scaleLinear().domain([low, high]).range([LEFT, RIGHT]);
	const bins = bin()
		.domain([low, high])
		.thresholds(ticks(low, high, BINS))(values);
	const tallest = Math.max(4, max(bins, ({ length }) => length) ?? 0);
	const y = scaleLinear().domain([0, tallest]).range([BASE, TOP]);
	const parts = y
		.ticks(3)
		.filter(Number.isInteger)
		.map((tick) => yTick(y(tick), decimalText(tick, 0)));
	const told: string[] = [];
	for (const members of bins) {
		if (members.length === 0) continue;
		const [from, to] = [members.x0 ?? low, members.x1 ?? high];
		told.push(`${from} to ${to}: ${members.length}`);
		const width = Math.max(1, x(to) - x(from) - 1);
		parts.push(bar(style === 'planted' ? 'bar planted' : 'bar', x(from) + 0.5, y(members.length), width));
	}
	for (const tick of x.ticks(6)) parts.push(xTick(x(tick), decimalText(tick, 0)));
	const list = told.length === 0 ? 'None has any.' : `By log10 of the e-value: ${told.join('; ')}.`;
	return plot(
		id,
		style === 'planted' ? 'Evidence of planted records' : 'Evidence of other records',
		`${list} Without evidence: ${without}.`,
		{ x: 'log₁₀ e (further right: stronger evidence)', y: 'records' },
		parts,
	);
}
