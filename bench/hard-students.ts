/**
 * What students of rivals who did not train politely show, from the measurements of `bench/distillation/hard.ts`.
 *
 * @module
 */
import { CLAIMED } from './distillation/cells.js';
import { KINDS, type Kind, MARK, SAME_STUDENT, SHARE } from './distillation/hard-cells.js';
import { allMeasuredHard, type HardCurves, type HardMeasured } from './distillation/hard-measured.js';
import type { MarkName } from './distillation/marks.js';
import { type Bench, median, type Row } from './rows.js';

/** Evidence that is asked for, log10 e. */
const WANTED = 6;
/** More text is not asked for at this log10 e, so that more is not counted. */
const MOST_CLOSED = 10;
const WAYS = {
	grey: 'log10 e, 10,000 calls',
	open: 'log10 e, 10,000 positions',
	closed: `log10 e, up to ${MOST_CLOSED}, at most 200,000 tokens`,
} as const;
const WAY_NAMES = Object.keys(WAYS) as (keyof typeof WAYS)[];
const EXPOSURE_WAYS = ['open', 'grey', 'closed'] as const;

type Points = HardCurves['grey'];
const lastOf = (points: Points): number => points[points.length - 1]?.log10E ?? 0;

/** A group of measurements, and how several keys of one student are taken. */
interface Group {
	readonly name: string;
	readonly about: string;
	readonly students: readonly HardMeasured[];
	/** Of a student with two keys: both together, by the mean of their e-values; otherwise each by itself. */
	readonly together: boolean;
}

/** Groups of one mark, the untreated one first. */
function groupsOf(all: readonly HardMeasured[], mark: MarkName): Group[] {
	return (Object.keys(KINDS) as Kind[]).flatMap((kind): Group[] => {
		const students = all.filter((one) => one.kind === kind && one.mark === mark);
		if (students.length === 0) return [];
		const name = mark === MARK ? kind : `${kind} ${mark}`;
		const group = { name, about: KINDS[kind], students, together: false };
		if (kind !== 'two-keys') return [group];
		return [
			{ ...group, name: 'two-teachers' },
			{ ...group, name: 'rotated-key', together: true },
		];
	});
}

/** Curves of a group by one way in; where two keys go together, the curve of their mean e-value. */
function curvesOf({ students, together }: Group, way: keyof typeof WAYS): Points[] {
	return students.flatMap(({ keys }) => {
		const curves = keys.flatMap((one) => (one[way] === undefined ? [] : [one[way]]));
		if (!together || curves.length < 2) return curves;
		const [one, other] = curves;
		return [
			one.map((point, i) => ({ ...point, log10E: meanLog10(point.log10E, (other[i] ?? point).log10E) })),
		];
	});
}

/** log10 of the mean of two numbers by their logarithms. */
function meanLog10(a: number, b: number): number {
	const top = Math.max(a, b);
	return top + Math.log10((10 ** (a - top) + 10 ** (b - top)) / 2);
}

function inheritance(
	group: Group,
	plain: Group,
	way: keyof typeof WAYS,
): { row: Row; note: string } | undefined {
	const curves = curvesOf(group, way);
	if (curves.length === 0) return undefined;
	const shown = (points: Points) =>
		way === 'closed' ? Math.min(MOST_CLOSED, lastOf(points)) : lastOf(points);
	const needed = curves.map((points) => points.find(({ log10E }) => log10E >= WANTED)?.queries ?? Infinity);
	const reached = needed.filter((queries) => queries < Infinity).length;
	const ours = median(curves.map(shown));
	const peer = median(curvesOf(plain, way).map(shown));
	const queries = median(needed);
	return {
		row: {
			case: `${group.name}-${way}`,
			ours,
			peer,
			peerName: 'without the treatment',
			unit: WAYS[way],
			ratio: ours / peer,
		},
		note:
			`${way} ${queries < Infinity ? queries : 'not reached'} ` +
			`(${reached} of ${curves.length}; least log10 e ${Math.min(...curves.map(shown)).toFixed(1)})`,
	};
}

function exposure(group: Group, plain: Group, way: (typeof EXPOSURE_WAYS)[number]): Row | undefined {
	if (SAME_STUDENT.includes(group.students[0].kind)) return undefined;
	const shown = ({ students }: Group) => students.flatMap((one) => one.exposure[way]?.log10E ?? []);
	const [own, untreated] = [shown(group), shown(plain)];
	if (own.length === 0 || untreated.length === 0) return undefined;
	const pairs = group.students[0].exposure[way].pairs;
	return {
		case: `${group.name}-exposure-${way}`,
		ours: median(own),
		peer: median(untreated),
		peerName: 'without the treatment',
		unit: `log10 e, ${pairs} pairs`,
		ratio: median(own) / median(untreated),
	};
}

