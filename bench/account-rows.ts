/**
 * Rows of the bench `accounts` for accounts: exposure, pair by pair.
 *
 * @module
 */
import { randomStream } from '../src/embed/random.js';
import type { Uniforms } from '../src/schemes/scheme.js';
import { logSignedRankTest, type SignedPair } from '../src/stats/index.js';
import { midranks } from '../src/stats/paired-signs.js';
import {
	ACCOUNTS,
	type AccountCell,
	CELLS,
	isUsed,
	MEASURED,
	type Measured,
	measureAccounts,
	measuredAccounts,
	REQUESTS,
	USED,
	type Way,
} from './distillation/account-students.js';
import { WORK } from './distillation/students.js';
import { FAMILY, type Found, findAmong, meanOf, RATES } from './found-rows.js';
import type { Row } from './rows.js';
import { studentTail, tOf } from './t-test.js';

/** Pairs of each account that are tested. */
const PAIRS = [2, 5, 10, 20, 40] as const;
/** Tosses of the coins of innocent accounts, for each student and number of pairs. */
const TOSSES = 1000;
/** The t-test is slow to compute. */
const PEER_TOSSES = 200;
/** p-values above this are found at no rate that is told. */
const HOPELESS = Math.max(...RATES);

/** One account's pairs under a way of testing them. */
interface Account {
	/** ln p under the true coins. */
	readonly logP: number;
	/** ln p under fresh coins. */
	toss(random: Uniforms): number;
}

/** Signed ranks of an account's first pairs. */
function rankedAccount(differences: readonly number[], known: Map<string, number>): Account {
	const untied = differences.filter((difference) => difference !== 0);
	const ranks = midranks(untied.map(Math.abs));
	const law = [...ranks].sort((a, b) => a - b).join();
	// p depends on the ranks and on the sum of the positive ones.
	const logPOf = (positive: readonly boolean[]): number => {
		const sum = ranks.reduce((total, rank, i) => total + (positive[i] ? rank : 0), 0);
		const name = `${law}/${sum}`;
		const logP =
			known.get(name) ??
			logSignedRankTest(
				untied.map((d, i): SignedPair => ({ positive: positive[i], magnitude: Math.abs(d) })),
			);
		known.set(name, logP);
		return logP;
	};
	return {
		logP: logPOf(untied.map((difference) => difference > 0)),
		toss: (random) => logPOf(ranks.map(() => random.next() < 0.5)),
	};
}

/** The paired t-test of an account's first pairs. */
function normalAccount(differences: readonly number[]): Account {
	const squares = differences.reduce((sum, difference) => sum + difference ** 2, 0);
	const logPOf = (signed: readonly number[]): number => {
		const t = tOf(
			signed.reduce((sum, difference) => sum + difference, 0),
			squares,
			signed.length,
		);
		const nu = signed.length - 1;
		return t > criticalT(nu) ? Math.log(Math.max(1e-300, studentTail(t, nu))) : 0;
	};
	return {
		logP: logPOf(differences),
		toss: (random) => logPOf(differences.map((d) => (random.next() < 0.5 ? d : -d))),
	};
}

const criticals = new Map<number, number>();

/** The t that has P(T ≥ t) = {@link HOPELESS}, from below. */
function criticalT(nu: number): number {
	let t = criticals.get(nu) ?? 1;
	while (studentTail(t + 0.01, nu) > HOPELESS) t += 0.01;
	criticals.set(nu, t);
	return t;
}

/** All measured accounts of a student by their first pairs. */
function accountsOf(
	differences: readonly number[],
	pairs: number,
	account: (first: readonly number[]) => Account,
): Account[] {
	return Array.from({ length: MEASURED }, (_, i) =>
		account(differences.slice(i * REQUESTS, i * REQUESTS + pairs)),
	);
}

/** Power and false discoveries of one student. */
function foundOf(cell: AccountCell, accounts: readonly Account[], tosses: number): Found {
	const random = randomStream(`accounts/coins/${cell.epochs}/${cell.seed}`);
	const guilty = accounts.filter((_, i) => isUsed(cell, i)).map(({ logP }) => logP);
	const innocent = accounts.filter((_, i) => !isUsed(cell, i));
	return findAmong(guilty, tosses, () =>
		Array.from({ length: ACCOUNTS - USED }, (_, i) => innocent[i % innocent.length].toss(random)),
	);
}

