/**
 * `networks`: hidden networks in a simulated fleet, and what innocents risk.
 *
 * @module
 */

import { fleetActivity, groupActivity } from '../src/networks/in-step.js';
import {
	findNetworks,
	type GatheredTraffic,
	type NetworksResult,
	newTraffic,
	type Traffic,
} from '../src/networks/index.js';
import { neighbourTies } from '../src/networks/neighbours.js';
import { randomSource } from '../test/stats/random.js';
import { type FleetSize, INNOCENTS, NETWORK_SIZES, simulateFleet, type Truth } from './networks-fleet.js';
import { type Score, scoreNetworks } from './networks-score.js';
import type { Bench, Row } from './rows.js';

const FDR = 0.01;
const FULL: FleetSize = { accounts: 24_000, networks: NETWORK_SIZES, innocents: 120, requests: 780 };
const QUICK: FleetSize = { accounts: 3000, networks: [5, 12, 40, 150, 400], innocents: 40, requests: 120 };
const LEVELS = [0.05, 0.01, 0.001];

/** One fleet, of which only a share of the requests is seen. */
interface Seen {
	readonly share: number;
	readonly requests: number;
	readonly seconds: number;
	readonly ours: Score;
	/** Groups by prompts alone: our candidates. */
	readonly candidates: Score;
	/** Connected components of the ties. */
	readonly components: Score;
	readonly hypotheses: number;
}

function numbersOf(groups: NetworksResult['candidates'] | NetworksResult['networks']): number[][] {
	return groups.map(({ accounts }) => accounts.map(({ account }) => Number(account)));
}

/** Connected components of three accounts or more. */
function componentsOf(traffic: GatheredTraffic): number[][] {
	const parent = Int32Array.from(traffic.accounts, (_, i) => i);
	const root = (account: number): number => {
		let at = account;
		while (parent[at] !== at) at = parent[at] = parent[parent[at]];
		return at;
	};
	for (const { a, b } of neighbourTies(traffic)) parent[root(a)] = root(b);
	const groups = new Map<number, number[]>();
	for (const [i, account] of traffic.accounts.entries()) {
		const own = groups.get(root(i)) ?? [];
		own.push(Number(account));
		groups.set(root(i), own);
	}
	return [...groups.values()].filter((group) => group.length >= 3);
}

function lookAt(truth: readonly Truth[], traffic: Traffic, share: number): Seen {
	const gathered = traffic.gathered();
	const begun = performance.now();
	const result = findNetworks(gathered, { fdr: FDR });
	const seconds = (performance.now() - begun) / 1000;
	return {
		...{ share, requests: result.requests, seconds, hypotheses: result.hypotheses },
		ours: scoreNetworks(truth, numbersOf(result.networks)),
		candidates: scoreNetworks(truth, numbersOf(result.candidates)),
		components: scoreNetworks(truth, componentsOf(gathered)),
	};
}

/** One fleet at all shares. */
function runFleet(
	size: FleetSize,
	shares: readonly number[],
	seed: number,
): { truth: Truth[]; seen: Seen[] } {
	const random = randomSource(seed + 5000);
	const traffics = shares.map(newTraffic);
	const truth = simulateFleet(size, seed, (account, hour, fingerprints) => {
		const mark = random();
		for (const [i, share] of shares.entries())
			if (mark < share) traffics[i].add(String(account), hour, fingerprints);
	});
	const seen: Seen[] = [];
	for (const [i, share] of shares.entries()) seen.push(lookAt(truth, traffics[i], share));
	return { truth, seen };
}

function meanAndError(values: readonly number[]): { mean: number; error: number } {
	const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
	const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
	return { mean, error: values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1) / values.length) };
}

const ratioOf = (part: number, whole: number) => (whole === 0 ? 1 : part / whole);
const MEASURES: Readonly<Record<string, (score: Score, networks: number) => number>> = {
	'accounts precision': ({ right, named }) => ratioOf(right, named),
	'accounts recall': ({ right, members }) => ratioOf(right, members),
	'pairs precision': ({ pairsRight, pairsNamed }) => ratioOf(pairsRight, pairsNamed),
	'pairs recall': ({ pairsRight, pairs }) => ratioOf(pairsRight, pairs),
	'networks found': ({ networksFound }, networks) => networksFound / networks,
};

