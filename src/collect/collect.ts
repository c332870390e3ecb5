/**
 * Asks a suspect many questions through its API: concurrently, no faster than allowed, again after failures that pass,
 * within a budget, and never a question twice that was answered, whatever is killed in between.
 *
 * @module
 */
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import { TouchmarkError } from '../errors.js';
import { type Account, newAccount, type Prices, type TokenCounts } from './account.js';
import { type JournalEntry, openJournal } from './journal.js';
import { checkPlan, type Plan } from './plan.js';
import type { Answer, Question } from './protocol.js';
import { type Endpoint, PermanentFailure, send, TransientFailure } from './send.js';

/** How fast, how often. */
export interface Pace {
	/** Requests in flight at once. */
	readonly concurrency: number;
	readonly requestsPerMinute?: number;
	/** Attempts at a question in one run. */
	readonly attempts: number;
	/** Milliseconds before the second attempt; doubled for each one after, up to a minute, times 1 to 2 at random. */
	readonly backOff: number;
}

/** What may be spent over all runs on one journal. */
export interface Budget {
	readonly requests?: number;
	readonly money?: { readonly limit: number; readonly prices: Prices };
}

/** A collection. */
export interface Collection {
	readonly endpoint: Endpoint;
	/** What is asked; kept in the journal, which holds one plan. */
	readonly plan: Plan;
	readonly questions: readonly Question[];
	/** File of the journal. */
	readonly journal: string;
	readonly pace: Pace;
	readonly budget: Budget;
	/**
	 * Called with each answer in the order of the questions, those of earlier runs included. True: enough, ask no more
	 * (a sequential test that has reached its level).
	 */
	readonly inOrder?: (question: Question, answer: Answer) => boolean;
	/** Called whenever more questions have answers. */
	readonly progress?: (answered: number) => void;
}

/** How a run ended. */
export interface Collected {
	readonly account: Account;
	/** `budget`: what was left would not have paid for the next request in the worst case. */
	readonly stopped: 'done' | 'budget' | 'enough';
	/** Questions whose attempts all failed in this run. */
	readonly failed: readonly { readonly id: string; readonly reason: string }[];
}

/** Questions in a row whose attempts all failed: nobody is there. */
const HOPELESS = 5;

/** Longest pause between two attempts, milliseconds. */
const LONGEST_PAUSE = 60_000;

/** Tokens that an endpoint may add to a prompt: roles, beginning of text. */
const TEMPLATE_TOKENS = 128;

/** Why a run stops before its last question. */
class Stop extends Error {
	readonly why: 'budget' | 'enough';
	constructor(why: 'budget' | 'enough') {
		super(why);
		this.why = why;
	}
}

/**
 * Collects until every question has its answer, the budget is spent, or `inOrder` says enough. Requests that are in
 * flight when a run stops are finished and kept.
 *
 * @throws TouchmarkError `failed` when the endpoint refuses or is not there; `bad-input` for a journal of another plan
 */
