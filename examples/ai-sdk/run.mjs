/**
 * Answers through the Vercel AI SDK from an endpoint that takes `logit_bias`: a unigram mark by a static bias, and
 * receipts that say so. The endpoint is the embedded teacher on the loopback.
 *
 * @example
 * node run.mjs
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createOpenAI } from '@ai-sdk/openai';
import { generateText, streamText, wrapLanguageModel } from 'ai';
import { detect } from 'touchmark';
import { aiSdkMiddleware, staticBias } from 'touchmark/embed/ai-sdk';
import { embeddedTokenizer } from 'touchmark/generate';
import { bindMark, defaultMarks } from 'touchmark/marks';

const server = spawn(process.execPath, [fileURLToPath(new URL('../teacher-server.mjs', import.meta.url))]);
server.stderr.pipe(process.stderr);
const [line] = await once(server.stdout, 'data');
const openai = createOpenAI({ baseURL: String(line).trim(), apiKey: 'none' });

const DELTA = 4;
const [shape] = defaultMarks('example', '0'.repeat(64));
const unigram = { ...shape, scheme: { name: 'unigram', gamma: 0.25, delta: DELTA }, contextWidth: 0 };
const mark = bindMark({ ...unigram, tokenizer: null, commitment: null }, randomBytes(32));
const tokenizer = embeddedTokenizer();

/** The teacher behind `api`, with a bias towards all its green ids (an endpoint may take fewer). */
const marked = (api) =>
	wrapLanguageModel({
		model: api,
		middleware: aiSdkMiddleware({
			provider: 'openai',
			mark: mark.id,
			bias: staticBias(mark.scheme.greenList(2048), DELTA, 1024),
			onReceipt: (receipt) => process.stdout.write(`receipt ${JSON.stringify(receipt)}\n`),
		}),
	});
const report = (what, text) => {
	const { verdict, log10P } = detect(what, tokenizer.encode(text), [mark]);
	process.stdout.write(`${text}\n${what}: ${verdict}, log10 p ${log10P.toFixed(1)}\n\n`);
};

try {
	const model = marked(openai.chat('teacher'));
	const request = { model, prompt: 'It was a', maxOutputTokens: 100 };
	report('generateText', (await generateText(request)).text);
	report('streamText', await streamText(request).text);
	report('without the bias', (await generateText({ ...request, model: openai.chat('teacher') })).text);
} finally {
	server.kill();
}
