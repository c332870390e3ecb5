/**
 * A simulated fleet: ordinary accounts, hidden networks, and innocents who look like them.
 *
 * @module
 */
import type { PromptFingerprint } from '../src/networks/index.js';
import { randomSource } from '../test/stats/random.js';

/** Days of the log; it begins on a Monday. */
export const DAYS = 56;
const BEGIN = Date.UTC(2026, 5, 1) / 3_600_000;
/** Days in which the same members of a network are at work. */
const EPOCH = 14;

/** What an account is. Numbers of networks and teams count from 0. */
export interface Truth {
	readonly kind: 'ordinary' | 'member' | Innocent;
	/** Of a network, of a team; −1 for none. */
	readonly group: number;
}

/** Heavy innocents. */
export const INNOCENTS = ['tools', 'nightly', 'volume', 'all-day', 'team', 'same-templates'] as const;
export type Innocent = (typeof INNOCENTS)[number];

/** How large a fleet is. */
export interface FleetSize {
	readonly accounts: number;
	/** Members of each network. */
	readonly networks: readonly number[];
	/** Heavy innocents of each kind. */
	readonly innocents: number;
	/** Requests of an average account, about. */
	readonly requests: number;
}

/** 30 sizes from 5 to 2,000, evenly spaced by logarithm. */
export const NETWORK_SIZES = Array.from({ length: 30 }, (_, i) => Math.round(5 * 400 ** (i / 29)));

/** Who gets a request: account, hour since 1970, fingerprints of its prompt. */
export type Sink = (account: number, hour: number, fingerprints: PromptFingerprint[]) => void;

