/**
 * The figures of the bench `robustness`: `docs/robustness/*.svg`, one a scheme and one of students.
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { scaleLinear } from 'd3-scale';
import { writeWhole } from '../../src/output.js';
import { DEFAULT_LEVEL } from '../../src/verify/test-result.js';
import type { Curves, Measured, SchemeCurves, StudentCurves, Weighed } from './curves.js';

const FOLDER = 'docs/robustness';
const PANEL = { width: 390, height: 262, left: 64, right: 16, top: 36, bottom: 46 };
const HEAD = 30;
/** Left edge of bars: their names stand before it. */
const BARS = 176;

/** Okabe and Ito's colours, which the colour-blind tell apart; each line has a shape of its own too. */
const LINES = [
	{ attack: 'substitution', colour: '#d55e00', shape: 'circle' },
	{ attack: 'deletion', colour: '#0072b2', shape: 'square' },
	{ attack: 'insertion', colour: '#009e73', shape: 'triangle' },
] as const;
const LENGTHS = [
	{ length: 200, colour: '#cc79a7', shape: 'diamond' },
	{ length: 400, colour: '#e69f00', shape: 'square' },
] as const;
type Shape = 'circle' | 'square' | 'triangle' | 'diamond';

/** Attacks of single points, as bars. */
const SINGLE = [
	['none', 'from text', 'not attacked'],
	['synonyms', '50 %', 'synonyms, half'],
	['synonyms', '100 %', 'synonyms, all'],
	['sentences', 'shuffled', 'sentences shuffled'],
	['normalisation', 'lower case', 'lower case'],
	['normalisation', 'no punctuation', 'no punctuation'],
	['normalisation', 'both', 'both of these'],
	['re-tokenization', 'through another tokenizer', 'through another tokenizer'],
	['re-tokenization', 'read with another tokenizer', 'read with another one'],
	['look-alike letters', '5 % of them', 'look-alike letters, 5 %'],
	['look-alike letters', '20 % of them', 'look-alike letters, 20 %'],
] as const;

const n = (value: number) => value.toFixed(1);
const escaped = (words: string) => words.replace(/&/g, '&amp;').replace(/</g, '&lt;');

function text(x: number, y: number, words: string, anchor = 'middle', colour = '#333'): string {
	return `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" fill="${colour}">${escaped(words)}</text>`;
}

/** A mark on a line. @param hollow for a peer */
function marker(shape: Shape, x: number, y: number, colour: string, hollow: boolean): string {
	const style = `fill="${hollow ? '#fff' : colour}" stroke="${colour}" stroke-width="1.5"`;
	switch (shape) {
		case 'circle':
			return `<circle cx="${n(x)}" cy="${n(y)}" r="3.5" ${style}/>`;
		case 'square':
			return `<rect x="${n(x - 3.2)}" y="${n(y - 3.2)}" width="6.4" height="6.4" ${style}/>`;
		case 'diamond':
			return `<path d="M${n(x)} ${n(y - 4.6)}L${n(x + 4.6)} ${n(y)}L${n(x)} ${n(y + 4.6)}L${n(x - 4.6)} ${n(y)}Z" ${style}/>`;
		case 'triangle':
			return `<path d="M${n(x)} ${n(y - 4.2)}L${n(x + 4.2)} ${n(y + 3.4)}H${n(x - 4.2)}Z" ${style}/>`;
	}
}

/** A line through places. */
function line(
	places: readonly (readonly [number, number])[],
	colour: string,
	shape: Shape,
	hollow = false,
): string {
	if (places.length === 0) return '';
	const path = places.map(([x, y]) => `${n(x)} ${n(y)}`).join('L');
	const dashes = hollow ? ' stroke-dasharray="5 4"' : '';
	return (
		`<path d="M${path}" fill="none" stroke="${colour}" stroke-width="2"${dashes}/>` +
		places.map(([x, y]) => marker(shape, x, y, colour, hollow)).join('')
	);
}

interface Axis {
	readonly label: string;
	readonly ticks: readonly (readonly [number, string])[];
}

