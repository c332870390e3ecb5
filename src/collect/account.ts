/**
 * What a journal says so far: answers, requests, tokens. The state of a run is this fold and nothing else, so that a run
 * that was killed goes on from where its journal ends.
 *
 * @module
 */
import type { JournalEntry } from './journal.js';
import type { Answer } from './protocol.js';

/** Tokens, of prompts and of answers. */
export interface TokenCounts {
	readonly input: number;
	readonly output: number;
}

/** What a million tokens cost, in any one currency. */
export interface Prices {
	readonly input: number;
	readonly output: number;
}

/** The fold over a journal. */
export interface Account {
	/** By question. */
	readonly answers: ReadonlyMap<string, Answer>;
	/** Requests that were sent, or were about to be. */
	readonly requests: number;
	/** Failed requests by reason. */
	readonly failures: Readonly<Record<string, number>>;
	/** Requests that have no outcome: in flight, or in flight when a run was killed. */
	readonly open: number;
	/** Bytes of lines that crashes left unfinished. */
	readonly tornBytes: readonly number[];
	/** ISO 8601 times of the first request and of the last answer. */
	readonly first: string | null;
	readonly last: string | null;
	/** The plan that the journal was begun with. */
	readonly plan: Readonly<Record<string, unknown>> | null;
	/** Tokens that the endpoint says it billed. */
	readonly billed: TokenCounts;
	/** The most that all requests so far can have cost: what is not known to be less counts in full. */
	cost(prices: Prices): number;
	add(entry: JournalEntry): void;
}

/** An empty account. */
export function newAccount(): Account {
	const answers = new Map<string, Answer>();
	const failures: Record<string, number> = {};
	const tornBytes: number[] = [];
	/** Requests without an outcome. */
	const open = new Map<number, { question: string; atMost: TokenCounts | null }>();
	let requests = 0;
	let first: string | null = null;
	let last: string | null = null;
	let plan: Record<string, unknown> | null = null;
	let billed: TokenCounts = { input: 0, output: 0 };
	/** Reservations of requests that ended without saying what they cost. */
	let unknown: TokenCounts = { input: 0, output: 0 };

	return {
		answers,
		failures,
		tornBytes,
		get requests() {
			return requests;
		},
		get open() {
			return open.size;
		},
		get first() {
			return first;
		},
		get last() {
			return last;
		},
		get plan() {
			return plan;
		},
		get billed() {
			return billed;
		},
		cost(prices) {
			const all = [...open.values()].reduce((sum, { atMost }) => plus(sum, atMost), plus(billed, unknown));
			return (all.input * prices.input + all.output * prices.output) / 1e6;
		},
		add(entry) {
			switch (entry.type) {
				case 'plan':
					plan = entry.plan;
					return;
				case 'torn':
					tornBytes.push(entry.bytes);
					return;
				case 'sent':
					requests++;
					first ??= entry.time;
					open.set(entry.request, entry);
					return;
				case 'failed': {
					const atMost = open.get(entry.request)?.atMost ?? null;
					open.delete(entry.request);
					failures[entry.reason] = (failures[entry.reason] ?? 0) + 1;
					// Error responses are not billed; an answer that broke off, came late or was unreadable may be.
					if (!entry.reason.startsWith('http-')) unknown = plus(unknown, atMost);
					return;
				}
				case 'answered': {
					const sent = open.get(entry.request);
					if (sent === undefined) return;
					open.delete(entry.request);
					last = entry.time;
					answers.set(sent.question, entry.answer);
					if (entry.answer.usage === null) unknown = plus(unknown, sent.atMost);
					else billed = plus(billed, entry.answer.usage);
				}
			}
		},
	};
}

function plus(one: TokenCounts, other: TokenCounts | null): TokenCounts {
	return other === null ? one : { input: one.input + other.input, output: one.output + other.output };
}
