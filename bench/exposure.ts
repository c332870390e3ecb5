/**
 * Controlled exposure on students that are transformers: how many pairs it takes, and what innocent students show.
 *
 * @module
 */
import { randomStream } from '../src/embed/random.js';
import type { Uniforms } from '../src/schemes/scheme.js';
import {
	logBinomialUpperTail,
	logESigns,
	logSignedRankTest,
	newSignBets,
	type SignedPair,
} from '../src/stats/index.js';
import { band } from './calibration.js';
import { INNOCENTS } from './distillation/cells.js';
import {
	CELLS,
	type ExposedCell,
	type Measured,
	measureCell,
	measuredCell,
	nameOf,
	WAYS,
	waysOf,
} from './distillation/exposed.js';
import {
	COINS,
	INNOCENT_PAIRS,
	INNOCENT_WAYS,
	type InnocentCounts,
	LEVEL,
	measuredInnocent,
	measureInnocent,
} from './distillation/innocent-trials.js';
import { WORK } from './distillation/students.js';
import { type Bench, median, type Row } from './rows.js';
import { studentTail, tOf, tTail } from './t-test.js';

/** Evidence that counts pairs: e at least this, or p at most its inverse. */
const ENOUGH = 1e6;

/** Orders of the pairs over which the count of pairs is a median. */
const ORDERS = 99;

/** Cells that the bench trains when they are missing; the others are told if `exposed.ts` has measured them. */
const ALWAYS = 3;

export const bench: Bench = {
	about:
		'Controlled exposure on students fine-tuned from the embedded base. The embedded teacher drew two answers of 112 tokens a ' +
		'request, a keyed coin served one, and a share of the training texts (0.1 of 4,096 unless named otherwise; the rest are ' +
		'other texts of the teacher) are served answers, rate 1e-3, all 3 layers. `pairs@N`: pairs until e ≥ 1e6 after N epochs, median over 99 orders ' +
		'of all pairs; where that is not reached, −log10 p of all pairs, by signed ranks and by the peer’s t. Open: likelihood less that of two unmarked students, the ' +
		'teacher and the base; `open-56`, `open-28`: of the first tokens only; grey: of the 20 likeliest tokens a position only; ' +
		'closed: similarity of 4 own answers a prompt; dataset: which answer the training texts hold. With --quick only what is ' +
		'measured already. ' +
		'Peer: the paired t-test of STAMP (2504.13416) on the suspect’s mean log-probability of a token, pairs until p ≤ 1e-6. Innocent: ' +
		`students of unmarked text, ${COINS} fresh keys each, ${INNOCENT_PAIRS} pairs.`,
	async run({ quick }) {
		const rows: Row[] = [];
		const notes: string[] = [];
		for (const [i, cell] of CELLS.entries()) {
			const measured = !quick && i < ALWAYS ? measureCell(WORK, cell) : measuredCell(WORK, cell);
			if (measured === undefined) continue;
			rows.push(...cellRows(cell, measured));
			notes.push(cellNote(cell, measured));
		}
		const missing = CELLS.filter((cell) => measuredCell(WORK, cell) === undefined);
		if (missing.length > 0)
			notes.push(`Not measured yet: ${missing.map((cell) => `\`${nameOf(cell)}\``).join(', ')}.`);
		const innocents = INNOCENTS.flatMap((cell) =>
			quick ? (measuredInnocent(WORK, cell) ?? []) : measureInnocent(WORK, cell),
		);
		if (innocents.length > 0) {
			const innocent = innocentRows(innocents);
			rows.push(...innocent.rows);
			notes.push(...innocent.notes);
		}
		notes.push(
			'The t-test assumes normal differences, and is looked at after each pair here, which favours it. Where it does not get there, it counts at the pairs tried.',
			'References are weighed over all pairs measured, also where fewer are counted; the weights do not depend on coins.',
		);
		return { rows, notes };
	},
};

/** How a cell differs from the usual one, in the name of its rows. */
function caseOf({ share, rate, texts, seed, epochs, layers }: ExposedCell): string {
	const [usual] = CELLS;
	const parts = [
		share === usual.share ? '' : `share-${share}`,
		rate === usual.rate ? '' : `rate-${rate}`,
		texts === usual.texts ? '' : `texts-${texts}`,
		layers === undefined ? '' : `layers-${layers}`,
		seed === usual.seed ? '' : `seed-${seed}`,
	];
	return [`pairs@${epochs}`, ...parts.filter(Boolean)].join('/');
}

function cellRows(cell: ExposedCell, { differences }: Measured): Row[] {
	const ways = waysOf(cell) === WAYS ? WAYS : (['open'] as const);
	const alone = differences.alone;
	return ways.map((way): Row => {
		const own = differences[way];
		const name = way === 'open' ? caseOf(cell) : `${caseOf(cell)}/${way}`;
		const pairs = pairsNeeded(own, firstEvidence);
		const peer = pairsNeeded(alone, firstSignificant);
		const peerName = 'STAMP, paired t-test of log-probabilities';
		if (pairs === null) {
			const ours = 0 - logSignedRankTest(signed(own)) / Math.LN10;
			const theirs = -Math.log10(tTail(alone));
			const unit = `−log10 p of ${own.length} pairs`;
			return { case: name, ours, peer: theirs, peerName, unit, ratio: ours / theirs };
		}
		return {
			case: name,
			ours: pairs,
			peer: peer ?? alone.length,
			peerName: peer === null ? `${peerName}, not reached` : peerName,
			unit: 'pairs',
			ratio: (peer ?? alone.length) / pairs,
		};
	});
}

function cellNote(cell: ExposedCell, { differences, verdicts }: Measured): string {
	const ways = waysOf(cell).map((way) => {
		const pairs = signed(differences[way]);
		const preferred = pairs.filter(({ positive }) => positive).length;
		const share = pairs.length === 0 ? '–' : `${((100 * preferred) / pairs.length).toFixed(1)} %`;
		return `${way} ${share} of ${pairs.length} (log10 e ${(logESigns(pairs) / Math.LN10).toFixed(1)}, ${verdicts[way]})`;
	});
	return `\`${caseOf(cell)}\`, served preferred: ${ways.join('; ')}. STAMP: log10 p ${Math.log10(tTail(differences.alone)).toFixed(1)}.`;
}