/** A place in the grid, a frame, and what is drawn inside. */
function panel(place: number, title: string, x: Axis, y: Axis, content: string): string {
	const { width, height, left, right, top, bottom } = PANEL;
	const base = height - bottom;
	const parts = [
		text(10, 18, title, 'start', '#000'),
		...y.ticks.map(
			([at, words]) =>
				`<path d="M${left} ${n(at)}H${width - right}" stroke="#e4e4e4"/>${text(left - 6, at + 4, words, 'end')}`,
		),
		`<path d="M${left} ${top}V${base}H${width - right}" fill="none" stroke="#999"/>`,
		...x.ticks.map(([at, words]) => text(at, base + 16, words)),
		text((left + width - right) / 2, height - 10, x.label),
		`<text transform="translate(13 ${(top + base) / 2}) rotate(-90)" text-anchor="middle" fill="#333">${escaped(y.label)}</text>`,
		content,
	];
	return placed(place, parts.join(''));
}

const placed = (place: number, content: string) =>
	`<g transform="translate(${(place % 2) * PANEL.width} ${HEAD + Math.floor(place / 2) * PANEL.height})">${content}</g>`;

const across = (from: number, to: number) =>
	scaleLinear()
		.domain([from, to])
		.range([PANEL.left, PANEL.width - PANEL.right - 6]);
const upTo = (most: number) =>
	scaleLinear()
		.domain([0, most])
		.range([PANEL.height - PANEL.bottom, PANEL.top + 4]);

/** A level in few letters. */
const shown = (level: number) => (level < 1e-3 ? level.toExponential() : String(level));
const foundAt = ({ level }: SchemeCurves) => `texts found at p ≤ ${shown(level)}`;
function shareAxis(scheme: SchemeCurves): Axis {
	const y = upTo(1);
	return {
		label: foundAt(scheme),
		ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => [y(share), `${100 * share} %`] as const),
	};
}

function percentAxis(label: string, most: number): Axis {
	const x = across(0, most);
	return {
		label,
		ticks: x.ticks(5).map((share) => [x(share), `${Math.round(100 * share)} %`] as const),
	};
}

/** Points of one attack on texts of one length. */
function pointsOf(points: readonly Measured[], attack: string, length: number): Measured[] {
	return points.filter((one) => one.attack === attack && one.length === length);
}

function editsPanel(scheme: SchemeCurves, length: number, place: number): string {
	const { points } = scheme;
	const [x, y] = [across(0, 0.5), upTo(1)];
	const start = pointsOf(points, 'none', length);
	const drawn = LINES.map(({ attack, colour, shape }) => {
		const own = [...start.map((one) => ({ ...one, at: 0 })), ...pointsOf(points, attack, length)];
		const theirs = own.flatMap(({ at, peer }) => (peer === undefined ? [] : [[x(at), y(peer)] as const]));
		const ours = own.map(({ at, found }) => [x(at), y(found)] as const);
		return line(theirs, colour, shape, true) + line(ours, colour, shape);
	});
	return panel(
		place,
		`Random edits, ${length} tokens`,
		percentAxis('words substituted, deleted or inserted', 0.5),
		shareAxis(scheme),
		drawn.join(''),
	);
}

function mixturePanel(scheme: SchemeCurves, place: number): string {
	const { points } = scheme;
	const [x, y] = [across(0, 1), upTo(1)];
	const drawn = LENGTHS.map(({ length, colour, shape }) => {
		const own = [
			...pointsOf(points, 'copy-paste', length),
			...pointsOf(points, 'none', length).map((one) => ({ ...one, at: 1 })),
		];
		const theirs = own.flatMap(({ at, peer }) => (peer === undefined ? [] : [[x(at), y(peer)] as const]));
		return (
			line(theirs, colour, shape, true) +
			line(
				own.map(({ at, found }) => [x(at), y(found)] as const),
				colour,
				shape,
			)
		);
	});
	return panel(
		place,
		'A marked stretch inside unmarked text',
		percentAxis('share of the words that is marked', 1),
		shareAxis(scheme),
		drawn.join(''),
	);
}

