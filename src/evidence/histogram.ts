/**
 * The null histogram: −log₁₀ p of one text under keys that were never deployed, and where the true key lies.
 *
 * All panels of a page share one frame, so that they can be compared by eye. A true key far beyond the held-out keys
 * stands behind a break in the axis, with its value written under it: there the drawing is not to scale, and says so.
 *
 * @module
 */
import { bin, max, range } from 'd3-array';
import { scaleLinear } from 'd3-scale';
import { escapeHtml } from './html.js';
import { logText, rateText } from './number-text.js';

/** What one panel shows. */
export interface NullSample {
	/** log₁₀ p under the true key. */
	readonly log10P: number;
	/** log₁₀ p of the same text under keys never deployed. */
	readonly heldOutLog10Ps: readonly number[];
}

/** The axes that the panels of one page share. */
export interface HistogramFrame {
	/** Error rate of a verdict; drawn as a line. */
	readonly level: number;
	/** Where the linear axis ends, in units of −log₁₀ p. */
	readonly limit: number;
	/** Width of a bin. */
	readonly step: number;
	/** Count at the top of the vertical axis. */
	readonly tallest: number;
}

const WIDTH = 340;
const HEIGHT = 190;
const LEFT = 34;
const TOP = 36;
const BASE = HEIGHT - 38;
/** Where the linear axis ends and where the strip behind its break begins and ends. */
const END = 282;
const STRIP = { from: 292, middle: 312, to: 336 };
/** No held-out key gets here unless something is wrong; those that do are counted behind the break. */
const FARTHEST = 40;

/** Strength of evidence: −log₁₀ p, and never below zero. */
function strength(log10P: number): number {
	return Math.max(0, -log10P || 0);
}

/** The frame that fits every sample of a page. */
export function newHistogramFrame(samples: readonly NullSample[], level: number): HistogramFrame {
	const held = samples.flatMap((sample) => sample.heldOutLog10Ps.map(strength));
	const limit = Math.min(
		FARTHEST,
		Math.max(Math.ceil(strength(Math.log10(level))) + 1, Math.ceil(max(held) ?? 0), 3),
	);
	const step = limit <= 10 ? 0.25 : limit <= 20 ? 0.5 : 1;
	const counts = samples.flatMap((sample) => {
		const bins = binned(sample, { limit, step });
		return bins.flatMap(({ count, expected }) => [count, expected]);
	});
	return { level, limit, step, tallest: Math.max(4, Math.ceil(max(counts) ?? 0)) };
}

/** Held-out keys between two strengths, and how many the theory expects there: P(−log₁₀ p ≥ x) is at most 10^−x. */
function binned({ heldOutLog10Ps }: NullSample, { limit, step }: Pick<HistogramFrame, 'limit' | 'step'>) {
	const strengths = heldOutLog10Ps.map(strength).filter((x) => x <= limit);
	return bin()
		.domain([0, limit])
		.thresholds(range(step, limit, step))(strengths)
		.map((members) => {
			const from = members.x0 ?? 0;
			const to = members.x1 ?? limit;
			return { from, to, count: members.length, expected: heldOutLog10Ps.length * (10 ** -from - 10 ** -to) };
		});
}

/**
 * One panel as inline SVG, with a title and a description for screen readers. Colours come from the page's CSS.
 *
 * @param id unique on the page
 * @param name of the suspect
 */
