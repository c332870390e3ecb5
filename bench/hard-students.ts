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
/** Where text is asked for until there is enough, the tokens that it takes are what is compared. */
const MOST_TOKENS = 200_000;
const UNITS = {
	grey: 'log10 e, 10,000 calls',
	open: 'log10 e, 10,000 positions',
	closed: `tokens until log10 e ≥ ${WANTED}, at most ${MOST_TOKENS.toLocaleString('en')}`,
} as const;
const WAYS = Object.keys(UNITS) as (keyof typeof UNITS)[];
const EXPOSURE_WAYS = ['open', 'grey'] as const;
const PEER = 'without the treatment';

type Points = HardCurves['grey'];
const lastOf = (points: Points): number => points[points.length - 1].log10E;
const neededOf = (points: Points): number =>
	points.find(({ log10E }) => log10E >= WANTED)?.queries ?? Infinity;
/** How much more evidence, where there is any. */
const share = (ours: number, peer: number): number => Math.max(0, ours) / peer;

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
function curvesOf({ students, together }: Group, way: keyof typeof UNITS): Points[] {
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

function inheritanceRow(group: Group, plain: Group, way: keyof typeof UNITS): Row[] {
	const curves = curvesOf(group, way);
	const untreated = curvesOf(plain, way);
	if (curves.length === 0 || untreated.length === 0) return [];
	const common = { case: `${group.name}-${way}`, peerName: PEER, unit: UNITS[way] };
	if (way === 'closed') {
		const tokens = (some: readonly Points[]) =>
			median(some.map((points) => Math.min(MOST_TOKENS, neededOf(points))));
		const [ours, peer] = [tokens(curves), tokens(untreated)];
		return [{ ...common, ours, peer, ratio: peer / ours }];
	}
	const [ours, peer] = [median(curves.map(lastOf)), median(untreated.map(lastOf))];
	return [{ ...common, ours, peer, ratio: share(ours, peer) }];
}

/** Queries that one way in takes, and the weakest student. */
function needNote(group: Group, way: keyof typeof UNITS): string[] {
	const curves = curvesOf(group, way);
	if (curves.length === 0) return [];
	const needed = curves.map(neededOf);
	const queries = median(needed);
	const reached = needed.filter((one) => one < Infinity).length;
	return [
		`${way} ${queries < Infinity ? queries : 'not reached'} (${reached} of ${curves.length}; ` +
			`least log10 e at the end ${Math.min(...curves.map(lastOf)).toFixed(1)})`,
	];
}

function exposureRow(group: Group, plain: Group, way: (typeof EXPOSURE_WAYS)[number]): Row {
	const shown = ({ students }: Group) => median(students.map((one) => one.exposure[way].log10E));
	const { pairs } = group.students[0].exposure[way];
	const [ours, peer] = [shown(group), shown(plain)];
	const unit = `log10 e, ${pairs} pairs`;
	return {
		case: `${group.name}-exposure-${way}`,
		ours,
		peer,
		peerName: PEER,
		unit,
		ratio: share(ours, peer),
	};
}

/** What a group costs the rival. */
function costRows(group: Group, plain: Group): Row[] {
	const of = ({ students }: Group, what: 'perplexity' | 'distinct') =>
		median(students.map(({ cost }) => cost[what]));
	const rows = [
		['perplexity', 'perplexity a token of the teacher, on its own texts', true],
		['distinct', 'share of distinct 2-grams in 80 own answers', false],
	] as const;
	return rows.map(([what, unit, less]) => {
		const [ours, peer] = [of(group, what), of(plain, what)];
		const ratio = less ? peer / ours : ours / peer;
		return { case: `${group.name}-${what}`, ours, peer, peerName: PEER, unit, ratio };
	});
}

/** The rows of one group beside students of the same seeds without the treatment. */
function rowsOf(group: Group, all: Group): Row[] {
	if (group === all) return [];
	const seeds = new Set(group.students.map(({ seed }) => seed));
	const plain = { ...all, students: all.students.filter(({ seed }) => seeds.has(seed)) };
	const inherited = WAYS.flatMap((way) => inheritanceRow(group, plain, way));
	// The other groups of these students have the same exposure and cost.
	if (group.together || SAME_STUDENT.includes(group.students[0].kind)) return inherited;
	return [
		...inherited,
		...EXPOSURE_WAYS.map((way) => exposureRow(group, plain, way)),
		...costRows(group, plain),
	];
}

function noteOf(group: Group): string {
	const lost = group.students.flatMap(({ cost }) => cost.lost ?? []);
	const percent = (what: 'tokens' | 'pairs') => (100 * median(lost.map((one) => one[what]))).toFixed(0);
	const gone =
		lost.length === 0
			? ''
			: ` Gone from the marked texts: ${percent('tokens')} % of tokens, ${percent('pairs')} % of pairs of neighbours.`;
	return (
		`${group.name}: ${group.about}. Students: ${group.students.length}. Queries until log10 e ≥ ${WANTED}: ` +
		`${WAYS.flatMap((way) => needNote(group, way)).join(', ')}.${gone}`
	);
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
		const groups = CLAIMED.flatMap((mark) => {
			const some = groupsOf(all, mark);
			return some.map((group) => ({ group, plain: some[0] }));
		});
		const rows = groups.flatMap(({ group, plain }) => rowsOf(group, plain));
		const notes = groups.map(({ group }) => noteOf(group));
		const text = all.flatMap(({ exposure }) => exposure.closed?.log10E ?? []);
		if (text.length > 0)
			notes.push(
				`Exposure by text alone (similarity of four answers a prompt), ${text.length} students: largest log10 e ${Math.max(...text).toFixed(1)}.`,
			);
		const innocent = innocentRows(all);
		return { rows: [...rows, ...innocent.rows], notes: [...notes, ...innocent.notes] };
	},
};
