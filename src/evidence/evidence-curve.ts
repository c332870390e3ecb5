/**
 * An e-value from answer to answer, on a logarithmic scale, with the line that a verdict needs.
 *
 * @module
 */
import { extent } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import type { EvidenceCurve } from './exhibits.js';
import { escapeHtml } from './html.js';
import { decimalText, logText } from './number-text.js';

const WIDTH = 340;
const HEIGHT = 190;
const LEFT = 44;
const RIGHT = WIDTH - 12;
const TOP = 22;
const BASE = HEIGHT - 38;
/** Points that are drawn, at most. */
const DRAWN = 240;

/**
 * Inline SVG, with a title and a description for screen readers. Colours come from the page's CSS.
 *
 * @param id unique on the page
 * @param name of the suspect
 */
export function renderEvidenceCurve({ points, threshold }: EvidenceCurve, id: string, name: string): string {
	const last = points[points.length - 1];
	const [least = 0, most = 0] = extent(points, ({ log10E }) => log10E);
	const x = scaleLinear()
		.domain([0, Math.max(1, last.answers)])
		.range([LEFT, RIGHT]);
	const y = scaleLinear()
		.domain([Math.min(0, least), Math.max(threshold, most)])
		.nice()
		.range([BASE, TOP]);
	const at = (value: number) => value.toFixed(1);
	const step = Math.ceil(points.length / DRAWN);
	const drawn = points.filter((_, i) => i % step === 0 || i === points.length - 1);
	const line = drawn.map(({ answers, log10E }) => `${at(x(answers))},${at(y(log10E))}`).join('L');
	const xTicks = x
		.ticks(5)
		.filter(Number.isInteger)
		.map(
			(tick) =>
				`<path class="axis" d="M${at(x(tick))},${BASE}v4"/><text x="${at(x(tick))}" y="${BASE + 16}" text-anchor="middle">${decimalText(tick, 0)}</text>`,
		);
	const yTicks = y
		.ticks(4)
		.map(
			(tick) =>
				`<path class="grid" d="M${LEFT},${at(y(tick))}H${RIGHT}"/><text x="${LEFT - 5}" y="${at(y(tick) + 3.5)}" text-anchor="end">${String(tick).replace('-', '−')}</text>`,
		);
	return [
		`<svg class="histogram" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-text">`,
		`<title id="${id}-title">Evidence from answer to answer, ${escapeHtml(name)}</title>`,
		`<desc id="${id}-text">${describe(drawn)} A verdict needs ${logText(threshold)}.</desc>`,
		...yTicks,
		`<path class="axis" d="M${LEFT},${BASE}H${RIGHT}"/>`,
		...xTicks,
		`<path class="level" d="M${LEFT},${at(y(threshold))}H${RIGHT}"/>`,
		`<text class="level-label" x="${RIGHT}" y="${at(y(threshold) - 4)}" text-anchor="end">level: ${logText(threshold)}</text>`,
		`<path class="truth" d="M${line}"/>`,
		`<text x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 5}" text-anchor="middle">answers</text>`,
		`<text x="2" y="12">log₁₀ e (higher: stronger evidence)</text>`,
		'</svg>',
	].join('');
}

/** Some of the points in words. */
function describe(points: EvidenceCurve['points']): string {
	const some = [0.25, 0.5, 0.75, 1].map((share) => points[Math.round(share * (points.length - 1))]);
	return `log10 of the e-value: ${some.map(({ answers, log10E }) => `${logText(log10E)} after ${answers} answers`).join(', ')}.`;
}
