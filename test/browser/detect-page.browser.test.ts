/** The detector in a browser page gives what Node gives, to the bit, with WebAssembly and without. */
import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Fields, Kind } from '../../examples/browser/scan.js';
import { type ServedPage, servePage } from '../../examples/browser/serve.js';
import { createMarker } from '../../src/embed/marker.js';
import {
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
	PROMPT_TOKENS,
} from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { createKeyring } from '../../src/keys/keyring.js';
import { bindOpenedMark } from '../../src/keys/opened-mark.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { generatorOf } from '../../src/marks/generators.js';
import { HfConfig, hfMark } from '../../src/marks/hf-config.js';
import type { Mark } from '../../src/marks/mark.js';
import type { MarkTemplate } from '../../src/marks/mark-spec.js';
import { VllmConfig, vllmMark } from '../../src/marks/vllm-config.js';
import { detect } from '../../src/verify/detect.js';
import { CHROMIUM, launchChromium, NO_CHROMIUM } from '../chromium.js';

const tokenizer = embeddedTokenizer();
const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(11));
const [kgw, gumbel] = defaultMarks('browser', tokenizer.fingerprint);
const synthid: MarkTemplate = { ...gumbel, scheme: { name: 'synthid', depth: 30 } };
const tilted: MarkTemplate = {
	...kgw,
	scheme: { name: 'kgw', gamma: 0.5, delta: 2, seeding: 'min' },
	contextWidth: 3,
};

/** Opened marks whose keys count as committed beforehand. */
function opened(...templates: MarkTemplate[]) {
	return templates.map((template) => {
		const spec = ring.add({ ...template, epoch: ring.marks.length });
		ring.recordLogged(spec, { index: 0, time: '2026-01-01T00:00:00Z', leaf: '0'.repeat(64) });
		return ring.open(spec);
	});
}

/** Layer keys of a tournament. */
const layers = (count: number) => Array.from({ length: count }, (_, i) => 1000 + 37 * i);
const CASES: Readonly<Record<string, readonly [Kind, unknown]>> = {
	'gumbel, ChaCha8': ['opened', opened(gumbel)[0]],
	'kgw, ChaCha8': ['opened', opened(kgw)[0]],
	'kgw by the least of three ids, ChaCha8': ['opened', opened(tilted)[0]],
	'kgw and gumbel in one text, ChaCha8': ['opened', opened(kgw, gumbel)],
	'synthid, ChaCha8': ['opened', opened(synthid)[0]],
	'gumbel with two keys, ChaCha8': [
		'opened',
		opened({ ...gumbel, scheme: { name: 'dual_key_gumbel', alpha: 0.1 } })[0],
	],
	'unigram, ChaCha8': [
		'opened',
		opened({ ...kgw, scheme: { name: 'unigram', gamma: 0.5, delta: 2 }, contextWidth: 0 })[0],
	],
	'vLLM gumbel, Philox': ['vllm', { algorithm: 'gumbel', key: '9876543210', context_width: 4 }],
	'vLLM synthid, Philox': ['vllm', { algorithm: 'synthid', key: 42, context_width: 2 }],
	'vLLM gumbel, HMAC': ['vllm', { algorithm: 'gumbel', key: 42, prf: 'hmac-sha256' }],
	'transformers kgw': ['hf', { vocab_size: 2048 }],
	'transformers kgw, selfhash': ['hf', { seeding_scheme: 'selfhash', context_width: 3, vocab_size: 2048 }],
	'transformers synthid': ['hf', { ngram_len: 5, keys: layers(20) }],
	'DeepMind synthid': ['hf', { hash: 'deepmind', ngram_len: 5, keys: layers(20) }],
};

/** The marks of a case as Node's own callers bind them, and the bits that a verdict pays for. */
function bind([kind, config]: readonly [Kind, unknown]): [marks: Mark[], searchBits: number] {
	if (kind === 'opened') {
		const bound = [config].flat().map((file) => bindOpenedMark(file, 'test'));
		return [bound.map(({ mark }) => mark), Math.max(...bound.map(({ searchBits }) => searchBits))];
	}
	if (kind === 'vllm') return [[vllmMark(VllmConfig.parse(config))], 64];
	const mark = hfMark(HfConfig.parse(config));
	return [[mark], generatorOf(mark.spec.prf).searchBits(mark.spec.scheme)];
}

/** Pieces longer than any that the model wrote, and characters outside ASCII. */
const AFTERWORD = ' The incomprehensibilities of counterrevolutionaries in a café in 東京 😀.\n';

interface Example {
	readonly name: string;
	readonly fields: Fields;
	/** What Node says, as JSON. */
	readonly node: string;
}

/** Marked texts by the embedded teacher, and what Node finds in them. */
function examples(): Example[] {
	const model = embeddedModel('teacher');
	const prompts = embeddedPrompts().slice(0, 4);
	return Object.entries(CASES).map(([name, one]) => {
		const [marks, searchBits] = bind(one);
		const samples = sampleTexts({
			model,
			tokenizer,
			marker: createMarker({ marks, vocabSize: model.vocabSize, specialTokens: tokenizer.specialTokens }),
			prompts,
			maxTokens: model.maxLength - PROMPT_TOKENS,
			seed: name,
		});
		const text = [...samples].map((sample) => sample.text).join('\n') + AFTERWORD;
		const fields: Fields = { text, prompt: prompts[0], kind: one[0], config: JSON.stringify(one[1]) };
		const [first, ...rest] = marks;
		const result = detect('text', tokenizer.encode(text), [first, ...rest], {
			searchBits,
			given: tokenizer.encode(prompts[0]),
		});
		for (const found of result.tests) expect(found.log10P, name).toBeLessThan(-6);
		return { name, fields, node: JSON.stringify(result) };
	});
}

