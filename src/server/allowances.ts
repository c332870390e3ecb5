/**
 * How much each API key has asked for: a token bucket for the rate, a count for the day.
 *
 * @module
 */
import type { ApiKey } from './api-keys.js';
import { Refusal } from './problems.js';

const DAY = 86_400_000;

/** What is left of a key's allowance. */
interface Account {
	/** Requests that may come at once. */
	tokens: number;
	/** When that was so, milliseconds. */
	at: number;
	/** Number of the day (UTC), and requests in it. */
	day: number;
	asked: number;
}

/** Allowances of all keys. They are held in memory: a restart begins a new day. */
export interface Allowances {
	/** Counts a request. @param now milliseconds since 1970 @throws Refusal `rate-limited`, `quota-exceeded` */
	take(key: ApiKey, now: number): void;
}

/** Allowances of which nothing is spent. */
export function newAllowances(): Allowances {
	const accounts = new Map<string, Account>();
	return {
		take({ id, perDay, perSecond, burst }, now) {
			const day = Math.floor(now / DAY);
			const account = accounts.get(id) ?? { tokens: burst, at: now, day, asked: 0 };
			accounts.set(id, account);
			const passed = Math.max(0, now - account.at) / 1000;
			account.tokens = Math.min(burst, account.tokens + passed * perSecond);
			account.at = now;
			if (account.day !== day) {
				account.day = day;
				account.asked = 0;
			}
			if (account.asked >= perDay)
				throw new Refusal(
					'quota-exceeded',
					`the requests of this key are spent for today (${perDay} a day, UTC)`,
					Math.ceil(((day + 1) * DAY - now) / 1000),
				);
			if (account.tokens < 1)
				throw new Refusal(
					'rate-limited',
					`this key asks faster than it may (${perSecond} requests a second)`,
					Math.ceil((1 - account.tokens) / perSecond),
				);
			account.tokens -= 1;
			account.asked += 1;
		},
	};
}
