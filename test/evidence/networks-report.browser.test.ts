/** The page of networks in a browser: it opens, fits, and its labels can be read. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderNetworks } from '../../src/evidence/networks-report.js';
import type { NetworkAccount, NetworksResult } from '../../src/networks/index.js';
import { CHROMIUM, launchChromium, NO_CHROMIUM } from '../chromium.js';

const EVIL = '<script>document.title = "pwned"</script>';

/** Thirty networks from 5 to 2,000 accounts, and ten groups that are none. */
function example(): NetworksResult {
	const row = (account: string, inStep: boolean): NetworkAccount => ({
		...{ account, requests: 1234, sessions: 56, sharedPrompts: 0.41, log10P: inStep ? -12.3 : -0.2 },
		...{ log10PAdjusted: inStep ? -9 : -0, days: ['2026-06-01', '2026-07-26'], datasets: [EVIL] },
		verdict: inStep ? 'in-step' : 'no-evidence',
	});
	const sizes = Array.from({ length: 30 }, (_, i) => Math.round(5 * 400 ** (i / 29))).reverse();
	const candidates = [...sizes, ...new Array<number>(10).fill(4)].map((size, id) => ({
		id: id + 1,
		network: id < 30 ? id + 1 : null,
		accounts: Array.from({ length: size }, (_, i) => row(`${EVIL}${id}-${i}`, id < 30 && i < 0.8 * size)),
	}));
	return {
		...{
			candidates,
			accounts: 24_000,
			requests: 16_000_000,
			hypotheses: 9000,
			fdr: 0.01,
			fingerprintShare: 0.5,
		},
		networks: candidates.slice(0, 30).map(({ id, accounts }) => ({
			id,
			accounts: accounts.filter(({ verdict }) => verdict === 'in-step'),
		})),
		ties: [{ a: `${EVIL}29-0`, b: `${EVIL}29-4`, similarity: 0.5 }],
	};
}

if (CHROMIUM === undefined) test('networks in a browser', (context) => context.skip(NO_CHROMIUM));

describe.skipIf(CHROMIUM === undefined)('networks in a browser', () => {
	const folder = mkdtempSync(join(tmpdir(), 'touchmark-networks-'));
	const address = pathToFileURL(join(folder, 'networks.html')).href;
	let browser: Browser;
	beforeAll(async () => {
		const page = renderNetworks({
			result: example(),
			version: '0.1.0',
			generatedAt: '2026-11-25T21:00:00.000Z',
		});
		writeFileSync(join(folder, 'networks.html'), page);
		browser = await launchChromium();
	});
	afterAll(async () => {
		await browser?.close();
		rmSync(folder, { recursive: true, force: true });
	});

	test.each([1280, 390])('at a width of %i nothing overflows, runs or is loaded', async (width) => {
		const page = await browser.newPage({ viewport: { width, height: 900 } });
		const heard: string[] = [];
		page.on('console', (message) => heard.push(message.text()));
		page.on('request', (request) => heard.push(request.url()));
		await page.goto(address, { waitUntil: 'load' });
		expect(heard.filter((text) => text !== address && !text.startsWith('data:'))).toEqual([]);
		expect(await page.title()).toBe('Touchmark networks');
		expect(await page.locator('script').count()).toBe(0);
		expect(
			await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
		).toBe(0);
		expect(await page.locator('svg g').count()).toBe(40);
		const overlapping = await page.locator('svg text').evaluateAll((texts) => {
			const boxes = texts.map((text) => text.getBoundingClientRect());
			return boxes.filter((a, i) =>
				boxes.some(
					(b, j) =>
						j > i &&
						a.left < b.right &&
						b.left < a.right &&
						a.top + 1 < b.bottom - 1 &&
						b.top + 1 < a.bottom - 1,
				),
			).length;
		});
		expect(overlapping).toBe(0);
		await page.close();
	});
});
