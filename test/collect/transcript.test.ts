/** What a transcript proves. */
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { newAccount } from '../../src/collect/account.js';
import { askGiven, askPrompts } from '../../src/collect/inquiry.js';
import { digestOf, type Plan } from '../../src/collect/plan.js';
import { verifyTranscript, writeTranscript } from '../../src/collect/transcript.js';
import { createKeyring } from '../../src/keys/keyring.js';

const time = '2026-11-25T12:00:00.000Z';
const inquiry = askPrompts([
	{ id: 'a', prompt: 'one' },
	{ id: 'b', prompt: 'two' },
	{ id: 'c', prompt: 'three' },
]);
const plan: Plan = {
	...{ kind: 'answers', protocol: 'chat', endpoint: 'http://127.0.0.1/v1', tokenizer: null },
	parameters: { model: 'm' },
	questions: digestOf(inquiry.questions),
};
const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(7));
const answered = (text: string, refusal: string | null = null) => ({
	...{ text, refusal, finishReason: 'stop', model: 'm-2', usage: null, tokens: null },
});
/** b came first, c failed. */
function accountOf() {
	const account = newAccount();
	account.add({ type: 'sent', request: 1, question: 'b', time, atMost: null });
	account.add({ type: 'answered', request: 1, time, answer: answered('second', 'No.') });
	account.add({ type: 'sent', request: 2, question: 'a', time, atMost: null });
	account.add({ type: 'answered', request: 2, time, answer: answered('first') });
	return account;
}

let folder: string;
const file = (name: string) => join(folder, name);
const write = (signer?: typeof ring) =>
	writeTranscript(
		folder,
		plan,
		inquiry,
		{ account: accountOf(), stopped: 'done', failed: [{ id: 'c', reason: 'timeout' }] },
		signer,
	);
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), 'touchmark-transcript-'));
	writeFileSync(file('journal.jsonl'), '{"type":"plan"}\n');
});

describe('a transcript', () => {
	it('holds the records in the order of the questions and names what has none', async () => {
		const statement = await write(ring);
		const records = readFileSync(file('records.jsonl'), 'utf8').trimEnd().split('\n');
		expect(records.map((line) => JSON.parse(line))).toEqual([
			{ id: 'a', prompt: 'one', text: 'first', finishReason: 'stop', model: 'm-2' },
			{ id: 'b', prompt: 'two', text: 'second', finishReason: 'stop', model: 'm-2', refusal: 'No.' },
		]);
		expect(statement).toMatchObject({
			model: { asked: 'm', answered: ['m-2'] },
			refusals: [{ id: 'b', reason: 'No.' }],
			unanswered: [{ id: 'c', reason: 'timeout' }],
			notReached: 0,
		});
		expect(await verifyTranscript(folder)).toEqual(statement);
	});
	it('does not sign where nobody signs, and is whole all the same', async () => {
		expect(await write()).toMatchObject({ publicKey: null, signature: null });
		await verifyTranscript(folder);
	});

	const edit = (name: string, from: string | RegExp, to: string) => {
		const text = readFileSync(file(name), 'utf8');
		expect(text).toMatch(from);
		writeFileSync(file(name), text.replace(from, to));
	};
	it.each<[string, () => void, RegExp]>([
		['a changed record', () => edit('records.jsonl', 'first', 'worst'), /a record was changed/],
		['a record less', () => edit('records.jsonl', /\{.*\n/, ''), /holds 1 records, but the statement says 2/],
		['a record more', () => appendFileSync(file('records.jsonl'), '{"id":"d"}\n'), /holds 3 records/],
		['records in another order', () => edit('records.jsonl', /^(.*)\n(.*)\n/, '$2\n$1\n'), /was changed/],
		['another journal', () => appendFileSync(file('journal.jsonl'), '\n'), /not the journal/],
		['a changed statement', () => edit('statement.json', '"asked": "m"', '"asked": "n"'), /does not verify/],
		[
			'a signature taken away',
			() => edit('statement.json', /"signature": "[0-9a-f]+"/, '"signature": null'),
			/does not verify/,
		],
		[
			'another key',
			() => edit('statement.json', /"publicKey": "[0-9a-f]+"/, `"publicKey": "${'0'.repeat(64)}"`),
			/does not verify/,
		],
		['no statement', () => rmSync(file('statement.json')), /does not exist/],
	])('with %s is refused', async (_what, change, sentence) => {
		await write(ring);
		change();
		await expect(verifyTranscript(folder)).rejects.toThrow(sentence);
	});
});

describe('log-probabilities of a given text', () => {
	const [prompt, text] = ['He said', ' no more.'];
	const inquiry = askGiven([{ id: 'g', prompt, text }]);
	const read = (tokens: [string, number | null][]) =>
		inquiry.record(
			0,
			{ ...answered(''), tokens: tokens.map(([token, logProb]) => ({ token, logProb, top: [] })) },
			new Map(),
		);
	it('are those of the tokens that begin within it', () => {
		const tokens: [string, number | null][] = [
			['<s>', null],
			['He', -1],
			[' said', -2],
			[' no', -3],
			[' more', -4],
			['.', -5],
			[' And', -6],
		];
		expect(read(tokens)).toMatchObject({ id: 'g', prompt, text, logProbs: [-3, -4, -5] });
	});
	it('leave out a token that spans the end of the prompt', () => {
		expect(
			read([
				['He', null],
				[' said no', -3],
				[' more.', -4],
			]),
		).toMatchObject({ logProbs: [-4] });
	});
	it('are not guessed when the tokens spell something else', () => {
		expect(
			read([
				['He', null],
				[' says', -2],
				[' no more.', -3],
			]),
		).toMatch(/do not spell the text/);
	});
});
