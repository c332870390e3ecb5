/**
 * Does an account work in step with a group?
 *
 * An account's days are kept as they are, and so is which hours it works within a day. What is asked is whether its days' hours stand on
 * the days on which the group worked in those hours. Four days in a row on which the account was there (working days, or days of a
 * weekend) are a block; under the null hypothesis each order of their four lists of hours is as likely as any other, whatever the group
 * did. Why, and what it does not cover: docs/networks.md.
 *
 * @module
 */
import { BLOCK, type Block, type BlockTail, logBlockTail } from '../stats/block-permutations.js';
import type { GatheredTraffic } from './traffic.js';

const WEEK = 168;
/** Days from the first to the last of a block, at the most. */
const MOST_DAYS = 28;

/** Hours with requests, of all accounts. */
export interface FleetActivity {
	readonly traffic: GatheredTraffic;
	/** The first hour; index 0 of `present`. */
	readonly begin: number;
	/** Accounts that were there, by hour. */
	readonly present: Float64Array;
}

/** Counts who was there, hour by hour. */
export function fleetActivity(traffic: GatheredTraffic): FleetActivity {
	const { hours } = traffic;
	const begin = hours.reduce((least, hour) => Math.min(least, hour), Infinity);
	const end = hours.reduce((most, hour) => Math.max(most, hour), begin);
	const present = new Float64Array(hours.length === 0 ? 0 : end - begin + 1);
	for (const hour of hours) present[hour - begin]++;
	return { traffic, begin, present };
}

/** A group's activity, for tests of its members. */
export interface GroupActivity {
	/** Tests an account of the group against the rest of it. */
	test(account: number): BlockTail;
}

/** Gathers the activity of a group. Each account counts once an hour, so that none of them is the group's activity alone. */
export function groupActivity(fleet: FleetActivity, members: readonly number[]): GroupActivity {
	const { traffic, begin, present } = fleet;
	const own = new Float64Array(present.length);
	for (const account of members) for (const hour of hoursOf(traffic, account)) own[hour - begin]++;
	// The fleet without the group, in all and by hour of the week.
	const others = present.map((all, i) => all - own[i]);
	const ownByHour = new Float64Array(WEEK);
	const othersByHour = new Float64Array(WEEK);
	let ownTotal = 0;
	let othersTotal = 0;
	for (let i = 0; i < own.length; i++) {
		ownByHour[(begin + i) % WEEK] += own[i];
		othersByHour[(begin + i) % WEEK] += others[i];
		ownTotal += own[i];
		othersTotal += others[i];
	}
	/** An hour of the week on average, and a single hour: what an estimate begins with. */
	const weekly = (othersTotal + 1) / WEEK;
	const hourly = (othersTotal + 1) / Math.max(1, own.length);

	return {
		test(account) {
			const hours = hoursOf(traffic, account);
			const mine = new Set(hours);
			const mineByHour = new Float64Array(WEEK);
			for (const hour of hours) mineByHour[hour % WEEK]++;
			const rate = (ownTotal - hours.length) / (othersTotal + 1);
			/** ln of what the rest of the group did in an hour over what its week and the fleet's day let expect. */
			const score = (hour: number): number => {
				const i = hour - begin;
				if (i < 0 || i >= own.length) return 0;
				const slot = hour % WEEK;
				const share = (ownByHour[slot] - mineByHour[slot] + rate * weekly) / (othersByHour[slot] + weekly);
				const expected = share * (others[i] + hourly);
				const seen = own[i] - (mine.has(hour) ? 1 : 0);
				return Math.log((seen + 0.5) / (expected + 0.5));
			};
			return logBlockTail(blocksOf(hours).map((days) => scored(days, score)));
		},
	};
}

function hoursOf({ hours, hourStarts }: GatheredTraffic, account: number): Uint32Array {
	return hours.subarray(hourStarts[account], hourStarts[account + 1]);
}

/** A day on which an account was there. */
interface Day {
	/** Its first hour since 1970. */
	readonly begin: number;
	/** Hours in which it was there, counted from `begin`. */
	readonly pattern: number[];
}

/** Blocks of an account's days. A day begins where the account's own day does: at the end of the hours in which it is least there. */
function blocksOf(hours: Uint32Array): Day[][] {
	const boundary = quietestHour(hours);
	const days = new Map<number, Day>();
	for (const hour of hours) {
		const number = Math.floor((hour - boundary) / 24);
		const day = days.get(number) ?? { begin: number * 24 + boundary, pattern: [] };
		day.pattern.push(hour - day.begin);
		days.set(number, day);
	}
	const blocks: Day[][] = [];
	const open: [Day[], Day[]] = [[], []];
	for (const [number, day] of days) {
		// 1970-01-01 was a Thursday.
		const weekend = (number + 3) % 7 >= 5 ? 1 : 0;
		const block = open[weekend];
		if (block.length > 0 && day.begin - block[0].begin >= 24 * MOST_DAYS) blocks.push(block.splice(0));
		block.push(day);
		if (block.length === BLOCK) blocks.push(block.splice(0));
	}
	return [...blocks, ...open].filter((block) => block.length > 1);
}

/** The hour of the day around which an account is least there; no order of its days changes it. */
function quietestHour(hours: Uint32Array): number {
	const byHour = new Float64Array(24);
	for (const hour of hours) byHour[hour % 24]++;
	let best = 0;
	let least = Infinity;
	for (let hour = 0; hour < 24; hour++) {
		let around = 0;
		for (let off = -3; off <= 3; off++) around += byHour[(hour + off + 24) % 24] * (4 - Math.abs(off));
		if (around < least) {
			least = around;
			best = hour;
		}
	}
	return best;
}

/** Each day's hours on each day of the block. */
function scored(days: readonly Day[], score: (hour: number) => number): Block {
	const size = days.length;
	const scores = new Float64Array(size * size);
	for (const [place, { begin }] of days.entries())
		for (const [thing, { pattern }] of days.entries())
			for (const hour of pattern) scores[thing * size + place] += score(begin + hour);
	return { size, scores };
}
