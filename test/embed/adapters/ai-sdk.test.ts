/** The middleware in the real SDK, which talks HTTP to an endpoint that takes `logit_bias`: the embedded teacher. */
import type { LanguageModelV3Middleware } from '@ai-sdk/provider';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { generateText, jsonSchema, Output, streamText, tool, wrapLanguageModel } from 'ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { specOf } from '../../../bench/fresh-marks.js';
import {
	type AiSdkOptions,
	aiSdkMiddleware,
	BIAS_LIMIT,
	staticBias,
	TextReceipt,
} from '../../../src/embed/adapters/ai-sdk.js';
import { embeddedTokenizer } from '../../../src/generate/embedded.js';
import { bindMark } from '../../../src/marks/mark.js';
import { detect } from '../../../src/verify/detect.js';
import { chatModel, type Habits, startTeacher } from './chat-provider.js';

const DELTA = 4;
const mark = bindMark(
	specOf({ scheme: { name: 'unigram', gamma: 0.25, delta: DELTA }, prf: 'chacha8-v1', contextWidth: 0 }),
	new Uint8Array(32).fill(1),
);
const green = mark.scheme.greenList?.(2048) ?? [];
const bias = staticBias(green, DELTA, 1024);
const tokenizer = embeddedTokenizer();

// The cases with a warning would print it.
globalThis.AI_SDK_LOG_WARNINGS = false;

let teacher: Awaited<ReturnType<typeof startTeacher>>;
beforeAll(async () => {
	teacher = await startTeacher();
});
afterAll(() => {
	teacher?.process.kill();
});

/** A wrapped model and the receipts of its answers. */
function wrapped(habits: Habits = {}, options: Partial<AiSdkOptions> = {}) {
	const receipts: TextReceipt[] = [];
	const middleware: LanguageModelV3Middleware = aiSdkMiddleware({
		provider: 'chat',
		mark: mark.id,
		bias,
		onReceipt: (receipt) => receipts.push(TextReceipt.parse(receipt)),
		...options,
	});
	return { receipts, model: wrapLanguageModel({ model: chatModel(teacher.url, habits), middleware }) };
}
const request = { prompt: 'It was a', maxOutputTokens: 100, seed: 7 };

function expectHashOf(text: string, receipt: TextReceipt): void {
	const bytes = concatBytes(hexToBytes(receipt.salt), utf8ToBytes(text));
	expect(receipt.textHash).toBe(bytesToHex(sha256(bytes)));
}

describe('an endpoint that takes a bias', () => {
	it('generateText: the text is marked and the receipt says so', async () => {
		const { model, receipts } = wrapped();
		const { text } = await generateText({ model, ...request });
		expect(receipts).toMatchObject([
			{
				status: 'finished',
				provider: 'test.chat',
				model: 'teacher',
				marking: 'static-bias',
				reason: null,
				confirmed: true,
				mark: mark.id,
				biased: green.length,
				tokens: 100,
			},
		]);
		expectHashOf(text, receipts[0]);
		expect(detect('x', tokenizer.encode(text), [mark]).verdict).toBe('marked');
	});

	it('streamText: the same, once the stream has ended', async () => {
		const { model, receipts } = wrapped({ shows: 'text' });
		const result = streamText({ model, ...request });
		const pieces: string[] = [];
		for await (const piece of result.textStream) {
			expect(receipts).toEqual([]);
			pieces.push(piece);
		}
		expect(pieces.length).toBeGreaterThan(50);
		expect(receipts).toMatchObject([
			{ status: 'finished', marking: 'static-bias', confirmed: true, tokens: 100 },
		]);
		expectHashOf(pieces.join(''), receipts[0]);
		expect(detect('x', tokenizer.encode(pieces.join('')), [mark]).verdict).toBe('marked');
	});

	it('a stream that the caller aborts leaves a receipt of what was given', async () => {
		const { model, receipts } = wrapped();
		const control = new AbortController();
		const result = streamText({ model, ...request, abortSignal: control.signal, onError: () => {} });
		let text = '';
		for await (const piece of result.textStream) {
			text += piece;
			if (text.length > 20) control.abort();
		}
		await new Promise((resolve) => setTimeout(resolve, 50));
		expect(receipts).toMatchObject([{ status: 'aborted', marking: 'static-bias', tokens: null }]);
	});

	it('keeps the caller’s own options, and its bias for other ids', async () => {
		const middleware = aiSdkMiddleware({ provider: 'chat', mark: 'm', bias: { 5: 2 }, onReceipt: () => {} });
		const params = { providerOptions: { chat: { user: 'u', logitBias: { 5: 1, 6: 1 } }, other: { a: 1 } } };
		expect(await middleware.transformParams({ params })).toEqual({
			providerOptions: { chat: { user: 'u', logitBias: { 5: 2, 6: 1 } }, other: { a: 1 } },
		});
	});
});