function innocentsIn({ innocents }: Score): number {
	return Object.values(innocents).reduce((sum, count) => sum + count, 0);
}

/** Precision and recall at one share of the traffic. */
function groupingRows(size: FleetSize, seen: readonly Seen[]): Row[] {
	const percent = `${100 * seen[0].share} %`;
	// Where nothing was found, there is no precision.
	const measured = Object.entries(MEASURES).filter(
		([name]) => !name.endsWith('precision') || seen.some(({ ours }) => ours.named > 0),
	);
	return measured.map(([name, measure]) => {
		const own = meanAndError(seen.map(({ ours }) => measure(ours, size.networks.length)));
		const peer = meanAndError(seen.map(({ components }) => measure(components, size.networks.length)));
		return {
			...{ case: `${name}@${percent}`, ours: own.mean, peer: peer.mean },
			peerName: 'connected components by prompts alone',
			unit: `share, ${seen.length} fleets, standard error ${own.error.toFixed(4)}`,
			ratio: peer.mean === 0 ? 1 : own.mean / peer.mean,
		};
	});
}

/** Heavy innocents that were put into a network, at one share of the traffic. */
function innocentRow(size: FleetSize, seen: readonly Seen[]): Row {
	const all = seen.length * size.innocents * INNOCENTS.length;
	const ours = seen.reduce((sum, one) => sum + innocentsIn(one.ours), 0) / all;
	return {
		...{ case: `innocents@${100 * seen[0].share} %`, ours, peer: FDR, peerName: 'stated level' },
		...{ unit: `share of ${all} heavy innocents in a network`, ratio: ours === 0 ? 1 : FDR / ours },
	};
}

/** Accounts that have nothing to do with each other, in groups that prompts did not make: how often p is small. */
function calibration(size: FleetSize, fleets: number): { rows: Row[]; notes: string[] } {
	const below = LEVELS.map(() => 0);
	const byKind = new Map<string, { tests: number; below: number }>();
	let tests = 0;
	for (let seed = 1; seed <= fleets; seed++) {
		const traffic = newTraffic();
		const truth = simulateFleet(size, 100 + seed, (account, hour, fingerprints) => {
			traffic.add(String(account), hour, fingerprints.slice(0, 0));
		});
		const gathered = traffic.gathered();
		const fleet = fleetActivity(gathered);
		const own = truth.map((_, i) => i);
		const innocent = own.filter((i) => truth[i].kind !== 'member');
		const numbers = new Map(gathered.accounts.map((account, i) => [Number(account), i]));
		/** The members of each network, and one innocent after the other beside them. */
		for (const network of size.networks.keys()) {
			const members = own.filter((i) => truth[i].kind === 'member' && truth[i].group === network);
			const beside = innocent.filter((i) => i % size.networks.length === network);
			const group = [...members, ...beside].map((i) => numbers.get(i)!);
			const activity = groupActivity(fleet, group);
			for (const account of beside) {
				const { logP } = activity.test(numbers.get(account)!);
				tests++;
				for (const [i, level] of LEVELS.entries()) if (logP <= Math.log(level)) below[i]++;
				const { kind } = truth[account];
				const counts = byKind.get(kind) ?? { tests: 0, below: 0 };
				counts.tests++;
				if (logP <= Math.log(0.05)) counts.below++;
				byKind.set(kind, counts);
			}
		}
	}
	const rows = LEVELS.map((level, i) => ({
		...{ case: `calibration@${level}`, ours: below[i] / tests, peer: level, peerName: 'level' },
		...{
			unit: `share of ${tests} innocents tested against a network`,
			ratio: below[i] === 0 ? 1 : (level * tests) / below[i],
		},
	}));
	const kinds = [...byKind].map(([kind, { tests: all, below: few }]) => `${kind} ${few} of ${all}`);
	return {
		rows,
		notes: [`Innocents with p ≤ 0.05 against a network that they do not belong to: ${kinds.join(', ')}.`],
	};
}