/** Differences without ties. */
function signed(differences: readonly number[]): SignedPair[] {
	return differences
		.filter((difference) => difference !== 0)
		.map((difference) => ({ positive: difference > 0, magnitude: Math.abs(difference) }));
}

/**
 * Median over orders of the first count of pairs with enough evidence.
 *
 * @returns null where fewer than half the orders ever get there
 */
function pairsNeeded(
	differences: readonly number[],
	first: (ordered: readonly number[]) => number,
): number | null {
	const random = randomStream('exposure/orders');
	const found = median(Array.from({ length: ORDERS }, () => first(shuffled(differences, random))));
	return found === Infinity ? null : found;
}

function shuffled(values: readonly number[], random: Uniforms): number[] {
	const left = [...values];
	for (let last = left.length - 1; last > 0; last--) {
		const at = Math.floor(random.next() * (last + 1));
		[left[at], left[last]] = [left[last], left[at]];
	}
	return left;
}

/** Pairs until the e-process of signs reaches {@link ENOUGH}; ties count as pairs. */
function firstEvidence(ordered: readonly number[]): number {
	const bets = newSignBets();
	for (const [i, difference] of ordered.entries())
		if (difference !== 0)
			if (bets.add({ positive: difference > 0, magnitude: Math.abs(difference) }) >= Math.log(ENOUGH))
				return i + 1;
	return Infinity;
}

/** Pairs until the t-test of the pairs so far has p ≤ 1 / {@link ENOUGH}: looking at each count favours the peer. */
function firstSignificant(ordered: readonly number[]): number {
	let sum = 0;
	let squares = 0;
	for (const [i, difference] of ordered.entries()) {
		sum += difference;
		squares += difference ** 2;
		if (i > 1 && tOf(sum, squares, i + 1) >= criticalT(i)) return i + 1;
	}
	return Infinity;
}

const criticals = new Map<number, number>();

/** The t that has P(T ≥ t) = 1 / {@link ENOUGH}, by bisection. */
function criticalT(nu: number): number {
	const known = criticals.get(nu);
	if (known !== undefined) return known;
	let [low, high] = [0, 2000];
	while (high - low > 1e-4) {
		const middle = (low + high) / 2;
		if (studentTail(middle, nu) > 1 / ENOUGH) low = middle;
		else high = middle;
	}
	criticals.set(nu, high);
	return high;
}

/** The largest probability ≤ level that the sign test of so many pairs can reject with. */
function attainable(trials: number, level: number): number {
	let positives = trials;
	while (logBinomialUpperTail(positives - 1, trials, 0.5) <= Math.log(level)) positives--;
	return Math.exp(logBinomialUpperTail(positives, trials, 0.5));
}

function innocentRows(counts: readonly InnocentCounts[]): { rows: Row[]; notes: string[] } {
	const rows: Row[] = [];
	const outside: string[] = [];
	const family = INNOCENT_WAYS.length * 4;
	for (const way of INNOCENT_WAYS) {
		const own = counts.map((count) => count[way]);
		const tests = total(own, (count) => count.tests);
		const suffix = way === 'open' ? '' : `/${way}`;
		const add = (name: string, count: number, p: number, exact: boolean) => {
			const [low, high] = band(tests, p, 1e-3 / family);
			const rate = count / tests;
			if (rate > high || (exact && rate < low)) outside.push(`${name}${suffix}`);
			rows.push({
				case: `${name}${suffix}`,
				ours: rate,
				peer: high,
				peerName: `upper edge of [${exact ? low.toPrecision(3) : '0'}, ${high.toPrecision(3)}], ${tests} tests${rate > 0 ? '' : '; none, so ratio 1 stands for no ratio'}`,
				unit: 'rate',
				ratio: rate > 0 ? high / rate : 1,
			});
		};
		const rejected = (statistic: string) => total(own, (count) => count.rejected[statistic] ?? 0);
		add('innocent@1e-2', rejected('signed-rank'), LEVEL, true);
		const size = total(own, (count) => count.tests * attainable(count.trials, LEVEL)) / tests;
		add('innocent-sign@1e-2', rejected('sign'), size, true);
		add(
			'innocent-e≥20',
			total(own, ({ e20 }) => e20),
			1 / 20,
			false,
		);
		add(
			'innocent-e≥100',
			total(own, ({ e100 }) => e100),
			1 / 100,
			false,
		);
	}
	const exposed = INNOCENT_WAYS.map((way) => total(counts, (count) => count[way].exposed));
	return {
		rows,
		notes: [
			`${counts.length} innocent students: ${outside.length === 0 ? 'all rates lie inside their bands' : `outside their bands: ${outside.join(', ')}`}; verdicts \`exposed\` at 1e-6: ${INNOCENT_WAYS.map((way, i) => `${way} ${exposed[i]}`).join(', ')}.`,
		],
	};
}

function total<T>(items: readonly T[], value: (item: T) => number): number {
	return items.reduce((sum, item) => sum + value(item), 0);
}
