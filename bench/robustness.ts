/**
 * What attacks on a text leave of its mark: the share of marked texts that is still found, for every scheme, and of
 * students of attacked texts.
 *
 * @module
 */
import { randomStream } from '../src/embed/random.js';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import type { Mark } from '../src/marks/mark.js';
import { ALIGNED_HELD_OUT } from '../src/verify/aligned.js';
import { testEdited } from '../src/verify/edited.js';
import { logPValue } from '../src/verify/null-law.js';
import { newPairSet } from '../src/verify/pairs.js';
import { tallyPairs } from '../src/verify/tally.js';
import { DEFAULT_LEVEL } from '../src/verify/test-result.js';
import { band } from './calibration.js';
import { type Peer, startPeers, versions } from './peer-process.js';
import { wordsOf } from './robustness/attacks.js';
import { type Curves, keepCurves, type Measured, type SchemeCurves } from './robustness/curves.js';
import { lostShare } from './robustness/damage.js';
import { writeFigures } from './robustness/figures.js';
import { lexiconOf, type Means, otherTokenizer, pointsAt, readAfter } from './robustness/grid.js';
import { writeTables } from './robustness/page.js';
import { askPeer, type PeerDetector, type PeerLevel } from './robustness/peer-detectors.js';
import { RANK_LEVEL, rankedFirst } from './robustness/ranks.js';
import { type Keyed, type Scheme, schemesFor } from './robustness/schemes.js';
import { MARKED_TEXTS, studentCurves, TRAINING_TOKENS } from './robustness/students.js';
import { synonymsOf } from './robustness/synonyms.js';
import { entropyOf, newWriter, TEMPERATURE, TEXT_TOKENS } from './robustness/writing.js';
import { type Bench, median, type Row } from './rows.js';

const LENGTHS = [200, TEXT_TOKENS] as const;
/** Length at which rows are stated and peers are asked. */
const STATED = LENGTHS[0];
/** Level of the control: a rate that a few thousand tests can show. */
const CONTROL = 1e-2;
/** Nominal levels of the control of peers. */
const PEER_CONTROLS = [CONTROL, 1e-3] as const;
/** Chance that a rate of the bench lies above its band, all in all. */
const ERROR = 1e-3;

type Ids = readonly number[];

interface Sizes {
	/** Keys of each scheme, and texts under each. */
	readonly keys: number;
	readonly perKey: number;
	/** Texts under each key where a rank is all that is known, and texts of its control at each point. */
	readonly rankedPerKey: number;
	readonly rankedControl: number;
	/** Students a mark, and fresh keys for each innocent one. */
	readonly students: number;
	readonly studentKeys: number;
	/** Fresh keys for each text of a peer's control. */
	readonly peerKeys: number;
}

const say = (words: string) => process.stderr.write(`${words}\n`);
const share = (list: readonly boolean[]) => list.filter(Boolean).length / list.length;

/** ln p of a text under the marks of a scheme, corrected for the number of tests. */
function logPOf(ids: Ids, marks: readonly Mark[], edited: boolean): number {
	const tests = marks.flatMap((mark) => {
		const pairs = newPairSet(mark.spec);
		pairs.add(ids);
		const sum = logPValue(tallyPairs(pairs, mark), mark.scheme.null);
		if (!edited) return [sum];
		const { log10P } = testEdited(pairs, mark, { level: DEFAULT_LEVEL, hypotheses: 1, searchBits: 0 });
		return [sum, log10P * Math.LN10];
	});
	return Math.min(0, Math.min(...tests) + Math.log(tests.length));
}

/** Texts of one length after each attack, as their verifier reads them. */
interface Attacked {
	readonly attack: string;
	readonly label: string;
	readonly at: number;
	readonly length: number;
	readonly read: readonly Ids[];
}

/** Whether a point counts in the rows. */
const inRows = ({ attack, length }: Pick<Measured, 'attack' | 'length'>) =>
	length === (attack === 'truncation' ? TEXT_TOKENS : STATED);

/** The texts of the k-th key. */
const ofKey = ({ read }: Attacked, k: number, perKey: number) => read.slice(k * perKey, (k + 1) * perKey);

