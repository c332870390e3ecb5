/**
 * An e-value that grows, answer by answer or pair by pair, on a logarithmic scale, with the line of the level.
 *
 * @module
 */
import { extent } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { escapeHtml } from './html.js';
import { decimalText, logText } from './number-text.js';
import { at, BASE, LEFT, plot, RIGHT, TOP, xTick, yTick } from './plot-frame.js';

/** How the evidence of one mark or trial grew. */
export interface EvidenceCurve {
	readonly suspect: string;
	/** A mark is looked for in answers, a trial has pairs. */
	readonly of: 'shape' | 'choice' | 'trial';
	/** log10 of the e-value that reaches the level, corrected for all marks, suspects and tests. */
	readonly threshold: number;
	/** log10 of the e-value after so many answers or pairs, ascending; the first is before any. */
	readonly points: readonly { readonly count: number; readonly log10E: number }[];
}

/** What is counted. */
export function unitOf({ of }: EvidenceCurve): 'answers' | 'pairs' {
	return of === 'trial' ? 'pairs' : 'answers';
}

/** Points that are drawn, at most. */
const DRAWN = 240;

/**
 * Inline SVG, with a title and a description for screen readers. Colours come from the page's CSS.
 *
 * @param id unique on the page
 * @param name of the suspect
 */
export function renderEvidenceCurve(curve: EvidenceCurve, id: string, name: string): string {
	const { points, threshold } = curve;
	const unit = unitOf(curve);
	const last = points[points.length - 1];
	const [least = 0, most = 0] = extent(points, ({ log10E }) => log10E);
	const x = scaleLinear()
		.domain([0, Math.max(1, last.count)])
		.range([LEFT, RIGHT]);
	const y = scaleLinear()
		.domain([Math.min(0, least), Math.max(threshold, most)])
		.nice()
		.range([BASE, TOP]);
	const step = Math.ceil(points.length / DRAWN);
	const drawn = points.filter((_, i) => i % step === 0 || i === points.length - 1);
	const line = drawn.map(({ count, log10E }) => `${at(x(count))},${at(y(log10E))}`).join('L');
	const xTicks = x.ticks(5).filter(Number.isInteger);
	return plot(
		id,
		`How the evidence grew, ${escapeHtml(name)}`,
		`${describe(drawn, unit)} The level is ${logText(threshold)}.`,
		{ x: unit, y: 'log₁₀ e (higher: stronger evidence)' },
		[
			...y.ticks(4).map((tick) => yTick(y(tick), String(tick).replace('-', '−'))),
			...xTicks.map((tick) => xTick(x(tick), decimalText(tick, 0))),
			`<path class="level" d="M${LEFT},${at(y(threshold))}H${RIGHT}"/>`,
			`<text class="level-label" x="${RIGHT}" y="${at(y(threshold) - 4)}" text-anchor="end">level: ${logText(threshold)}</text>`,
			`<path class="truth" d="M${line}"/>`,
		],
	);
}

/** Some of the points in words. */
function describe(points: EvidenceCurve['points'], unit: string): string {
	const some = [0.25, 0.5, 0.75, 1].map((share) => points[Math.round(share * (points.length - 1))]);
	return `log10 of the e-value: ${some.map(({ count, log10E }) => `${logText(log10E)} after ${count} ${unit}`).join(', ')}.`;
}
