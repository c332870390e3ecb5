/**
 * The figures of the bench `inheritance`: `docs/inheritance.svg`.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { max } from 'd3-array';
import { scaleLinear, scaleLog } from 'd3-scale';
import { writeWhole } from '../src/output.js';
import { type Cell, curvesOf, evidence, type Point, type Way } from './distillation/measured.js';
import { median, type Row } from './rows.js';

const PANEL = { width: 380, height: 250, left: 52, right: 12, top: 34, bottom: 44 };
const COLOURS = { ours: '#0b6e4f', less: '#7fb69f', published: '#b3541e', other: '#8a6fae' } as const;

const LINES = [
	{ procedure: 'weighted+students', colour: COLOURS.ours },
	{ procedure: 'weighted', colour: COLOURS.less },
	{ procedure: 'reading mode', colour: COLOURS.published },
	{ procedure: 'distinct and filtered', colour: COLOURS.published },
	{ procedure: 'one token a context', colour: COLOURS.other },
] as const;

const text = (x: number, y: number, words: string, anchor = 'middle', colour = '#333') =>
	`<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" fill="${colour}">${words}</text>`;

/** Axes of one panel, and what is drawn inside. */
function panel(
	column: number,
	row: number,
	title: string,
	labels: { readonly x: string; readonly y: string },
	ticks: { readonly x: readonly [number, string][]; readonly y: readonly [number, string][] },
	content: string,
): string {
	const { width, height, left, right, top, bottom } = PANEL;
	const base = height - bottom;
	const parts = [
		text(left, 18, title, 'start', '#000'),
		`<path d="M${left} ${top}V${base}H${width - right}" fill="none" stroke="#999"/>`,
		...ticks.x.map(([x, words]) => text(x, base + 15, words)),
		...ticks.y.map(([y, words]) => text(left - 5, y + 4, words, 'end')),
		text((left + width - right) / 2, height - 8, labels.x),
		`<text transform="translate(12 ${(top + base) / 2}) rotate(-90)" text-anchor="middle" fill="#333">${labels.y}</text>`,
		content,
	];
	return `<g transform="translate(${column * width} ${row * height})">${parts.join('')}</g>`;
}

/** Median evidence at each number of queries that most seeds were asked. */
function medians(curves: readonly (readonly Point[])[]): { queries: number; log10: number }[] {
	const all = [...new Set(curves.flatMap((points) => points.map(({ queries }) => queries)))].sort(
		(a, b) => a - b,
	);
	return all.flatMap((queries) => {
		const values = curves.flatMap((points) => points.filter((one) => one.queries === queries).map(evidence));
		return 2 * values.length > curves.length ? [{ queries, log10: median(values) }] : [];
	});
}

function curvesPanel(cell: Cell, way: Way, wanted: number, column: number, row: number): string {
	const { width, height, left, right, top, bottom } = PANEL;
	const lines = LINES.map(({ procedure, colour }) => ({
		procedure,
		colour,
		points: medians(curvesOf(cell, way, procedure)),
	})).filter(({ points }) => points.length > 0);
	const queries = lines.flatMap(({ points }) => points.map((point) => point.queries));
	const x = scaleLog()
		.domain([Math.min(...queries), Math.max(...queries)])
		.range([left, width - right]);
	const highest = Math.max(8, max(lines.flatMap(({ points }) => points.map(({ log10 }) => log10))) ?? 0);
	const y = scaleLinear()
		.domain([-1, highest])
		.range([height - bottom, top]);
	const drawn = lines.map(({ procedure, colour, points }, i) => {
		const path = points
			.map((point) => `${x(point.queries).toFixed(1)} ${y(point.log10).toFixed(1)}`)
			.join('L');
		return (
			`<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"/>` +
			text(left + 8, top + 12 + 14 * i, procedure, 'start', colour)
		);
	});
	const line = `<path d="M${left} ${y(wanted)}H${width - right}" stroke="#bbb" stroke-dasharray="4 3"/>`;
	return panel(
		column,
		row,
		`${way}, ρ = ${cell.rho}: ${cell.name}, ${cell.seeds.filter((one) => one[way]).length} seeds`,
		{ x: way === 'closed' ? 'tokens of answers' : 'positions', y: 'log₁₀ e (published: −log₁₀ p)' },
		{
			x: x
				.ticks(4)
				.flatMap((t): [number, string][] =>
					Number.isInteger(Math.log10(t)) ? [[x(t), t.toLocaleString('en')]] : [],
				),
			y: y.ticks(5).map((t): [number, string] => [y(t), String(t)]),
		},
		line + drawn.join(''),
	);
}