export async function collect(collection: Collection): Promise<Collected> {
	const { endpoint, plan, questions, pace, inOrder, progress } = collection;
	const account = newAccount();
	const journal = await openJournal(collection.journal, account.add);
	const note = (entry: JournalEntry) => {
		journal.append(entry);
		account.add(entry);
	};
	const stop = new AbortController();
	setMaxListeners(0, stop.signal);
	const failed = new Map<string, string>();
	const purse = newPurse(account, collection.budget);
	const turn = newTurns(pace.requestsPerMinute, stop.signal);
	let inARow = 0;

	/** One request, in the journal before it is sent. */
	async function attempt(question: Question): Promise<void> {
		await turn.wait();
		const atMost = mostTokens(question, plan.parameters);
		let request = 0;
		await purse.spend(atMost, () => {
			stop.signal.throwIfAborted();
			request = account.requests + 1;
			note({ type: 'sent', request, question: question.id, time: now(), atMost });
		});
		try {
			const { seed } = question;
			const body = {
				...plan.parameters,
				...endpoint.protocol.question(question),
				...(seed === undefined ? {} : { seed }),
			};
			const answer = await send(endpoint, body);
			note({ type: 'answered', request, time: now(), answer });
		} catch (error) {
			if (error instanceof TransientFailure || error instanceof PermanentFailure)
				note({ type: 'failed', request, time: now(), reason: error.reason });
			if (error instanceof TransientFailure) turn.pause(error.retryAfter);
			throw error;
		} finally {
			purse.settled();
		}
		inARow = 0;
	}

	/** All attempts at a question. */
	async function ask(question: Question): Promise<void> {
		try {
			await pRetry(() => attempt(question), {
				retries: pace.attempts - 1,
				minTimeout: pace.backOff,
				maxTimeout: LONGEST_PAUSE,
				randomize: true,
				signal: stop.signal,
				shouldRetry: ({ error }) => error instanceof TransientFailure,
			});
		} catch (error) {
			if (stop.signal.aborted) return;
			if (!(error instanceof TransientFailure)) return stop.abort(error);
			failed.set(question.id, error.reason);
			if (++inARow === HOPELESS)
				return stop.abort(
					new TouchmarkError(
						'failed',
						`${HOPELESS} questions in a row have no answer after ${pace.attempts} attempts each; the last failure: ${error.message}; the same command goes on from here`,
					),
				);
		}
		deliver();
	}

	let delivered = 0;
	function deliver(): void {
		progress?.(account.answers.size);
		for (; delivered < questions.length; delivered++) {
			const question = questions[delivered];
			const answer = account.answers.get(question.id);
			if (answer === undefined && !failed.has(question.id)) return;
			if (answer === undefined || !inOrder?.(question, answer)) continue;
			stop.abort(new Stop('enough'));
			return;
		}
	}

	try {
		if (account.plan === null) note({ type: 'plan', version: 1, time: now(), plan: { ...plan } });
		else checkPlan(account.plan, plan, collection.journal);
		deliver();
		const open = questions.filter(({ id }) => !account.answers.has(id)).values();
		const work = async () => {
			for (const question of open) {
				if (stop.signal.aborted) return;
				await ask(question);
			}
		};
		await Promise.all(Array.from({ length: pace.concurrency }, work));
	} finally {
		journal.close();
	}
	const why = stop.signal.reason as unknown;
	if (stop.signal.aborted && !(why instanceof Stop)) throw why;
	return {
		account,
		stopped: why instanceof Stop ? why.why : 'done',
		failed: [...failed].map(([id, reason]) => ({ id, reason })),
	};
}

const now = () => new Date().toISOString();

/** The most that a request can be billed for: a token has at least one byte. Null where nothing bounds the answer. */
function mostTokens({ prompt }: Question, parameters: Plan['parameters']): TokenCounts | null {
	const output = mostOutput(parameters);
	return output === null ? null : { input: Buffer.byteLength(prompt) + TEMPLATE_TOKENS, output };
}

/** Tokens of an answer at most, as the request says it. */
export function mostOutput(parameters: Plan['parameters']): number | null {
	const bounds = [parameters.max_completion_tokens, parameters.max_tokens].filter(Number.isSafeInteger);
	return bounds.length === 0 ? null : Math.max(...(bounds as number[]));
}

/** Lets requests begin when the budget pays for them in the worst case; waits for outcomes that may free money. */
function newPurse(account: Account, { requests = Infinity, money }: Budget) {
	let waiting: (() => void)[] = [];
	let inFlight = 0;
	function pays(atMost: TokenCounts | null): boolean {
		if (money === undefined) return true;
		const { limit, prices } = money;
		const { input, output } = atMost ?? { input: Infinity, output: Infinity };
		return account.cost(prices) + (input * prices.input + output * prices.output) / 1e6 <= limit;
	}
	return {
		/** @param begin notes the request; nothing else can begin between the check and it */
		async spend(atMost: TokenCounts | null, begin: () => void): Promise<void> {
			while (account.requests < requests && !pays(atMost) && inFlight > 0)
				await new Promise<void>((resolve) => waiting.push(resolve));
			if (account.requests >= requests || !pays(atMost)) throw new Stop('budget');
			begin();
			inFlight++;
		},
		settled(): void {
			inFlight--;
			for (const resolve of waiting) resolve();
			waiting = [];
		},
	};
}

/** Gives each request its moment: evenly spaced, and after every pause that the endpoint asked for. */
function newTurns(requestsPerMinute: number | undefined, signal: AbortSignal) {
	const spacing = requestsPerMinute === undefined ? 0 : 60_000 / requestsPerMinute;
	let next = 0;
	let quietUntil = 0;
	return {
		async wait(): Promise<void> {
			do {
				const at = Math.max(Date.now(), next, quietUntil);
				next = at + spacing;
				await delay(at - Date.now(), undefined, { signal });
			} while (Date.now() < quietUntil);
		},
		pause(milliseconds: number): void {
			quietUntil = Math.max(quietUntil, Date.now() + milliseconds);
		},
	};
}
