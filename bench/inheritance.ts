/**
 * How many queries it takes to prove inheritance, from the measurements of `bench/distillation/measure.ts`.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bothChannels } from './both-channels.js';
import { CLAIMED } from './distillation/cells.js';
import { type Cell, curvesOf, evidence, type Measured, type Way } from './distillation/measured.js';
import { writeFigures } from './inheritance-figures.js';
import { type Bench, median, type Row } from './rows.js';

/** Evidence that is asked for: log10 e, or −log10 p of a procedure without e-values. */
const WANTED = 6;
/** Its rows carry no mark in their names. */
const RECOMMENDED = CLAIMED[0];

const WAYS = {
	grey: { unit: 'calls, one position each', baselines: ['reading mode', 'one token a context'] },
	open: { unit: 'positions', baselines: ['reading mode'] },
	closed: { unit: 'tokens of answers', baselines: ['distinct and filtered'] },
} as const;
const WAY_NAMES = Object.keys(WAYS) as Way[];
const OURS = ['weighted', 'weighted+students'] as const;

/** All measurements, the recommended mark first, then those with most seeds. */
function measuredCells(): Cell[] {
	const folder = join(import.meta.dirname, 'distillation/measured');
	const cells = new Map<string, { name: string; rho: number; seeds: Measured[] }>();
	for (const file of readdirSync(folder).sort()) {
		const one = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Measured;
		const name = one.mark.includes('+') ? `${one.mark} ${one.channel}` : one.mark;
		const key = `${name} ${one.rho}`;
		const cell = cells.get(key) ?? { name, rho: one.rho, seeds: [] };
		cell.seeds.push(one);
		cells.set(key, cell);
	}
	const place = ({ name }: Cell) => {
		const claimed = (CLAIMED as readonly string[]).indexOf(name);
		return claimed < 0 ? CLAIMED.length : claimed;
	};
	return [...cells.values()].sort(
		(a, b) => place(a) - place(b) || a.name.localeCompare(b.name) || b.rho - a.rho,
	);
}

/** What one procedure needs. */
interface Need {
	readonly procedure: string;
	/** Median over seeds of the queries at which the evidence is there; Infinity when most seeds never get there. */
	readonly queries: number;
	readonly reached: number;
	readonly seeds: number;
	/** Largest number tried, and the median evidence there. */
	readonly most: number;
	readonly last: number;
}

function needOf(cell: Cell, way: Way, procedure: string): Need | undefined {
	const curves = curvesOf(cell, way, procedure);
	if (curves.length === 0) return undefined;
	const needed = curves.map((points) => points.find((one) => evidence(one) >= WANTED)?.queries ?? Infinity);
	const most = Math.max(...curves.map((points) => points[points.length - 1].queries));
	return {
		procedure,
		queries: median(needed),
		reached: needed.filter((queries) => queries < Infinity).length,
		seeds: curves.length,
		most,
		last: median(curves.map((points) => evidence(points[points.length - 1]))),
	};
}

const tried = ({ queries, most }: Need): number => (queries < Infinity ? queries : most);
const best = (needs: readonly Need[]): Need =>
	needs.reduce((a, b) => (b.queries < a.queries || (b.queries === a.queries && b.last > a.last) ? b : a));
const present = <T>(values: readonly (T | undefined)[]): T[] =>
	values.filter((value) => value !== undefined) as T[];

/** One cell by one way: its row and what stands behind it. */
function compare(cell: Cell, way: Way): { row: Row; note: string } | undefined {
	const { unit, baselines } = WAYS[way];
	const ours = present(OURS.map((procedure) => needOf(cell, way, procedure)));
	const published = present(baselines.map((procedure) => needOf(cell, way, procedure)));
	if (ours.length === 0 || published.length === 0) return undefined;
	const us = best(ours);
	const them = best(published);
	const describe = ({ procedure, queries, most, reached, seeds, last }: Need) =>
		`${procedure} ${queries < Infinity ? queries : `more than ${most}`} (${reached} of ${seeds} seeds; ` +
		`median evidence at the last number tried: ${last.toFixed(1)})`;
	const name = cell.name === RECOMMENDED ? '' : ` ${cell.name}`;
	return {
		row: {
			case: `${way}-queries@${cell.rho}${name}`,
			ours: tried(us),
			peer: tried(them),
			peerName: `${them.procedure}${them.queries < Infinity ? '' : us.queries < Infinity ? ', not enough' : ', not enough, nor ours'}`,
			unit,
			ratio: us.queries < Infinity ? tried(them) / us.queries : 1,
		},
		note: `${cell.name}, ρ ${cell.rho}, ${way}: ${[...ours, ...published].map(describe).join('; ')}.`,
	};
}

/** What the recommended mark costs, beside what it may, from the record of the bench `quality`. */
function qualityRow(): Row {
	const path = join(import.meta.dirname, 'results/quality.json');
	const { rows } = JSON.parse(readFileSync(path, 'utf8')) as { rows: Row[] };
	const { ratio } = rows.find((row) => row.case === `quality ${RECOMMENDED} perplexity`) as Row;
	return {
		case: 'quality',
		ours: 1 / ratio,
		peer: 1.03,
		peerName: 'most that it may cost',
		unit: 'perplexity over that of unmarked text',
		ratio: 1.03 * ratio,
	};
}

export const bench: Bench = {
	about:
		'Queries until log10 e reaches 6 (baselines without e-values: log10 p ≤ −6), students of the embedded base model: 8,192 ' +
		'texts of 112 tokens, two epochs, a share ρ of them marked; median over seeds, each with its own key and texts. Ours: ' +
		'weighted residuals beside the unmarked teacher and the base (`weighted`), and beside four students that the provider trains ' +
		'on unmarked text of its own too (`weighted+students`). Baselines, on the same queries: closed, distinct pairs with the ' +
		'filter on contexts; open, reading mode; grey, reading mode and one drawn token per distinct context by Hoeffding’s bound. ' +
		'A number of queries that was tried and is not enough counts as itself; weighted tests read at most 10,000 positions or ' +
		`500,000 tokens. Rows without the name of a mark are of ${RECOMMENDED}. ` +
		'![Evidence against queries, and against quality](inheritance.svg)',
	async run() {
		const cells = measuredCells();
		writeFigures(cells, WANTED);
		const compared = cells.flatMap((cell) => present(WAY_NAMES.map((way) => compare(cell, way))));
		const both = bothChannels();
		return {
			rows: [qualityRow(), ...compared.map(({ row }) => row), ...both.rows],
			notes: [...compared.map(({ note }) => note), ...both.notes],
		};
	},
};