function truncationPanel(scheme: SchemeCurves, place: number): string {
	const { points } = scheme;
	const [x, y] = [across(0, 400), upTo(1)];
	const { colour, shape } = LENGTHS[1];
	const own = [
		...pointsOf(points, 'truncation', 400),
		...pointsOf(points, 'none', 400).map((one) => ({ ...one, at: 400 })),
	];
	return panel(
		place,
		'The first tokens alone',
		{ label: 'tokens left of 400', ticks: [0, 50, 100, 200, 400].map((at) => [x(at), String(at)] as const) },
		shareAxis(scheme),
		line(
			own.map(({ at, found }) => [x(at), y(found)] as const),
			colour,
			shape,
		),
	);
}

function barsPanel(scheme: SchemeCurves, place: number): string {
	const { points } = scheme;
	const { width, height, right, top, bottom } = PANEL;
	const base = height - bottom;
	const x = scaleLinear()
		.domain([0, 1])
		.range([BARS, width - right - 6]);
	const step = (base - top) / SINGLE.length;
	const drawn = SINGLE.map(([attack, label, words], i) => {
		const y = top + i * step;
		const bars = LENGTHS.map(({ length, colour }, k) => {
			const one = pointsOf(points, attack, length).find((point) => point.label === label);
			if (one === undefined) return '';
			const at = y + 2 + (k * (step - 4)) / 2;
			const peer =
				one.peer === undefined
					? ''
					: `<path d="M${n(x(one.peer))} ${n(at - 1)}v${n((step - 4) / 2 + 2)}" stroke="#000" stroke-width="2"/>`;
			return `<rect x="${BARS}" y="${n(at)}" width="${n(x(one.found) - BARS)}" height="${n((step - 4) / 2)}" fill="${colour}"/>${peer}`;
		});
		return text(BARS - 6, y + step / 2 + 4, words, 'end') + bars.join('');
	});
	const ticks = [0, 0.5, 1].map(
		(share) =>
			`<path d="M${n(x(share))} ${top}V${base}" stroke="#e4e4e4"/>${text(x(share), base + 16, `${100 * share} %`)}`,
	);
	return placed(
		place,
		`${text(10, 18, 'Other attacks', 'start', '#000') + ticks.join('') + drawn.join('')}<path d="M${BARS} ${top}V${base}" stroke="#999"/>${text((BARS + width - right) / 2, height - 10, foundAt(scheme))}`,
	);
}

function legend(entries: readonly (readonly [string, string])[], place: number): string {
	return placed(
		place,
		text(10, 18, 'Legend', 'start', '#000') +
			entries
				.map(
					([drawn, words], i) =>
						`<g transform="translate(24 ${48 + 23 * i})">${drawn}${text(44, 4, words, 'start')}</g>`,
				)
				.join(''),
	);
}

const sample = (colour: string, shape: Shape, hollow = false) =>
	line(
		[
			[0, 0],
			[32, 0],
		],
		colour,
		shape,
		hollow,
	);

