import { describe, expect, test } from 'vitest';
import { fleetActivity, groupActivity } from '../../src/networks/in-step.js';
import { newTraffic } from '../../src/networks/index.js';
import { logBlockTail } from '../../src/stats/block-permutations.js';
import { randomSource } from '../stats/random.js';

const MONDAY = Date.UTC(2026, 5, 1) / 3_600_000;
const DAYS = 42;

/** Tests of the accounts `tested`, beside a group of eight that bursts at a random hour of every day. */
function pValues(
	seed: number,
	tested: Record<string, (day: number, burst: number, random: () => number) => number[]>,
) {
	const random = randomSource(seed);
	const traffic = newTraffic();
	for (let day = 0; day < DAYS; day++) {
		const burst = Math.floor(24 * random());
		for (let i = 0; i < 8; i++) if (random() < 0.8) traffic.add(`member-${i}`, MONDAY + 24 * day + burst, []);
		for (let i = 0; i < 50; i++) traffic.add(`other-${i}`, MONDAY + 24 * day + Math.floor(24 * random()), []);
		for (const [name, hours] of Object.entries(tested))
			for (const hour of hours(day, burst, random))
				traffic.add(name, MONDAY + 24 * day + Math.floor(hour), []);
	}
	const gathered = traffic.gathered();
	const number = (name: string) => gathered.accounts.indexOf(name);
	const names = [...Array.from({ length: 8 }, (_, i) => `member-${i}`), ...Object.keys(tested)];
	const activity = groupActivity(fleetActivity(gathered), names.map(number));
	return Object.fromEntries(names.map((name) => [name, activity.test(number(name))]));
}

describe('in step with a group', () => {
	test('members are, and so is who comes on half of the days, at the same hours', () => {
		const tails = pValues(1, { late: (day, burst) => (day % 2 === 0 || day < 21 ? [] : [burst]) });
		for (let i = 0; i < 8; i++) expect(tails[`member-${i}`].logP).toBeLessThan(Math.log(1e-6));
		expect(tails.late.logP).toBeLessThan(Math.log(0.05));
	});
	test('the same hours every day, all hours, and few days are no evidence, whatever the group does', () => {
		const tails = pValues(2, {
			nightly: () => [3],
			always: () => Array.from({ length: 24 }, (_, hour) => hour),
			once: (day, burst) => (day === 5 ? [burst] : []),
		});
		expect(tails.nightly.logP).toBe(0);
		expect(tails.always.logP).toBe(0);
		expect(tails.once.leastLogP).toBe(0);
	});
	test('independent accounts: p ≤ α at most as often as α says', () => {
		let tests = 0;
		const below = { '0.05': 0, '0.01': 0 };
		for (let seed = 0; seed < 60; seed++) {
			// Days off and long stretches of work in common with the group are allowed: only hours are tested.
			const person = (day: number, _: number, random: () => number) =>
				day % 14 < 9 ? [9 + 10 * random(), 9 + 10 * random()] : [];
			const tails = pValues(
				1000 + seed,
				Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`p-${i}`, person])),
			);
			for (let i = 0; i < 20; i++) {
				tests++;
				for (const level of ['0.05', '0.01'] as const)
					if (tails[`p-${i}`].logP <= Math.log(Number(level))) below[level]++;
			}
		}
		expect(tests).toBe(1200);
		// Three standard deviations above the level; Chernoff's bound stays well below it.
		expect(below['0.05']).toBeLessThan(60 + 23);
		expect(below['0.01']).toBeLessThan(12 + 10);
	});
});

describe('orders of blocks', () => {
	test('the best of all orders has the chance that there is of it', () => {
		const block = { size: 4, scores: Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)) };
		const { logP, leastLogP } = logBlockTail([block, block]);
		expect(leastLogP).toBeCloseTo(2 * Math.log(1 / 24), 10);
		expect(logP).toBeGreaterThanOrEqual(leastLogP - 1e-9);
		expect(logP).toBeLessThan(2 * Math.log(1 / 24) + 0.1);
	});
	test('bounds the exact tail of random scores: every order of three blocks', () => {
		const uniform = randomSource(5);
		const orders = [
			[0, 1, 2],
			[0, 2, 1],
			[1, 0, 2],
			[1, 2, 0],
			[2, 0, 1],
			[2, 1, 0],
		];
		for (let trial = 0; trial < 50; trial++) {
			const blocks = Array.from({ length: 3 }, () => ({
				size: 3,
				scores: Float64Array.from({ length: 9 }, () => uniform() * 4 - 2),
			}));
			const totals = blocks.map(({ scores }) =>
				orders.map((order) => order.reduce((sum, place, thing) => sum + scores[3 * thing + place], 0)),
			);
			const seen = totals[0][0] + totals[1][0] + totals[2][0];
			let tail = 0;
			for (const a of totals[0])
				for (const b of totals[1]) for (const c of totals[2]) if (a + b + c >= seen - 1e-9) tail++;
			expect(logBlockTail(blocks).logP).toBeGreaterThanOrEqual(Math.log(tail / 216) - 1e-9);
		}
	});
});
