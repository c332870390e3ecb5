/**
 * Why the hardened PRF is ChaCha8: against AES-256, in Node and in a browser.
 *
 * @module
 */
import { createCipheriv } from 'node:crypto';
import { ctr } from '@noble/ciphers/aes.js';
import { build } from 'esbuild';
import { chacha8 } from '../src/prf/chacha8.js';
import { CHROMIUM, launchChromium } from '../test/chromium.js';
import { type Bench, interleave, type Row } from './rows.js';

const TOKENS = 128_256;

/** Runs in the page: µs for the keystream of a vocabulary of 8-bit fields, and ns for one pair. */
const PAGE = `
import { chacha8 } from './src/prf/chacha8.ts';
import { ctr } from '@noble/ciphers/aes.js';
const key = new Uint8Array(32).fill(7);
const prf = chacha8(key);
const out = new Uint32Array(${TOKENS});
const zeros = new Uint8Array(${TOKENS});
const nonce = new Uint8Array(16);
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
async function time(repeats, calls, run) {
	const times = [];
	for (let i = 0; i < repeats + 1; i++) {
		const begun = performance.now();
		for (let j = 0; j < calls; j++) await run(j);
		if (i > 0) times.push((performance.now() - begun) / calls);
	}
	return median(times);
}
window.measure = async (repeats) => {
	const web = await crypto.subtle.importKey('raw', key, 'AES-CTR', false, ['encrypt']);
	const counter = (j) => { nonce[0] = j; return nonce; };
	return {
		chachaBulk: await time(repeats, 20, (j) => prf.fields([j], 8, out)),
		aesJsBulk: await time(repeats, 20, (j) => ctr(key, counter(j)).encrypt(zeros)),
		aesWebBulk: await time(repeats, 20, (j) => crypto.subtle.encrypt({ name: 'AES-CTR', counter: counter(j), length: 64 }, web, zeros)),
		chachaPairs: await time(repeats, 1, () => { let sum = 0; for (let j = 0; j < 20000; j++) sum += prf.field([j], j & 1023, 8); return sum; }),
		aesJsPairs: await time(repeats, 1, () => { for (let j = 0; j < 20000; j++) ctr(key, counter(j)).encrypt(zeros.subarray(0, 16)); }),
		aesWebPairs: await time(repeats, 1, async () => { for (let j = 0; j < 20000; j++) await crypto.subtle.encrypt({ name: 'AES-CTR', counter: counter(j), length: 64 }, web, zeros.subarray(0, 16)); }),
	};
};
`;

interface PageTimes {
	readonly chachaBulk: number;
	readonly aesJsBulk: number;
	readonly aesWebBulk: number;
	readonly chachaPairs: number;
	readonly aesJsPairs: number;
	readonly aesWebPairs: number;
}

async function measureInBrowser(repeats: number): Promise<PageTimes> {
	const bundle = await build({
		stdin: { contents: PAGE, resolveDir: process.cwd(), loader: 'ts' },
		bundle: true,
		format: 'esm',
		write: false,
	});
	const browser = await launchChromium();
	try {
		const page = await browser.newPage();
		// WebCrypto exists on secure origins only, so the page is served as one.
		await page.route('https://bench.localhost/', (route) =>
			route.fulfill({
				contentType: 'text/html',
				body: `<!doctype html><script type="module">${bundle.outputFiles[0].text}</script>`,
			}),
		);
		await page.goto('https://bench.localhost/');
		return await page.evaluate(
			(count) => (window as unknown as { measure(repeats: number): Promise<PageTimes> }).measure(count),
			repeats,
		);
	} finally {
		await browser.close();
	}
}

export const bench: Bench = {
	about:
		`Keyed fields by ChaCha8 (ours) against AES-256. \`bulk\`: the 8-bit fields of ${TOKENS.toLocaleString('en')} tokens after one context ` +
		'(embedding). `pairs`: one field of each of 20,000 contexts (detection).',
	async run({ quick }) {
		const repeats = quick ? 3 : 9;
		const key = new Uint8Array(32).fill(7);
		const prf = chacha8(key);
		const out = new Uint32Array(TOKENS);
		const zeros = new Uint8Array(TOKENS);
		const nonce = new Uint8Array(16);
		const small = new Uint8Array(16 * 20_000);
		const bulk = await interleave(repeats, [
			() => prf.fields([1], 8, out),
			() => {
				createCipheriv('aes-256-ctr', key, nonce).update(zeros);
			},
			() => {
				ctr(key, nonce).encrypt(zeros);
			},
		]);
		const pairs = await interleave(repeats, [
			() => {
				for (let j = 0; j < 20_000; j++) prf.field([j], j & 1023, 8);
			},
			() => {
				createCipheriv('aes-256-ecb', key, null).update(small);
			},
			() => {
				for (let j = 0; j < 20_000; j++) ctr(key, nonce).encrypt(zeros.subarray(0, 16));
			},
		]);
		const row = (name: string, ours: number, peer: number, peerName: string, unit: string): Row => ({
			case: name,
			ours,
			peer,
			peerName,
			unit,
			ratio: peer / ours,
		});
		const perPair = (time: number) => (1e6 * time) / 20_000;
		const rows = [
			row('node bulk', 1000 * bulk[0], 1000 * bulk[1], 'node:crypto AES-256-CTR', 'µs'),
			row('node bulk', 1000 * bulk[0], 1000 * bulk[2], '@noble/ciphers AES-256-CTR', 'µs'),
			row(
				'node pairs',
				perPair(pairs[0]),
				perPair(pairs[1]),
				'node:crypto AES-256-ECB, one batch',
				'ns a pair',
			),
			row('node pairs', perPair(pairs[0]), perPair(pairs[2]), '@noble/ciphers AES-256', 'ns a pair'),
		];
		if (CHROMIUM === undefined) return { rows, notes: ['No browser was found; its rows are missing.'] };
		const page = await measureInBrowser(repeats);
		rows.push(
			row(
				'browser bulk',
				1000 * page.chachaBulk,
				1000 * page.aesWebBulk,
				'WebCrypto AES-256-CTR (asynchronous)',
				'µs',
			),
			row('browser bulk', 1000 * page.chachaBulk, 1000 * page.aesJsBulk, '@noble/ciphers AES-256-CTR', 'µs'),
			row(
				'browser pairs',
				perPair(page.chachaPairs),
				perPair(page.aesWebPairs),
				'WebCrypto AES-256 (asynchronous)',
				'ns a pair',
			),
			row(
				'browser pairs',
				perPair(page.chachaPairs),
				perPair(page.aesJsPairs),
				'@noble/ciphers AES-256',
				'ns a pair',
			),
		);
		return { rows };
	},
};
