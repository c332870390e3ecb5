/**
 * What every page of ours has: the frame around its sections, and tables that turn into cards on a phone.
 *
 * @module
 */
import { escapeHtml } from './html.js';
import { decimalText } from './number-text.js';
import { PAGE_STYLE } from './page-style.js';

/** A page: text, but for `body`, which is HTML. */
export interface Page {
	readonly title: string;
	/** Of touchmark. */
	readonly version: string;
	/** ISO 8601 time. */
	readonly generatedAt: string;
	/** How long it was computed, where that is known. */
	readonly seconds?: number;
	readonly body: string;
}

/** A self-contained page that loads nothing and runs nothing. */
export function renderPage({ title: plain, version, generatedAt, seconds, body }: Page): string {
	const title = escapeHtml(plain);
	const computed = seconds === undefined ? '' : ` · computed in ${decimalText(seconds, 1)} s`;
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="generator" content="touchmark ${escapeHtml(version)}">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="meta">touchmark ${escapeHtml(version)} · <time datetime="${escapeHtml(generatedAt)}">${escapeHtml(timeText(generatedAt))}</time>${computed}</p>
</header>
<main>
${body}
</main>
<footer>Made by touchmark ${escapeHtml(version)}. This page is self-contained: it loads nothing and runs no script.</footer>
</body>
</html>
`;
}

/** An ISO time in UTC to the minute; anything else as it is. */
function timeText(time: string): string {
	return time.replace(/^([\d-]{10})T(\d\d:\d\d)[\d:.]*Z$/, '$1 $2 UTC');
}

/** A section with a heading; `body` is HTML. */
export function section(id: string, heading: string, body: string): string {
	return `<section id="${id}" aria-labelledby="${id}-heading">\n<h2 id="${id}-heading">${heading}</h2>\n${body}\n</section>`;
}

/** A table; the first cell of a row is its name. Cells are HTML. */
export function resultsTable(
	caption: string,
	columns: readonly string[],
	numeric: ReadonlySet<number>,
	cells: readonly (readonly string[])[],
): string {
	const classOf = (column: number) => (numeric.has(column) ? ' class="number"' : '');
	const rows = cells.map((row) => {
		const [name, ...others] = row.map((cell, i) =>
			i === 0
				? `<th role="rowheader" scope="row">${cell}</th>`
				: `<td role="cell"${classOf(i)} data-label="${columns[i]}"><span>${cell}</span></td>`,
		);
		return `<tr role="row">${name}${others.join('')}</tr>`;
	});
	// Roles are written out because some browsers drop those of tables that CSS turns into cards.
	return `<table class="results" role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map((column, i) => `<th role="columnheader" scope="col"${classOf(i)}>${column}</th>`).join('')}</tr></thead>
<tbody role="rowgroup">
${rows.join('\n')}
</tbody>
</table>`;
}

/** A number with its exact value for machines. */
export function data(value: number, text: string): string {
	return `<data value="${value}">${text}</data>`;
}