/** The verdict on every text of a scheme, point by point. @param seedOf the key of the k-th fleet */
async function judged(
	scheme: Scheme,
	keyed: readonly Keyed[],
	seedOf: (k: number) => string,
	points: readonly Attacked[],
	perKey: number,
	vocabSize: number,
): Promise<Pick<Measured, 'found' | 'log10P'>[]> {
	if (scheme.ranked) {
		// In the order of the points.
		const groups = LENGTHS.map((length) => points.filter((point) => point.length === length));
		const tasks = groups.flatMap((group) =>
			keyed.map((_, k) => ({
				...{ scheme: scheme.name, vocabSize, seed: seedOf(k) },
				texts: group.flatMap((point) => ofKey(point, k, perKey)),
			})),
		);
		const first = await rankedFirst(tasks);
		return groups.flatMap((group, g) => {
			const own = first.slice(g * keyed.length, (g + 1) * keyed.length);
			return group.map((_, i) => ({
				found: share(own.flatMap((list) => list.slice(i * perKey, (i + 1) * perKey))),
			}));
		});
	}
	return points.map(({ read }) => {
		const logPs = read.map((ids, i) => logPOf(ids, keyed[Math.floor(i / perKey)].marks, scheme.edited));
		return {
			found: share(logPs.map((logP) => logP <= Math.log(DEFAULT_LEVEL))),
			log10P: median(logPs) / Math.LN10,
		};
	});
}

function attackAll(texts: readonly Ids[], hosts: readonly string[], given: Omit<Means, 'random' | 'host'>) {
	return LENGTHS.flatMap((length) => {
		const whole = texts.map((ids) => given.tokenizer.decode(ids.slice(0, length)));
		return pointsAt(length).map(({ attack, point }): Attacked => {
			const read = whole.map((text, i) => {
				const random = randomStream(`robustness/${attack}/${point.label}/${length}/${i}`);
				return readAfter(point, text, { ...given, random, host: hosts[i % hosts.length] });
			});
			return { attack, label: point.label, at: point.at, length, read };
		});
	});
}

