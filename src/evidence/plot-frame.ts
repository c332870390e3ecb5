/**
 * The frame of a small plot, as inline SVG: its size, title and description for screen readers, axes and ticks. Colours come
 * from the page's CSS.
 *
 * @module
 */

/** Width and height of the drawing. */
const WIDTH = 340;
const HEIGHT = 190;
/** Where the axes lie. */
export const LEFT = 46;
export const RIGHT = WIDTH - 8;
export const TOP = 28;
export const BASE = HEIGHT - 38;

/** A coordinate. */
export const at = (value: number) => value.toFixed(1);

/**
 * A plot; all texts are HTML.
 *
 * @param id unique on the page
 * @param names of the axes
 * @param parts what is drawn, the first one lowest
 */
export function plot(
	id: string,
	title: string,
	description: string,
	{ x, y }: { readonly x: string; readonly y: string },
	parts: readonly string[],
): string {
	return [
		`<svg class="histogram" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="${id}-title ${id}-text">`,
		`<title id="${id}-title">${title}</title>`,
		`<desc id="${id}-text">${description}</desc>`,
		...parts,
		`<path class="axis" d="M${LEFT},${BASE}H${RIGHT}"/>`,
		`<text x="${(LEFT + RIGHT) / 2}" y="${HEIGHT - 5}" text-anchor="middle">${x}</text>`,
		`<text x="2" y="14">${y}</text>`,
		'</svg>',
	].join('');
}

/** A number on the vertical axis, with a line across. */
export function yTick(y: number, text: string): string {
	return `<path class="grid" d="M${LEFT},${at(y)}H${RIGHT}"/><text x="${LEFT - 5}" y="${at(y + 3.5)}" text-anchor="end">${text}</text>`;
}

/** A number on the horizontal axis. */
export function xTick(x: number, text: string): string {
	return `<path class="axis" d="M${at(x)},${BASE}v4"/><text x="${at(x)}" y="${BASE + 16}" text-anchor="middle">${text}</text>`;
}