/** Writes a figure. @param size width and height */
function write(
	name: string,
	title: string,
	description: string,
	[width, height]: readonly [number, number],
	content: string,
): void {
	writeWhole(
		`${FOLDER}/${name}.svg`,
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-labelledby="title description">` +
			`<title id="title">${escaped(title)}</title><desc id="description">${escaped(description)}</desc>` +
			`<rect width="${width}" height="${height}" fill="#fff"/>` +
			`<text x="10" y="21" font-size="15" fill="#000">${escaped(title)}</text>${content}</svg>\n`,
	);
}

/** A figure of panels, two a row. */
const panels = (rows: number) => [2 * PANEL.width, HEAD + rows * PANEL.height] as const;

/** File name of a scheme's figure, without its ending. */
export function figureOf(name: string): string {
	return name.replace(/[^a-z0-9-]+/gi, '-');
}

function schemeFigure(scheme: SchemeCurves): void {
	const told = LINES.map(({ attack }) => {
		const shares = pointsOf(scheme.points, attack, 200).map(
			({ label, found }) => `${label} ${found.toFixed(2)}`,
		);
		return `${attack}: ${shares.join(', ')}`;
	});
	const entries: (readonly [string, string])[] = [
		...LINES.map(({ attack, colour, shape }) => [sample(colour, shape), attack] as const),
		...LENGTHS.map(
			({ length, colour, shape }) => [sample(colour, shape), `texts of ${length} tokens`] as const,
		),
	];
	if (scheme.peerName !== undefined) {
		const [who, what] = scheme.peerName.split(', ');
		entries.push(
			[sample('#555', 'circle', true), `200 tokens, ${who}`],
			['<path d="M16 -7v14" stroke="#000" stroke-width="2"/>', `the same in bars (by ${what})`],
		);
	}
	if (scheme.level !== DEFAULT_LEVEL)
		entries.push([
			'',
			`level ${shown(scheme.level)}, not ${shown(DEFAULT_LEVEL)}: ranks among held-out keys`,
		]);
	write(
		figureOf(scheme.name),
		`${scheme.name}: ${scheme.title}${scheme.level === DEFAULT_LEVEL ? '' : `, at p ≤ ${shown(scheme.level)}`}`,
		`Share of marked texts with p at most ${shown(scheme.level)} after attacks. Texts of 200 tokens. ${told.join('; ')}.`,
		panels(3),
		editsPanel(scheme, 200, 0) +
			editsPanel(scheme, 400, 1) +
			mixturePanel(scheme, 2) +
			truncationPanel(scheme, 3) +
			barsPanel(scheme, 4) +
			legend(entries, 5),
	);
}

const STUDENT_BARS = [
	['none', 'from text', 'not attacked'],
	['synonyms', '100 %', 'synonyms, all'],
	['copy-paste', '50 %', 'half of it marked'],
	['copy-paste', '25 %', 'a quarter of it marked'],
	['truncation', '50 tokens', '50 of 112 tokens'],
	['sentences', 'shuffled', 'sentences shuffled'],
	['normalisation', 'both', 'lower, no punctuation'],
	['look-alike letters', '5 % of them', 'look-alike letters, 5 %'],
	['student', 'another tokenizer', "student's own tokenizer"],
] as const;

/** Evidence that decides: −log10 of the level. */
const WANTED = 6;

function studentPanels({ mark, points }: StudentCurves, row: number): string {
	const most = 1.05 * Math.max(10, ...points.map(({ log10P }) => -log10P));
	const strength = (one: Weighed) => Math.max(0, -one.log10P);
	const [x, y] = [across(0, 0.5), upTo(most)];
	const start = points.filter(({ attack }) => attack === 'none').map((one) => ({ ...one, at: 0 }));
	const drawn = LINES.map(({ attack, colour, shape }) =>
		line(
			[...start, ...points.filter((one) => one.attack === attack)].map(
				(one) => [x(one.at), y(strength(one))] as const,
			),
			colour,
			shape,
		),
	);
	const key = LINES.map(({ attack, colour, shape }, i) => {
		const at = PANEL.top + 14 + 17 * i;
		return `<g transform="translate(${PANEL.width - 150} ${at})">${sample(colour, shape)}${text(40, 4, attack, 'start')}</g>`;
	});
	const level = `<path d="M${PANEL.left} ${n(y(WANTED))}H${PANEL.width - PANEL.right}" stroke="#000" stroke-dasharray="4 3"/>`;
	const lines = panel(
		2 * row,
		`${mark}: random edits of its training texts`,
		percentAxis('words substituted, deleted or inserted', 0.5),
		{ label: '−log₁₀ p, median', ticks: y.ticks(5).map((tick) => [y(tick), String(tick)] as const) },
		level + drawn.join('') + key.join(''),
	);
	const { width, height, right, top, bottom } = PANEL;
	const base = height - bottom;
	const along = scaleLinear()
		.domain([0, most])
		.range([BARS, width - right - 6]);
	const step = (base - top) / STUDENT_BARS.length;
	const bars = STUDENT_BARS.map(([attack, label, words], i) => {
		const one = points.find((point) => point.attack === attack && point.label === label);
		const at = top + i * step;
		const bar =
			one === undefined
				? ''
				: `<rect x="${BARS}" y="${n(at + 3)}" width="${n(along(strength(one)) - BARS)}" height="${n(step - 6)}" fill="#0072b2"/>`;
		return text(BARS - 6, at + step / 2 + 4, words, 'end') + bar;
	});
	const ticks = along
		.ticks(4)
		.map(
			(tick) =>
				`<path d="M${n(along(tick))} ${top}V${base}" stroke="#e4e4e4"/>${text(along(tick), base + 16, String(tick))}`,
		);
	const threshold = `<path d="M${n(along(WANTED))} ${top}V${base}" stroke="#000" stroke-dasharray="4 3"/>`;
	return (
		lines +
		placed(
			2 * row + 1,
			`${text(10, 18, `${mark}: other attacks`, 'start', '#000') + ticks.join('') + bars.join('') + threshold}<path d="M${BARS} ${top}V${base}" stroke="#999"/>${text((BARS + width - right) / 2, height - 10, '−log₁₀ p, median; dashed: the level')}`,
		)
	);
}

function studentFigure(inheritance: readonly StudentCurves[], students: number): void {
	write(
		'inheritance',
		`Students whose marked training texts were attacked, ${students} a mark`,
		'Median of minus log10 p of the test of inheritance, by attack; the dashed line is the level of 1e-6.',
		panels(inheritance.length),
		inheritance.map(studentPanels).join(''),
	);
}

/** Columns of the overview: attack, strength, heading. */
const OVERVIEW = [
	['none', 'from text', 'not attacked'],
	['substitution', '10 %', 'substitution 10 %'],
	['substitution', '30 %', 'substitution 30 %'],
	['deletion', '10 %', 'deletion 10 %'],
	['deletion', '30 %', 'deletion 30 %'],
	['insertion', '30 %', 'insertion 30 %'],
	['synonyms', '100 %', 'synonyms, all'],
	['sentences', 'shuffled', 'sentences shuffled'],
	['normalisation', 'both', 'lower case, no punctuation'],
	['look-alike letters', '5 % of them', 'look-alike letters 5 %'],
	['copy-paste', '50 %', 'half of it marked'],
	['copy-paste', '25 %', 'a quarter of it marked'],
] as const;
const CELL = { width: 50, height: 24, left: 140, top: 176 };

/** White to blue by share, to orange at another level, so that more is darker in grey too; the number stands in the cell. */
function shade(share: number, usual: boolean): { readonly fill: string; readonly ink: string } {
	const [red, green, blue] = (usual ? [0, 90, 156] : [176, 72, 0]).map((to) =>
		Math.round(255 + (to - 255) * share),
	);
	return {
		fill: `rgb(${red},${green},${blue})`,
		ink: share > 0.55 ? '#fff' : '#222',
	};
}

/** One cell a scheme and attack, at 200 tokens. */
function overviewFigure(schemes: readonly SchemeCurves[]): void {
	const { width, height, left, top } = CELL;
	const heads = OVERVIEW.map(([, , words], i) => {
		const x = left + (i + 0.5) * width + 4;
		return `<text transform="translate(${n(x)} ${top - 8}) rotate(-50)" text-anchor="start" fill="#333">${escaped(words)}</text>`;
	});
	const rows = schemes.map(({ name, points, level }, row) => {
		const usual = level === DEFAULT_LEVEL;
		const y = top + row * height;
		const cells = OVERVIEW.map(([attack, label], i) => {
			const one = pointsOf(points, attack, 200).find((point) => point.label === label);
			if (one === undefined) return '';
			const { fill, ink } = shade(one.found, usual);
			const x = left + i * width;
			return `<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}" stroke="#fff"/>${text(x + width / 2, y + 16, one.found.toFixed(2), 'middle', ink)}`;
		});
		const words = usual ? name : `${name}, p ≤ ${shown(level)}`;
		return text(left - 8, y + 16, words, 'end') + cells.join('');
	});
	write(
		'overview',
		`Share of marked texts of 200 tokens that is found at p ≤ ${shown(DEFAULT_LEVEL)}; orange: at the level of the row`,
		'A table: one row a scheme, one column an attack; the same numbers are in the tables of the page.',
		[left + OVERVIEW.length * width + 110, top + schemes.length * height + 12],
		heads.join('') + rows.join(''),
	);
}

/** Draws all figures. */
export function writeFigures({ schemes, inheritance, students }: Curves): void {
	mkdirSync(FOLDER, { recursive: true });
	overviewFigure(schemes);
	for (const scheme of schemes) schemeFigure(scheme);
	studentFigure(inheritance, students);
}