/** What a peer finds of the attacked texts, point by point. */
async function peerShares(
	peer: Peer,
	{ peer: detector }: Scheme,
	keyed: readonly Keyed[],
	points: readonly Attacked[],
	perKey: number,
): Promise<number[]> {
	const found = points.map(() => 0);
	for (const [k, { config }] of keyed.entries()) {
		if (detector === undefined || config === undefined) throw new Error('a scheme without a peer');
		const own = points.map((point) => ofKey(point, k, perKey));
		const said = await askPeer(peer, detector, config, own.flat(), DEFAULT_LEVEL);
		for (const i of points.keys())
			found[i] += said.slice(i * perKey, (i + 1) * perKey).filter(Boolean).length;
	}
	return found.map((count) => count / (keyed.length * perKey));
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** One row an attack: the mean over its strengths. */
function attackRows(name: string, points: readonly Measured[], unit: string, peerName?: string): Row[] {
	const untouched = points.find(({ attack }) => attack === 'none')?.found ?? 0;
	const attacks = [...new Set(points.map(({ attack }) => attack))];
	return attacks.flatMap((attack): Row[] => {
		const own = points.filter((one) => one.attack === attack);
		const ours = mean(own.map(({ found }) => found));
		const peers = own.flatMap(({ peer }) => (peer === undefined ? [] : [peer]));
		const labels = own.map(({ label }) => label).join(', ');
		const row = (peer: number, who: string, suffix = ''): Row => ({
			case: `${name}: ${attack}${suffix}`,
			ours,
			peer,
			peerName: who,
			unit: own.length === 1 ? `${unit}: ${labels}` : `${unit}, mean of ${labels}`,
			ratio: ours === peer ? 1 : peer > 0 ? ours / peer : Number.MAX_SAFE_INTEGER,
		});
		const rows = [row(untouched, 'the same, not attacked')];
		if (peerName !== undefined && peers.length > 0) rows.push(row(mean(peers), peerName, ', by the peer'));
		return rows;
	});
}

const percent = (value: number) => `${Number((100 * value).toPrecision(2))} %`;

export const bench: Bench = {
	about:
		`Marked texts of the embedded teacher (temperature ${TEMPERATURE}, vocabulary 2,048) are attacked as texts, by who knows no key, and ` +
		`read again: the share with p ≤ 1e-6 by the exact tests, texts of ${STATED} tokens (\`truncation\`: of ${TEXT_TOKENS}), four keys. One row a scheme ` +
		'and attack, the mean over its strengths. [Curves, figures and what they say](robustness.md). `default` is both ' +
		'default marks at once, `gumbel, edited` the two tests of `--edited`, each corrected for two. `hf-…` and `vllm…`: as those systems embed; `by the ' +
		'peer`: their own detectors on the same ids, at the p or z that stands for 1e-6. `control`: unmarked texts, attacked likewise, under a fresh ' +
		'key each time, since tests under one key are not independent; only the upper edge of the band can be crossed. ' +
		`\`students\`: count-based students of ${MARKED_TEXTS} marked and attacked texts and as many unmarked ones, ${TRAINING_TOKENS} tokens each. \`exp-edit\` is ` +
		`found at p ≤ ${RANK_LEVEL}: its p-value is a rank among ${ALIGNED_HELD_OUT} held-out keys, and none can be lower. Its rows are not to be read beside ` +
		"the others'.",
	async run({ quick, peers }) {
		const sizes: Sizes = quick
			? { keys: 1, perKey: 4, rankedPerKey: 1, rankedControl: 1, students: 1, studentKeys: 2, peerKeys: 1 }
			: {
					keys: 4,
					perKey: 16,
					rankedPerKey: 4,
					rankedControl: 16,
					students: 10,
					studentKeys: 10,
					peerKeys: 4,
				};
		const { keys } = sizes;
		const count = keys * sizes.perKey;
		const tokenizer = embeddedTokenizer();
		const given = { lexicon: lexiconOf(), tokenizer, other: otherTokenizer() };
		const writer = newWriter();
		const unmarked = (seed: string, from: number, watch?: (logits: Float32Array) => void) =>
			writer({ marks: [], unkeyedShare: 1, from, count, seed }, watch);
		const entropies: number[] = [];
		const plain = unmarked('unmarked', count, (logits) => {
			for (let at = 0; at < logits.length; at += tokenizer.vocabSize)
				entropies.push(entropyOf(logits.subarray(at, at + tokenizer.vocabSize), TEMPERATURE));
		});
		const hosts = unmarked('hosts', 2 * count).map((ids) => tokenizer.decode(ids));
		const controls = attackAll(plain, [...hosts.slice(1), hosts[0]], given);
		const peer = peers === undefined ? undefined : startPeers(peers);
		const schemes = schemesFor(tokenizer.vocabSize);
		const notes: string[] = [];
		const controlRows: Row[] = [];
		const curves: SchemeCurves[] = [];
		const attacked = new Map<string, Attacked[]>();
		for (const scheme of schemes) {
			const { name, texts, ranked, unkeyedShare } = scheme;
			const perKey = ranked ? sizes.rankedPerKey : sizes.perKey;
			const seedOf = (k: number) => `robustness/key/${texts}/${k}`;
			const keyed = Array.from({ length: keys }, (_, k) => scheme.keyed(randomStream(seedOf(k))));
			const all =
				attacked.get(texts) ??
				attackAll(
					keyed.flatMap(({ marks }, k) =>
						writer({ marks, unkeyedShare, from: k * perKey, count: perKey, seed: `${texts}/${k}` }),
					),
					hosts,
					given,
				);
			attacked.set(texts, all);
			const points = quick && ranked ? all.filter(inRows) : all;
			const stated = points.filter(({ length }) => length === STATED);
			const theirs =
				peer === undefined || scheme.peer === undefined
					? []
					: await peerShares(peer, scheme, keyed, stated, perKey);
			const verdicts = await judged(scheme, keyed, seedOf, points, perKey, tokenizer.vocabSize);
			const measured = points.map(({ read: _, ...point }, i): Measured => {
				const asked = stated.findIndex(
					(one) => one.attack === point.attack && one.label === point.label && one.length === point.length,
				);
				return {
					...point,
					...verdicts[i],
					...(theirs[asked] === undefined ? {} : { peer: theirs[asked] }),
				};
			});
			curves.push({
				...{ name, title: scheme.title, level: ranked ? RANK_LEVEL : DEFAULT_LEVEL },
				...{ texts: keys * perKey, points: measured },
				...(theirs.length === 0 || scheme.peer === undefined ? {} : { peerName: scheme.peer.name }),
			});
			const rejected = ranked
				? await ranksOf(scheme, controls, sizes.rankedControl, tokenizer.vocabSize)
				: rejectionsOf(scheme, controls);
			controlRows.push(controlRow(name, rejected, edgeOf(rejected.tests, schemes.length)));
			if (scheme.peer !== undefined) notes.push(peerControl(scheme, scheme.peer, controls, sizes.peerKeys));
			say(`${name} measured`);
		}

		peer?.stop();
		const { curves: inheritance, control } = studentCurves(sizes.students, given, {
			level: CONTROL,
			keys: sizes.studentKeys,
		});
		controlRows.push(controlRow('students', control, edgeOf(control.tests, schemes.length)));
		const before = plain.map((ids) => ids.slice(0, STATED));
		const damage = [
			...controls.filter(({ length }) => length === STATED),
			...controls.filter(({ attack }) => attack === 'truncation'),
		].map(({ attack, label, length, read }) => {
			const lost = (width: number) =>
				mean(read.map((ids, i) => lostShare(length === STATED ? before[i] : plain[i], ids, width)));
			return { attack, label, tokens: lost(1), pairs: lost(2), fives: lost(5) };
		});
		const record: Curves = { students: sizes.students, schemes: curves, inheritance, damage };
		if (!quick) {
			keepCurves(record);
			writeFigures(record);
			writeTables(record);
		}
		const words = plain.flatMap((ids) => wordsOf(tokenizer.decode(ids)));
		const covered = words.filter((word) => synonymsOf(word) !== undefined).length / words.length;
		return {
			rows: [
				...curves.flatMap(({ name, points, level, peerName }) =>
					attackRows(
						name,
						points.filter(inRows),
						level === DEFAULT_LEVEL ? 'share of texts found' : `share of texts found at p ≤ ${level}`,
						peerName,
					),
				),
				...inheritance.flatMap(({ mark, points }) =>
					attackRows(`students, ${mark}`, points, 'share of students found'),
				),
				...controlRows,
			],
			notes: [
				`${count} texts a scheme under ${keys} keys (\`exp-edit\`: ${keys * sizes.rankedPerKey}); ${sizes.students} students a mark. The teacher's entropy at this temperature is ${mean(entropies).toFixed(2)} nats a token; ` +
					`a word has ${((count * TEXT_TOKENS) / words.length).toFixed(2)} tokens. The list of synonyms covers ${percent(covered)} of the running words.`,
				'Tokens, pairs of tokens and runs of five that are gone, mean over unmarked texts: ' +
					`${damage.map(({ attack, label, tokens, pairs, fives }) => `${attack} ${label} ${[tokens, pairs, fives].map(percent).join(' / ')}`).join('; ')}.`,
				...notes,
				...(peer === undefined
					? []
					: [
							`Peers: ${Object.entries(versions)
								.map(([who, version]) => `${who} ${version.slice(0, 12)}`)
								.join(', ')}.`,
						]),
			],
		};
	},
};

/** How often something was rejected. */
interface Rejections {
	readonly rejected: number;
	readonly tests: number;
}

/** Attacked unmarked texts, a fresh key for each test. */
function rejectionsOf(scheme: Scheme, points: readonly Attacked[]): Rejections {
	const random = randomStream(`robustness/control/${scheme.name}`);
	const reads = points.flatMap(({ read }) => read);
	const rejected = reads.filter(
		(ids) => logPOf(ids, scheme.keyed(random).marks, scheme.edited) <= Math.log(CONTROL),
	).length;
	return { rejected, tests: reads.length };
}

/** The same by ranks: the first texts of each point, of the length that rows are stated at. */
async function ranksOf(
	{ name }: Scheme,
	points: readonly Attacked[],
	most: number,
	vocabSize: number,
): Promise<Rejections> {
	const tasks = points
		.filter(({ length }) => length === STATED)
		.flatMap(({ read }) => read.slice(0, most))
		.map((ids, i) => ({ scheme: name, vocabSize, seed: `robustness/control/${name}/${i}`, texts: [ids] }));
	const first = (await rankedFirst(tasks)).flat();
	return { rejected: first.filter(Boolean).length, tests: first.length };
}

/** What a peer makes of the same texts, of the length that it is asked about. */
function peerControl(
	scheme: Scheme,
	detector: PeerDetector,
	points: readonly Attacked[],
	keys: number,
): string {
	const random = randomStream(`robustness/peer-control/${scheme.name}`);
	const reads = points.filter(({ length }) => length === STATED).flatMap(({ read }) => read);
	const found = new Map<PeerLevel, number>(PEER_CONTROLS.map((level) => [level, 0]));
	for (let key = 0; key < keys; key++)
		for (const ids of reads) {
			const said = detector.reproduced(scheme.keyed(random).config ?? {}, ids);
			for (const [level, count] of found) if (detector.finds(said, ids, level)) found.set(level, count + 1);
		}
	const tests = keys * reads.length;
	const rates = [...found].map(([level, count]) => `${(count / tests).toPrecision(2)} at ${level}`);
	return `\`${scheme.name}\`, ${detector.name}: share of ${tests} attacked unmarked texts of ${STATED} tokens that it finds, by its nominal level, a fresh key each (its numbers by our reproduction of them): ${rates.join(', ')}.`;
}

/** Upper edge of the band of a control. @param schemes beside which there is one of students */
function edgeOf(tests: number, schemes: number): number {
	return band(tests, CONTROL, (2 * ERROR) / (schemes + 1))[1];
}

function controlRow(name: string, { rejected, tests }: Rejections, high: number): Row {
	return {
		case: `control: ${name}`,
		ours: rejected / tests,
		peer: high,
		peerName: `upper edge of the band, ${tests} tests`,
		unit: `share of attacked unmarked ${name === 'students' ? 'students' : 'texts'} with p ≤ ${CONTROL}`,
		ratio: rejected > 0 ? (high * tests) / rejected : Number.MAX_SAFE_INTEGER,
	};
}