/** The null hypothesis broken on purpose: a team whose members meet at changing hours, with prompts in common or without. */
function stress(): string[] {
	return [true, false].map((shared) => {
		const random = randomSource(shared ? 71 : 72);
		const below = (n: number) => Math.floor(random() * n);
		const print = () => ({ word: below(2 ** 32), more: below(2 ** 32) });
		const traffic = newTraffic();
		simulateFleet(
			{ accounts: 1000, networks: [], innocents: 0, requests: 100 },
			5,
			(account, hour, fingerprints) => {
				traffic.add(`other-${account}`, hour, fingerprints);
			},
		);
		const templates = Array.from({ length: 10 }, () => Array.from({ length: 6 }, print));
		const monday = Date.UTC(2026, 5, 1) / 3_600_000;
		for (let day = 0; day < 56; day++) {
			if (day % 7 >= 5) continue;
			const meeting = 8 + below(10);
			for (let member = 0; member < 8; member++)
				for (let i = 0; i < 5; i++)
					traffic.add(
						`team-${member}`,
						monday + 24 * day + meeting + below(2),
						shared ? [...templates[below(10)], print()] : [print(), print(), print()],
					);
		}
		const { networks } = findNetworks(traffic.gathered(), { fdr: FDR });
		const named = networks
			.flatMap(({ accounts }) => accounts)
			.filter(({ account }) => account.startsWith('team')).length;
		return `Null broken on purpose, a team of 8 innocents that works for two hours a day, at an hour that changes daily, ${shared ? 'on the same templates' : 'each on prompts of its own'}: ${named} of 8 put into a network.`;
	});
}

export const bench: Bench = {
	about:
		'`touchmark networks` on simulated fleets of 24,000 accounts over eight weeks. 30 hidden networks have 5 to 2,000 members (evenly by logarithm), ' +
		'templates with slots, bursts at any hour of a day that active members share, members that change every two weeks, and a fifth of their ' +
		'requests of other kinds. 720 heavy innocents: users of public tools, nightly jobs, the volume of a member, around the clock, teams with the same days and ' +
		'templates of their own, and users who took a network’s templates and work at hours of their own. The rest are people with Zipf volumes. ' +
		'A share of the requests is seen. An account counts as right if it belongs to the hidden network that most of its found network belongs to. ' +
		'Calibration: innocents (also those of the same days) against hidden networks that they are put beside, whatever their prompts.',
	async run({ quick }) {
		const size = quick ? QUICK : FULL;
		const shares = quick ? [1, 0.1] : [1, 0.3, 0.1, 0.03, 0.01];
		const fleets = quick ? 1 : 3;
		const runs = Array.from({ length: fleets }, (_, i) => runFleet(size, shares, i + 1).seen);
		const at = shares.map((_, i) => runs.map((seen) => seen[i]));
		const calibrated = calibration({ ...size, requests: size.requests / 8 }, quick ? 1 : 2);
		const rows = [
			...at.flatMap((seen) => groupingRows(size, seen)),
			...at.map((seen) => innocentRow(size, seen)),
			...calibrated.rows,
		];
		const notes = at.map((seen) => {
			const kinds = INNOCENTS.map(
				(kind) => `${kind} ${seen.reduce((sum, { ours }) => sum + ours.innocents[kind], 0)}`,
			);
			const mean = (of: (one: Seen) => number) => meanAndError(seen.map(of)).mean;
			const content = (name: string) =>
				mean(({ candidates }) => MEASURES[name](candidates, size.networks.length)).toFixed(3);
			return (
				`${100 * seen[0].share} % (${Math.round(mean(({ requests }) => requests))} requests, ${mean(({ seconds }) => seconds).toFixed(0)} s to search, ` +
				`${Math.round(mean(({ hypotheses }) => hypotheses))} accounts tested): groups by prompts alone have accounts precision ${content('accounts precision')}, recall ${content('accounts recall')}, ` +
				`pairs precision ${content('pairs precision')}, recall ${content('pairs recall')}, and hold ${Math.round(mean(({ candidates }) => innocentsIn(candidates)))} heavy innocents a fleet. ` +
				`Innocents in networks, all fleets: ${kinds.join(', ')}; ordinary accounts ${seen.reduce((sum, { ours }) => sum + ours.ordinary, 0)}.`
			);
		});
		const peak = `Peak memory of the run, which holds all ${shares.length} logs and the fleet at once: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB.`;
		return { rows, notes: [...notes, ...calibrated.notes, ...stress(), peak] };
	},
};
