/**
 * What is kept of requests: which fingerprints of prompts an account used, and in which hours it was there.
 *
 * 8 bytes for each distinct (fingerprint, account), up to 2^25 of them and a sample of fingerprints from then on, and 8 bytes for each
 * distinct (account, hour). No order of requests is needed.
 *
 * @module
 */
import { spread } from '../fingerprints/words.js';
import { newNumberPairs, type SortedPairs } from './number-pairs.js';

/** 64 bits or fewer that near-duplicates of a prompt share; what they are made from is not asked. */
export interface PromptFingerprint {
	/** 32 bits. */
	readonly word: number;
	/** Up to 32 bits more. */
	readonly more: number;
}

/** Most accounts. */
export const MOST_ACCOUNTS = 2 ** 24;
const MOST_FINGERPRINTS = 2 ** 25;

/** Requests, gathered. */
export interface Traffic {
	/** @param hour since 1970, UTC, a whole number */
	add(account: string, hour: number, fingerprints: readonly PromptFingerprint[]): void;
	gathered(): GatheredTraffic;
}

/** All that the search for networks knows. Accounts are numbered as they came. */
export interface GatheredTraffic {
	readonly accounts: readonly string[];
	/** By account. */
	readonly requests: Uint32Array;
	/** Hours with a request: those of account a are `hours[hourStarts[a]]` to before `hours[hourStarts[a + 1]]`, ascending. */
	readonly hours: Uint32Array;
	readonly hourStarts: Uint32Array;
	/** (32 bits of a fingerprint, 8 bits more and the account in 24 bits). */
	readonly prompts: SortedPairs;
}

/** Begins without a request. */
export function newTraffic(): Traffic {
	const numbers = new Map<string, number>();
	const requests: number[] = [];
	const prompts = newNumberPairs(MOST_FINGERPRINTS);
	const hours = newNumberPairs();
	return {
		add(account, hour, fingerprints) {
			let number = numbers.get(account);
			if (number === undefined) {
				number = numbers.size;
				if (number === MOST_ACCOUNTS) throw new RangeError(`more than ${MOST_ACCOUNTS} accounts`);
				numbers.set(account, number);
				requests.push(0);
			}
			requests[number]++;
			hours.add(number, hour);
			for (const { word, more } of fingerprints) {
				// Fingerprints of others' making need not be uniform.
				const hash = spread(word ^ spread(more));
				prompts.add(hash, ((spread(more + 0x9e3779b9 + word) << 24) | number) >>> 0);
			}
		},
		gathered() {
			const present = hours.sorted();
			const hourStarts = new Uint32Array(numbers.size + 1);
			const list = new Uint32Array(present.count);
			for (let i = 0; i < present.count; i++) {
				hourStarts[present.first(i) + 1]++;
				list[i] = present.second(i);
			}
			for (let account = 0; account < numbers.size; account++) hourStarts[account + 1] += hourStarts[account];
			return {
				accounts: [...numbers.keys()],
				requests: Uint32Array.from(requests),
				hours: list,
				hourStarts,
				prompts: prompts.sorted(),
			};
		},
	};
}