/** Runs the fleet. The same seed gives the same requests. @returns what each account is */
export function simulateFleet(size: FleetSize, seed: number, sink: Sink): Truth[] {
	const random = randomSource(seed * 7919 + 13);
	const below = (n: number) => Math.floor(random() * n);
	const fingerprint = (): PromptFingerprint => ({ word: below(2 ** 32), more: below(2 ** 32) });
	const fingerprints = (count: number) => Array.from({ length: count }, fingerprint);
	/** A template has six fingerprints between its slots; filling them loses some and adds two that nobody else has. */
	const filled = (template: readonly PromptFingerprint[]) => [
		...template.filter(() => random() < 0.8),
		...fingerprints(2),
	];
	const pick = <T>(list: readonly T[]) => list[below(list.length)];
	const poisson = (mean: number) => {
		let count = 0;
		for (let left = Math.exp(-Math.min(mean, 50)), product = random(); product > left; product *= random())
			count++;
		return count;
	};
	const weekday = (day: number) => day % 7 < 5;
	const hourAt = (day: number, hour: number) => BEGIN + Math.max(0, Math.min(24 * DAYS - 1, 24 * day + hour));

	/** Public tools: the k-th most popular has about 1/k of the use. */
	const tools = Array.from({ length: 20 }, () => fingerprints(6));
	const tool = () => tools[Math.floor(20 ** random()) - 1];
	const truth: Truth[] = [];
	const ordinaryPrompt = () => (random() < 0.25 ? filled(tool()) : fingerprints(4));
	/** A person: some days, an afternoon or a morning, more on working days. */
	const person = (
		account: number,
		requests: number,
		prompt: () => PromptFingerprint[],
		days?: readonly number[],
	) => {
		const start = 24 * random();
		const first = random() < 0.3 ? below(DAYS - 7) : 0;
		const own = (days ?? Array.from({ length: DAYS - first }, (_, i) => first + i)).filter(
			(day) => days !== undefined || random() < (weekday(day) ? 0.7 : 0.25),
		);
		if (own.length === 0) own.push(first);
		for (const day of own)
			for (let session = 1 + below(3); session > 0; session--) {
				const hour = start + 8 * random();
				for (let i = poisson(requests / own.length / 2); i >= 0; i--)
					sink(account, Math.floor(hourAt(day, hour + 1.5 * random())), prompt());
			}
	};

	for (const [network, members] of size.networks.entries()) {
		const base = truth.length;
		for (let i = 0; i < members; i++) truth.push({ kind: 'member', group: network });
		const templates = Array.from({ length: 30 }, () => fingerprints(6));
		const active = Array.from({ length: members }, () => {
			const epochs = Array.from({ length: DAYS / EPOCH }, () => random() < 0.6);
			if (!epochs.includes(true)) epochs[below(epochs.length)] = true;
			return epochs;
		});
		/** Bursts: on most days one or two, at any hour, of one to four hours. */
		for (let day = 0; day < DAYS; day++)
			for (let burst = poisson(1.5); burst > 0; burst--) {
				const hour = below(24);
				const length = 1 + below(4);
				const own = Array.from({ length: 6 }, () => pick(templates));
				for (let member = 0; member < members; member++) {
					if (!active[member][Math.floor(day / EPOCH)] || random() < 0.3) continue;
					for (let i = poisson((0.8 * size.requests) / (0.6 * DAYS * 1.5 * 0.7)); i > 0; i--)
						sink(base + member, Math.floor(hourAt(day, hour + length * random())), filled(pick(own)));
				}
			}
		for (let member = 0; member < members; member++)
			person(base + member, 0.2 * size.requests, ordinaryPrompt);
		// Innocents who took this network's prompts from a public place, and use them when they like.
		if (network % 5 === 0)
			for (let i = 0; i < size.innocents / Math.ceil(size.networks.length / 5); i++) {
				truth.push({ kind: 'same-templates', group: network });
				person(truth.length - 1, 2 * size.requests, () =>
					random() < 0.7 ? filled(pick(templates)) : ordinaryPrompt(),
				);
			}
	}
	for (let i = 0; i < size.innocents; i++) {
		const add = (kind: Innocent, group = -1) => truth.push({ kind, group }) - 1;
		person(add('tools'), 4 * size.requests, () => filled(random() < 0.9 ? pick(tools.slice(0, 4)) : tool()));
		person(add('volume'), 2 * size.requests, ordinaryPrompt);
		const job = fingerprints(6);
		const nightly = add('nightly');
		for (let day = 0, hour = below(6); day < DAYS; day++)
			for (let n = poisson((2 * size.requests) / DAYS); n >= 0; n--)
				sink(nightly, Math.floor(hourAt(day, hour)), random() < 0.5 ? filled(tool()) : filled(job));
		const busy = add('all-day');
		for (let n = 0; n < 4 * size.requests; n++)
			sink(busy, Math.floor(hourAt(below(DAYS), 24 * random())), ordinaryPrompt());
	}
	/** Teams: the same days, prompts of their own, each at hours of its own. */
	for (let left = size.innocents, team = 0; left > 0; team++) {
		const templates = Array.from({ length: 10 }, () => fingerprints(6));
		const days = Array.from({ length: DAYS }, (_, day) => day).filter(
			(day) => random() < (weekday(day) ? 0.6 : 0.05),
		);
		for (let i = 2 + below(9); i > 0 && left > 0; i--, left--) {
			truth.push({ kind: 'team', group: team });
			person(
				truth.length - 1,
				2 * size.requests,
				() => (random() < 0.6 ? filled(pick(templates)) : ordinaryPrompt()),
				days,
			);
		}
	}
	const others = size.accounts - truth.length;
	/** Zipf: the k-th has 1/k of the first, so that all together have their share. */
	const harmonic = Math.log(others) + 0.5772;
	for (let k = 1; k <= others; k++) {
		truth.push({ kind: 'ordinary', group: -1 });
		person(
			truth.length - 1,
			Math.min(20 * size.requests, Math.max(3, (0.7 * size.requests * others) / (k * harmonic))),
			ordinaryPrompt,
		);
	}
	return truth;
}