describe('a receipt says unmarked', () => {
	const cases: [string, Habits, Partial<AiSdkOptions>, TextReceipt['reason']][] = [
		[
			'when the provider warns',
			{ warnings: [{ type: 'unsupported', feature: 'logitBias' }] },
			{},
			'provider-warning',
		],
		['when the request shows no bias', { sendsBias: false }, {}, 'not-sent'],
		['when the option has a name that the provider does not know', {}, { option: 'logit_bias' }, 'not-sent'],
	];
	it.each(cases)('%s', async (_what, habits, options, reason) => {
		const { model, receipts } = wrapped(habits, options);
		await generateText({ model, ...request, maxOutputTokens: 5 });
		await streamText({ model, ...request, maxOutputTokens: 5 }).consumeStream();
		const unmarked = { marking: 'unmarked', reason, confirmed: false, mark: null, biased: 0, tokens: 5 };
		expect(receipts).toMatchObject([unmarked, unmarked]);
	});

	it('without a bias', async () => {
		const receipts: TextReceipt[] = [];
		const middleware = aiSdkMiddleware({ provider: 'chat', onReceipt: (receipt) => receipts.push(receipt) });
		const model = wrapLanguageModel({ model: chatModel(teacher.url), middleware });
		const { text } = await generateText({ model, ...request });
		expect(receipts).toMatchObject([{ marking: 'unmarked', reason: 'no-bias', tokens: 100 }]);
		expectHashOf(text, receipts[0]);
		expect(detect('x', tokenizer.encode(text), [mark]).verdict).not.toBe('marked');
	});

	it('for JSON and for tools, which a bias would spoil', async () => {
		const { model, receipts } = wrapped();
		await generateText({ model, ...request, output: Output.json() }).then(
			({ output }) => output,
			// The teacher does not speak JSON.
			() => undefined,
		);
		const inputSchema = jsonSchema<{ city: string }>({
			type: 'object',
			properties: { city: { type: 'string' } },
		});
		await generateText({ model, ...request, tools: { weather: tool({ inputSchema }) } });
		expect(receipts).toMatchObject([
			{ marking: 'unmarked', reason: 'structured-output' },
			{ marking: 'unmarked', reason: 'tools' },
		]);
	});
});

it('what the provider does not show is not confirmed', async () => {
	const { model, receipts } = wrapped({ shows: 'nothing' });
	await generateText({ model, ...request, maxOutputTokens: 5 });
	expect(receipts).toMatchObject([{ marking: 'static-bias', confirmed: false }]);
});

describe('a bias that no endpoint takes', () => {
	it.each<[string, Record<number, number>, RegExp]>([
		['too large', { 3: 101 }, /^static bias: field "3": must be at most 100$/],
		['too small', { 3: -101 }, /^static bias: field "3": must be at least -100$/],
		['not a number', { 3: Number.NaN }, /^static bias: field "3"/],
		['not a token id', { [-1]: 1 }, /^static bias: field "-1"/],
		['empty', {}, /^static bias: must hold a token id$/],
	])('%s: one sentence', (_what, wrong, sentence) => {
		expect(() => wrapped({}, { bias: wrong })).toThrow(sentence);
	});
	it('belongs to a mark', () => {
		expect(() => aiSdkMiddleware({ provider: 'chat', bias: { 1: 1 }, onReceipt: () => {} })).toThrow(
			/needs the id of its mark/,
		);
	});
	it('is cut to what endpoints take, the first ids first', () => {
		expect(staticBias([9, 3, 5], 2, 2)).toEqual({ 9: 2, 3: 2 });
		const many = Array.from({ length: 2000 }, (_, id) => id);
		expect(Object.keys(staticBias(many, 2))).toHaveLength(BIAS_LIMIT);
	});
});