interface Student {
	readonly cell: AccountCell;
	readonly measured: Measured;
}

/** Rows and notes. @param quick only what is measured already, and fewer tosses */
export function accountRows(quick: boolean): { rows: Row[]; notes: string[] } {
	const rows: Row[] = [];
	const notes: string[] = [];
	for (const epochs of new Set(CELLS.map((cell) => cell.epochs))) {
		const students = CELLS.filter((cell) => cell.epochs === epochs).flatMap((cell): Student[] => {
			const measured = quick ? measuredAccounts(WORK, cell) : measureAccounts(WORK, cell);
			return measured === undefined ? [] : [{ cell, measured }];
		});
		if (students.length === 0) continue;
		notes.push(preferredNote(epochs, students));
		for (const pairs of PAIRS) {
			const mean = (way: Way, account: (first: readonly number[]) => Account, tosses: number) =>
				meanOf(
					students.map(({ cell, measured }) =>
						foundOf(cell, accountsOf(measured[way], pairs, account), quick ? tosses / 20 : tosses),
					),
				);
			const known = new Map<string, number>();
			const peer = mean('alone', normalAccount, PEER_TOSSES);
			for (const way of ['open', 'grey'] as const) {
				const ours = mean(way, (first) => rankedAccount(first, known), TOSSES);
				rows.push(...rowsOf(`${pairs} pairs, epochs ${epochs}, ${way}`, ours, peer));
			}
		}
	}
	return { rows, notes };
}

function rowsOf(name: string, ours: Found, peer: Found): Row[] {
	const ratio = (one: number, other: number) => (one === other || other === 0 ? 1 : one / other);
	return [
		...RATES.flatMap((rate, i): Row[] => [
			{
				case: `found@${rate}, ${name}`,
				ours: ours.rates[i].power,
				peer: peer.rates[i].power,
				peerName: `paired t-test of STAMP, ${percent(peer.rates[i].wrong)} of its finds wrong`,
				unit: 'share of the accounts used',
				ratio: ratio(ours.rates[i].power, peer.rates[i].power),
			},
			{
				case: `wrong@${rate}, ${name}`,
				ours: ours.rates[i].wrong,
				peer: rate,
				peerName: 'most that it may be',
				unit: 'share of those found',
				ratio: ratio(rate, ours.rates[i].wrong),
			},
		]),
		{
			case: `named@${FAMILY}, ${name}`,
			ours: ours.named,
			peer: peer.named,
			peerName: 'paired t-test of STAMP',
			unit: 'share of the accounts used',
			ratio: ratio(ours.named, peer.named),
		},
	];
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** How often the served answer is preferred, and what the true coins of innocent accounts say. */
function preferredNote(epochs: number, students: readonly Student[]): string {
	const share = (way: Way, used: boolean) => {
		const signs = students.flatMap(({ cell, measured }) =>
			measured[way].filter((d, i) => d !== 0 && isUsed(cell, Math.floor(i / REQUESTS)) === used),
		);
		return percent(signs.filter((d) => d > 0).length / signs.length);
	};
	const known = new Map<string, number>();
	const true40 = students.flatMap(({ cell, measured }) =>
		accountsOf(measured.open, REQUESTS, (first) => rankedAccount(first, known)).filter(
			(_, i) => !isUsed(cell, i),
		),
	);
	const below = (level: number) => true40.filter(({ logP }) => logP <= Math.log(level)).length;
	return (
		`Epochs ${epochs}, ${students.length} students: the served answer is preferred in ${share('open', true)} of the pairs of accounts that were used (grey ${share('grey', true)}), ` +
		`in ${share('open', false)} of the others. Under their true coins ${below(0.1)} of ${true40.length} innocent accounts have p ≤ 0.1 by ${REQUESTS} pairs, ${below(0.01)} have p ≤ 0.01.`
	);
}
