/** A small fleet with hidden networks: who is found, and that nobody else is. */
import { describe, expect, test } from 'vitest';
import { simulateFleet } from '../../bench/networks-fleet.js';
import { scoreNetworks } from '../../bench/networks-score.js';
import { findNetworks, NetworksResult, newTraffic } from '../../src/networks/index.js';
import { newNumberPairs } from '../../src/networks/number-pairs.js';
import { randomSource } from '../stats/random.js';

const SIZE = { accounts: 1200, networks: [8, 30, 90], innocents: 25, requests: 120 };
const traffic = newTraffic();
const truth = simulateFleet(SIZE, 11, (account, hour, fingerprints) => {
	traffic.add(String(account), hour, fingerprints);
});
const gathered = traffic.gathered();
const result = findNetworks(gathered);

describe('hidden networks', () => {
	test('are found, apart from each other, without innocents', () => {
		const found = result.networks.map(({ accounts }) => accounts.map(({ account }) => Number(account)));
		const score = scoreNetworks(truth, found);
		expect(score.networksFound).toBe(3);
		expect(score.right / score.members).toBeGreaterThan(0.7);
		expect(score.pairsRight).toBe(score.pairsNamed);
		// 150 heavy innocents at 1 %: more than 6 have a chance of less than 1 in 1,000.
		const wrong = score.named - score.right;
		expect(wrong).toBeLessThanOrEqual(6);
	});
	test('innocents on the same templates are candidates, and cleared of nothing', () => {
		const taken = truth.flatMap(({ kind }, i) => (kind === 'same-templates' ? [String(i)] : []));
		const rows = result.candidates
			.flatMap(({ accounts }) => accounts)
			.filter(({ account }) => taken.includes(account));
		expect(rows.length).toBeGreaterThan(20);
		expect(rows.filter(({ verdict }) => verdict === 'in-step').length).toBeLessThanOrEqual(2);
	});
	test('the result is what its schema says, and the same for requests in another order', () => {
		expect(NetworksResult.parse(result)).toEqual(result);
		const again = newTraffic();
		// Accounts keep their first places, so that they have the same numbers.
		const later: Parameters<typeof again.add>[] = [];
		const seen = new Set<string>();
		simulateFleet(SIZE, 11, (number, hour, fingerprints) => {
			const account = String(number);
			if (seen.has(account)) later.push([account, hour, fingerprints]);
			else again.add(account, hour, fingerprints);
			seen.add(account);
		});
		for (const request of later.reverse()) again.add(...request);
		expect(findNetworks(again.gathered())).toEqual(result);
	});
	test('data sets tie accounts that share no prompt', () => {
		const random = randomSource(3);
		const apart = newTraffic();
		for (let day = 0; day < 40; day++) {
			const burst = Math.floor(20 * random());
			for (let i = 0; i < 300; i++)
				apart.add(`a${i}`, 490_008 + 24 * day + (i < 6 ? burst : Math.floor(24 * random())), [
					{ word: Math.floor(2 ** 32 * random()), more: i },
				]);
		}
		const own = apart.gathered();
		expect(findNetworks(own).candidates).toEqual([]);
		const datasets = [{ name: 'suspect', accounts: ['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a99', 'unknown'] }];
		const { networks } = findNetworks(own, { datasets });
		expect(networks.map(({ accounts }) => accounts.map(({ account }) => account).sort())).toEqual([
			['a0', 'a1', 'a2', 'a3', 'a4', 'a5'],
		]);
		expect(networks[0].accounts[0].datasets).toEqual(['suspect']);
	});
});

test('a full set of pairs becomes a sample by first number, with all pairs of each', () => {
	const pairs = newNumberPairs(2 ** 17);
	const random = randomSource(9);
	const firsts = Array.from({ length: 40_000 }, () => Math.floor(2 ** 32 * random()));
	for (let round = 0; round < 2; round++)
		for (const first of firsts) for (let second = 0; second < 5; second++) pairs.add(first, second);
	const sorted = pairs.sorted();
	expect(sorted.share).toBe(0.25);
	const kept = [...new Set(firsts)].filter((first) => first < 2 ** 30);
	expect(sorted.count).toBe(5 * kept.length);
	for (let i = 1; i < sorted.count; i++) expect(sorted.first(i)).toBeGreaterThanOrEqual(sorted.first(i - 1));
});