if (CHROMIUM === undefined) test('the detector in a browser', (context) => context.skip(NO_CHROMIUM));

describe.skipIf(CHROMIUM === undefined)('the detector in a browser', () => {
	let served: ServedPage;
	let browser: Browser;
	let all: Example[];

	beforeAll(async () => {
		all = examples();
		// The build fails when anything in it imports a Node built-in.
		served = await servePage(0);
		browser = await launchChromium();
	});
	afterAll(async () => {
		await browser?.close();
		await served?.close();
	});

	/** Opens the page, uses it, and then expects that it logged nothing and asked for its own files only. */
	async function inPage(use: (page: Page) => Promise<void>, before?: () => void): Promise<void> {
		const context = await browser.newContext();
		const messages: string[] = [];
		const requests = new Set<string>();
		const page = await context.newPage();
		page.on('console', (message) => messages.push(message.text()));
		page.on('pageerror', (error) => messages.push(error.message));
		page.on('request', (request) => requests.add(request.url()));
		if (before !== undefined) await page.addInitScript(before);
		await page.goto(served.url, { waitUntil: 'load' });
		await use(page);
		expect(messages).toEqual([]);
		const own = ['', 'page.js', 'tokenizer.json'].map((name) => served.url + name);
		expect([...requests].filter((url) => !url.startsWith('data:') && !own.includes(url))).toEqual([]);
		await context.close();
	}

	/** Fills the form as a user does who pastes, and returns the result that the page shows as JSON. */
	async function scanned(page: Page, { text, prompt, kind, config }: Fields): Promise<string | null> {
		for (const [field, value] of Object.entries({ text, prompt, config })) {
			await page.locator(`#${field}`).fill('');
			await page.locator(`#${field}`).focus();
			await page.keyboard.insertText(value);
		}
		await page.locator('#kind').selectOption(kind);
		await page.getByRole('button', { name: 'Test' }).click();
		await page.locator('#result:visible, #problem:not(:empty)').waitFor();
		expect(await page.locator('#problem').textContent()).toBe('');
		return page.locator('#json').textContent();
	}

	test('gives the result of Node to the bit, by the WebAssembly kernel', async () => {
		await inPage(
			async (page) => {
				for (const { name, fields, node } of all) expect(await scanned(page, fields), name).toBe(node);
				expect(await page.evaluate('instances')).toBe(1);
			},
			() => {
				const { Instance } = WebAssembly;
				const counter = { instances: 0 };
				Object.defineProperty(globalThis, 'instances', { get: () => counter.instances });
				WebAssembly.Instance = new Proxy(Instance, {
					construct(target, args: ConstructorParameters<typeof Instance>) {
						counter.instances++;
						return new target(...args);
					},
				});
			},
		);
	});

	test('and by the plain twins, where there is no WebAssembly', async () => {
		await inPage(
			async (page) => {
				expect(await page.evaluate('typeof WebAssembly')).toBe('undefined');
				for (const { name, fields, node } of all) expect(await scanned(page, fields), name).toBe(node);
			},
			() => {
				Reflect.deleteProperty(globalThis, 'WebAssembly');
			},
		);
	});

	test('takes a tokenizer.json from its user', async () => {
		const [{ fields, node }] = all;
		await inPage(async (page) => {
			const chooser = page.locator('#tokenizer');
			await chooser.setInputFiles({ name: 'other.json', mimeType: '', buffer: Buffer.from('{"model":{}}') });
			await expect(scanned(page, fields)).rejects.toThrow(/other\.json/);
			const buffer = readFileSync('models/teacher/tokenizer.json');
			await chooser.setInputFiles({ name: 'tokenizer.json', mimeType: '', buffer });
			expect(await scanned(page, fields)).toBe(node);
		});
	});

	test('can be used by the keyboard alone, and says in a sentence what is wrong', async () => {
		const [{ fields, node }] = all;
		await inPage(async (page) => {
			const { keyboard } = page;
			await keyboard.press('Tab');
			await keyboard.insertText(fields.text);
			await keyboard.press('Tab');
			await keyboard.insertText(fields.prompt);
			await keyboard.press('Tab');
			await keyboard.press('ArrowDown');
			await keyboard.press('Tab');
			await keyboard.insertText(fields.config);
			await keyboard.press('Tab');
			await keyboard.press('Tab');
			await keyboard.press('Enter');
			const problem = page.getByRole('alert');
			await problem.filter({ hasText: 'JSON' }).waitFor();
			expect(await problem.textContent()).toMatch(/^JSON: field "algorithm": must be "gumbel"/);
			await page.locator('#kind').focus();
			await keyboard.press('ArrowUp');
			await keyboard.press('Enter');
			await page.locator('button').press('Enter');
			await page.locator('#result').waitFor();
			expect(await page.evaluate('document.activeElement.id')).toBe('verdict');
			expect(await page.locator('#verdict').textContent()).toMatch(/^marked: p ≤ 10\^-\d/);
			expect(await page.locator('#json').textContent()).toBe(node);
		});
	});
});
