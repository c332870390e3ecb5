/** A journal cut anywhere, as a crash cuts it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newAccount } from '../../src/collect/account.js';
import { type JournalEntry, openJournal } from '../../src/collect/journal.js';

const time = '2026-11-25T12:00:00.000Z';
const answer = (text: string) => ({
	text,
	...{ finishReason: 'stop', refusal: null, model: 'm', tokens: null },
	usage: { input: 10, output: 5 },
});
const atMost = { input: 100, output: 50 };
const ENTRIES: JournalEntry[] = [
	{ type: 'plan', version: 1, time, plan: { kind: 'answers' } },
	{ type: 'sent', request: 1, question: 'a', time, atMost },
	{ type: 'sent', request: 2, question: 'b', time, atMost },
	{ type: 'answered', request: 1, time, answer: answer('naïve 世界') },
	{ type: 'failed', request: 2, time, reason: 'http-429' },
	{ type: 'sent', request: 3, question: 'b', time, atMost },
	{ type: 'failed', request: 3, time, reason: 'truncated' },
	{ type: 'sent', request: 4, question: 'b', time, atMost },
	{ type: 'answered', request: 4, time, answer: answer('') },
];

async function journalOf(bytes: Uint8Array) {
	const path = join(await mkdtemp(join(tmpdir(), 'touchmark-journal-')), 'journal.jsonl');
	writeFileSync(path, bytes);
	const replayed: JournalEntry[] = [];
	const open = async () => {
		replayed.length = 0;
		return openJournal(path, (entry) => replayed.push(entry));
	};
	return { path, replayed, open };
}
const WHOLE = Buffer.from(ENTRIES.map((entry) => `${JSON.stringify(entry)}\n`).join(''));

describe('a journal', () => {
	it('cut anywhere holds the entries before the cut, and says what was torn', async () => {
		for (let cut = 0; cut <= WHOLE.length; cut += 11) {
			const { path, replayed, open } = await journalOf(WHOLE.subarray(0, cut));
			const whole = WHOLE.subarray(0, cut).toString('latin1').split('\n').length - 1;
			const torn = cut - (WHOLE.subarray(0, cut).lastIndexOf(10) + 1);
			(await open()).close();
			expect(replayed.slice(0, whole)).toEqual(ENTRIES.slice(0, whole));
			expect(replayed.slice(whole).map((entry) => entry.type === 'torn' && entry.bytes)).toEqual(
				torn > 0 ? [torn] : [],
			);
			// What is appended next is a line of its own.
			const journal = await open();
			journal.append(ENTRIES[1]);
			journal.close();
			const last = readFileSync(path, 'utf8').trimEnd().split('\n').at(-1);
			expect(JSON.parse(String(last))).toEqual(ENTRIES[1]);
		}
	});
	it('with a line in the middle that is no entry is refused by its number, and left unlocked', async () => {
		const text = WHOLE.toString('utf8').replace('"type":"answered"', '"type":"anwsered"');
		const { open } = await journalOf(Buffer.from(text));
		await expect(open()).rejects.toThrow(/journal\.jsonl:4/);
		await expect(open()).rejects.toThrow(/journal\.jsonl:4/);
	});
	it('that a running process writes is refused; one that a killed process left is taken over', async () => {
		const { path, open } = await journalOf(WHOLE);
		writeFileSync(`${path}.lock`, String(process.ppid));
		await expect(open()).rejects.toThrow(/another process collects into this folder/);
		writeFileSync(`${path}.lock`, '999999999');
		(await open()).close();
	});
});

describe('an account', () => {
	it('counts in full what is not known to be less', () => {
		const prices = { input: 1e6, output: 1e6 };
		const account = newAccount();
		const costs = ENTRIES.map((entry) => {
			account.add(entry);
			return account.cost(prices);
		});
		// Two in flight; one is answered; an error is free; a truncated answer may have been billed; the last is answered.
		expect(costs).toEqual([0, 150, 300, 165, 15, 165, 165, 315, 180]);
		expect(account).toMatchObject({ requests: 4, open: 0, billed: { input: 20, output: 10 } });
		expect([...account.answers.keys()]).toEqual(['a', 'b']);
		expect(account.failures).toEqual({ 'http-429': 1, truncated: 1 });
	});
});