/** Evidence of a tenth marked against what the mark costs in distinct 2-grams. */
function qualityPanel(cells: readonly Cell[], column: number, row: number): string {
	const { width, height, left, right, top, bottom } = PANEL;
	const { rows } = JSON.parse(readFileSync(join(import.meta.dirname, 'results/quality.json'), 'utf8')) as {
		rows: Row[];
	};
	const ratioOf = (mark: string, what: string) =>
		rows.find((one) => one.case === `quality ${mark} ${what}`)?.ratio;
	const places = cells.flatMap((cell) => {
		if (cell.rho !== 0.1) return [];
		const distinct = ratioOf(cell.name, 'distinct 2-grams');
		const perplexity = ratioOf(cell.name, 'perplexity');
		const found = medians(curvesOf(cell, 'grey', 'weighted+students')).find((one) => one.queries === 5000);
		if (distinct === undefined || perplexity === undefined || found === undefined) return [];
		return [{ name: cell.name, distinct, fluent: 1 / perplexity <= 1.03, log10: found.log10 }];
	});
	const x = scaleLinear()
		.domain([0.8, 1.05])
		.range([left, width - right]);
	const y = scaleLinear()
		.domain([0, Math.max(8, max(places.map(({ log10 }) => log10)) ?? 0) * 1.05])
		.range([height - bottom, top]);
	const shown = places.filter(({ distinct }) => distinct >= 0.8);
	const dots = shown.map(({ name, distinct, fluent, log10 }) => {
		const colour = fluent && distinct >= 0.95 ? COLOURS.ours : COLOURS.published;
		const left = distinct > 0.93;
		return (
			`<circle cx="${x(distinct).toFixed(1)}" cy="${y(log10).toFixed(1)}" r="4" fill="${colour}"/>` +
			text(x(distinct) + (left ? -7 : 7), y(log10) + 4, name, left ? 'end' : 'start', colour)
		);
	});
	const limit = `<path d="M${x(0.95)} ${top}V${height - bottom}" stroke="#bbb" stroke-dasharray="4 3"/>`;
	return panel(
		column,
		row,
		'ρ = 0.1, 5,000 calls; green: within all limits of quality',
		{ x: 'distinct 2-grams, over those of unmarked text', y: 'log₁₀ e' },
		{
			x: x.ticks(5).map((t): [number, string] => [x(t), t.toFixed(2)]),
			y: y.ticks(5).map((t): [number, string] => [y(t), String(t)]),
		},
		limit + dots.join(''),
	);
}

/**
 * Draws the first mark's curves, and every mark's evidence against its cost.
 *
 * @param wanted evidence that a line is drawn at, log10 e
 */
export function writeFigures(cells: readonly Cell[], wanted: number): void {
	const [first] = cells;
	if (first === undefined) return;
	const at = (rho: number) => cells.find((cell) => cell.name === first.name && cell.rho === rho);
	const shown = [
		[0.1, 'grey'],
		[0.05, 'grey'],
		[0.1, 'open'],
		[0.1, 'closed'],
	] as const;
	const panels = shown.flatMap(([rho, way]) => {
		const cell = at(rho);
		return cell?.seeds.some((one) => one[way]) ? [{ cell, way }] : [];
	});
	const drawn = [
		...panels.map(({ cell, way }, i) => curvesPanel(cell, way, wanted, i % 2, Math.floor(i / 2))),
		qualityPanel(cells, panels.length % 2, Math.floor(panels.length / 2)),
	];
	const width = 2 * PANEL.width;
	const height = Math.ceil(drawn.length / 2) * PANEL.height;
	writeWhole(
		'docs/inheritance.svg',
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" role="img">` +
			`<title>Evidence of inheritance against queries, and against quality</title>` +
			`<rect width="${width}" height="${height}" fill="#fff"/>${drawn.join('')}</svg>\n`,
	);
}
