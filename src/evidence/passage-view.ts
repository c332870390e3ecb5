/**
 * A passage as HTML, each token shaded by its score in the choice channel and underlined when it is on the green list.
 *
 * The numbers themselves are in the tooltip of each token, and in a table that opens below: that is what a keyboard
 * and a screen reader use, so that the passage itself is read as plain text.
 *
 * @module
 */
import { escapeHtml } from './html.js';
import { decimalText } from './number-text.js';

/** A passage to show. */
export interface Passage {
	readonly title: string;
	readonly tokens: readonly PassageToken[];
}

/** One token of a passage. */
export interface PassageToken {
	readonly text: string;
	/** On the shape channel's green list; null = not scored. */
	readonly green: boolean | null;
	/** Score of the choice channel, −ln of the token's own p-value, nats (mean at most 1 without a mark); null = not scored. */
	readonly nats: number | null;
}

/** Shades: lower edge in nats, and the legend. */
const SHADES = [
	{ from: 0, label: 'below 1' },
	{ from: 1, label: '1 to 2' },
	{ from: 2, label: '2 to 3' },
	{ from: 3, label: '3 to 5' },
	{ from: 5, label: '5 or more' },
] as const;

/** Legend, passage and table of a passage. */
export function renderPassage({ title, tokens }: Passage): string {
	if (tokens.length === 0) return '<p>No passage was given.</p>';
	return `<figure>
<figcaption><strong><bdi>${escapeHtml(title)}</bdi></strong>. ${summary(tokens)}</figcaption>
${legend()}
<p class="passage" dir="auto">${tokens.map(mark).join('')}</p>
</figure>
<details>
<summary>The score of each token as a table</summary>
<table class="tokens">
<caption>Tokens of the passage in order. ␣ is a space, ↵ a line break.</caption>
<thead><tr><th scope="col">No.</th><th scope="col">Token</th><th scope="col">Green list</th><th scope="col">Choice score, nats</th></tr></thead>
<tbody>
${tokens.map(row).join('\n')}
</tbody>
</table>
</details>`;
}

function mark(token: PassageToken): string {
	const classes = [
		token.nats === null
			? 'unscored'
			: `shade-${SHADES.findLastIndex(({ from }) => from <= Math.max(0, token.nats!))}`,
		token.green === null ? 'no-list' : token.green ? 'green' : '',
	];
	const tip = `choice: ${natsText(token)}; ${greenText(token) === 'not scored' ? 'green list: not scored' : greenText(token) === 'yes' ? 'on the green list' : 'not on the green list'}`;
	return `<span class="${classes.join(' ').trim()}" title="${tip}">${escapeHtml(token.text)}</span>`;
}

function row(token: PassageToken, index: number): string {
	const visible = escapeHtml(token.text).replace(/ /g, '␣').replace(/\r?\n/g, '↵').replace(/\t/g, '⇥');
	return `<tr><td>${index + 1}</td><th scope="row"><bdi>${visible || '(part of the next)'}</bdi></th><td>${greenText(token)}</td><td>${natsText(token, '')}</td></tr>`;
}

function natsText({ nats }: PassageToken, unit = ' nats'): string {
	return nats === null ? 'not scored' : `${decimalText(nats, 2)}${unit}`;
}

function greenText({ green }: PassageToken): 'not scored' | 'yes' | 'no' {
	return green === null ? 'not scored' : green ? 'yes' : 'no';
}

function summary(tokens: readonly PassageToken[]): string {
	const nats = tokens.map((token) => token.nats).filter((value) => value !== null);
	const greens = tokens.map((token) => token.green).filter((value) => value !== null);
	const parts: string[] = [];
	if (nats.length > 0) {
		const mean = nats.reduce((sum, value) => sum + value, 0) / nats.length;
		parts.push(
			`Mean choice score ${decimalText(mean, 2)} nats over ${nats.length} tokens. Without the mark it is at most 1 on average, and on average at most 5 % of tokens reach 3 nats and fewer than 1 % reach 5.`,
		);
	}
	if (greens.length > 0)
		parts.push(`${greens.filter(Boolean).length} of ${greens.length} tokens are on the green list.`);
	return parts.join(' ');
}

function legend(): string {
	const shades = SHADES.map(
		({ label }, index) => `<li><span class="swatch shade-${index}">${label}</span></li>`,
	);
	return `<ul class="legend" aria-label="Legend">
<li>choice score, nats:</li>${shades.join('')}
<li><span class="unscored">grey: not scored</span></li>
<li><span class="green">underlined: on the green list</span></li>
<li><span class="no-list">dotted: list not scored</span></li>
</ul>`;
}