/** What a group costs the rival. */
function costs({ name, students }: Group, plain: Group): Row[] {
	if (SAME_STUDENT.includes(students[0].kind)) return [];
	const of = (group: readonly HardMeasured[], what: 'perplexity' | 'distinct') =>
		median(group.map(({ cost }) => cost[what]));
	const rows = [
		['perplexity', 'perplexity a token of the teacher, on its own texts', true],
		['distinct', 'share of distinct 2-grams in 80 own answers', false],
	] as const;
	return rows.map(([what, unit, less]) => {
		const [ours, peer] = [of(students, what), of(plain.students, what)];
		const ratio = less ? peer / ours : ours / peer;
		return { case: `${name}-${what}`, ours, peer, peerName: 'without the treatment', unit, ratio };
	});
}

/** Tests under keys and coins that nobody has used, by way in. */
function innocentRows(all: readonly HardMeasured[]): { rows: Row[]; notes: string[] } {
	const ways = [...new Set(all.flatMap(({ fresh }) => Object.keys(fresh)))];
	const unmarked = all.filter(({ mark }) => mark === null).map(({ kind }) => kind);
	const counts = ways.map((way) => {
		const some = all.flatMap(({ fresh }) => fresh[way] ?? []);
		const sum = (what: 'tests' | 'rejected' | 'accused') => some.reduce((total, one) => total + one[what], 0);
		const least = Math.min(...some.map(({ leastLog10P }) => leastLog10P));
		return { way, tests: sum('tests'), rejected: sum('rejected'), accused: sum('accused'), least };
	});
	return {
		rows: counts.map(
			({ way, tests, rejected }): Row => ({
				case: `innocent-${way}@1e-2`,
				ours: rejected / tests,
				peer: 0.01,
				peerName: 'level',
				unit: `share of ${tests} tests under fresh ${way.startsWith('exposure') ? 'coins' : 'keys'}`,
				ratio: rejected === 0 ? tests * 0.01 : (0.01 * tests) / rejected,
			}),
		),
		notes: [
			`Fresh keys and coins: ${counts.map(({ way, tests, accused, least }) => `${way} ${accused} of ${tests} tests at 1e-6 or below (least log10 p ${least.toFixed(1)})`).join('; ')}. ` +
				`Students of unmarked texts among them: ${unmarked.join(', ')}; the others never met these keys. The tests of one student are not independent.`,
		],
	};
}

export const bench: Bench = {
	about:
		`Students of rivals who did not train politely: ${MARK}, unless a case names another mark, on ${SHARE * 100} % of the teacher's texts, of which 512 are served answers ` +
		'of a trial; budget, base and references as in `inheritance`. Each row is the median over students of one treatment, its peer ' +
		'the median over students of the same texts without it. Measured by `bench/distillation/hard.ts`; the last cases count tests ' +
		'of the same weights and scores under keys and coins that nobody has used.',
	async run() {
		const all = allMeasuredHard();
		const rows: Row[] = [];
		const notes: string[] = [];
		const groups = CLAIMED.flatMap((mark) => {
			const some = groupsOf(all, mark);
			return some.map((group) => ({ group, plain: some[0] }));
		});
		for (const { group, plain } of groups) {
			const shown = WAY_NAMES.flatMap((way) => inheritance(group, plain, way) ?? []);
			const trials = EXPOSURE_WAYS.flatMap((way) => exposure(group, plain, way) ?? []);
			rows.push(...shown.map(({ row }) => row), ...trials, ...costs(group, plain));
			const lost = group.students.flatMap(({ cost }) => cost.lost ?? []);
			const gone =
				lost.length === 0
					? ''
					: ` Gone from the marked texts: ${(100 * median(lost.map(({ tokens }) => tokens))).toFixed(0)} % of tokens, ` +
						`${(100 * median(lost.map(({ pairs }) => pairs))).toFixed(0)} % of pairs of neighbours.`;
			notes.push(
				`${group.name}: ${group.about}. ${group.students.length} students. Queries to log10 e ≥ ${WANTED}: ` +
					`${shown.map(({ note }) => note).join(', ')}.${gone}`,
			);
		}
		const innocent = innocentRows(all);
		return { rows: [...rows, ...innocent.rows], notes: [...notes, ...innocent.notes] };
	},
};