export function renderHistogram(sample: NullSample, frame: HistogramFrame, id: string, name: string): string {
	const { limit, tallest } = frame;
	const x = scaleLinear().domain([0, limit]).range([LEFT, END]);
	const y = scaleLinear().domain([0, tallest]).range([BASE, TOP]);
	const bins = binned(sample, frame);
	const beyond = sample.heldOutLog10Ps.length - bins.reduce((sum, { count }) => sum + count, 0);
	const truth = strength(sample.log10P);
	const broken = truth > limit || beyond > 0;
	const at = (value: number) => value.toFixed(1);

	const bars = bins
		.filter(({ count }) => count > 0)
		.map(
			({ from, to, count }) =>
				`<rect class="bar" x="${at(x(from) + 0.5)}" y="${at(y(count))}" width="${at(x(to) - x(from) - 1)}" height="${at(BASE - y(count))}"/>`,
		);
	if (beyond > 0)
		bars.push(
			`<rect class="bar" x="${STRIP.from}" y="${at(y(Math.min(beyond, tallest)))}" width="12" height="${at(BASE - y(Math.min(beyond, tallest)))}"/>`,
			`<text x="${STRIP.from + 6}" y="${at(y(Math.min(beyond, tallest)) - 4)}" text-anchor="middle">${beyond}</text>`,
		);
	const theory =
		sample.heldOutLog10Ps.length === 0
			? ''
			: `<path class="theory" d="M${bins.map(({ from, to, expected }) => `${at(x(from))},${at(y(expected))}H${at(x(to))}`).join('L')}"/>`;

	const xTicks = x
		.ticks(7)
		.map(
			(tick) =>
				`<path class="axis" d="M${at(x(tick))},${BASE}v4"/><text x="${at(x(tick))}" y="${BASE + 16}" text-anchor="middle">${tick}</text>`,
		);
	const yTicks = y
		.ticks(3)
		.filter(Number.isInteger)
		.map(
			(tick) =>
				`<path class="grid" d="M${LEFT},${at(y(tick))}H${END}"/><text x="${LEFT - 5}" y="${at(y(tick) + 3.5)}" text-anchor="end">${tick}</text>`,
		);
	const axis = `<path class="axis" d="M${LEFT},${BASE}H${END}${broken ? `M${STRIP.from - 4},${BASE}H${STRIP.to}M${END - 3},${BASE + 5}l6,-10M${STRIP.from - 7},${BASE + 5}l6,-10` : ''}"/>`;
	const levelAt = strength(Math.log10(frame.level));
	const level =
		levelAt > limit
			? ''
			: `<path class="level" d="M${at(x(levelAt))},${TOP - 8}V${BASE}"/>${labelBeside(x(levelAt), TOP - 1, `level ${rateText(frame.level)}`)}`;
	const truthAt = truth > limit ? STRIP.middle + 6 : x(truth);
	const key = [
		`<path class="truth" d="M${at(truthAt)},6V${BASE}"/>`,
		labelBeside(truthAt, 14, `true key: ${logText(truth)}`, 'truth-label'),
		truth > limit
			? `<text class="truth-label" x="${at(truthAt)}" y="${BASE + 16}" text-anchor="middle">${logText(truth)}</text>`
			: '',
	];
	return [
		`<svg class="histogram" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-text">`,
		`<title id="${id}-title">Null histogram of ${escapeHtml(name)}</title>`,
		`<desc id="${id}-text">${describe(sample, bins, beyond, truth)}</desc>`,
		...yTicks,
		...bars,
		theory,
		axis,
		...xTicks,
		level,
		...key,
		`<text x="${(LEFT + END) / 2}" y="${HEIGHT - 5}" text-anchor="middle">−log₁₀ p (further right: stronger evidence)</text>`,
		`<text x="2" y="${TOP - 8}">keys</text>`,
		'</svg>',
	].join('');
}

/** The label of a vertical line, on the side where there is more room. */
function labelBeside(x: number, y: number, label: string, style = 'level-label'): string {
	const [offset, anchor] = x < WIDTH / 2 ? [5, 'start'] : [-5, 'end'];
	return `<text class="${style}" x="${(x + offset).toFixed(1)}" y="${y}" text-anchor="${anchor}">${label}</text>`;
}

function describe(
	sample: NullSample,
	bins: ReturnType<typeof binned>,
	beyond: number,
	truth: number,
): string {
	const filled = bins
		.filter(({ count }) => count > 0)
		.map(({ from, to, count }) => `${from} to ${to}: ${count}`);
	if (beyond > 0) filled.push(`beyond the axis: ${beyond}`);
	const held = filled.length === 0 ? 'No held-out keys.' : `Held-out keys by −log10 p: ${filled.join('; ')}.`;
	return `${held} The true key lies at ${logText(truth)}, ${sample.heldOutLog10Ps.filter((p) => p <= sample.log10P).length} of ${sample.heldOutLog10Ps.length} held-out keys at or beyond it.`;
}
