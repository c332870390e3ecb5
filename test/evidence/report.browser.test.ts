import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderReport } from '../../src/evidence/report.js';
import { CHROMIUM, launchChromium, NO_CHROMIUM } from '../chromium.js';
import { EXAMPLE } from './example-report.js';

const SIZES = [
	{ width: 1280, height: 900 },
	{ width: 390, height: 844 },
] as const;

if (CHROMIUM === undefined) test('report in a browser', (context) => context.skip(NO_CHROMIUM));

describe.skipIf(CHROMIUM === undefined)('report in a browser', () => {
	// Screenshots stay when REPORT_SCREENSHOTS names a folder.
	const scratch = mkdtempSync(join(tmpdir(), 'touchmark-report-'));
	const screenshots = process.env.REPORT_SCREENSHOTS ?? scratch;
	const url = pathToFileURL(join(scratch, 'report.html')).href;
	let browser: Browser;

	beforeAll(async () => {
		const evil = '<script>document.title = "pwned"</script><img src=x onerror="document.title = \'pwned\'">';
		const word = 'unbroken'.repeat(40);
		const long = { ...EXAMPLE.suspects[0], suspect: word, verdict: word, log10P: -5000 };
		const tokens = [...EXAMPLE.passage.tokens, { text: evil, green: false, nats: 0.2 }];
		writeFileSync(
			join(scratch, 'report.html'),
			renderReport({ ...EXAMPLE, suspects: [...EXAMPLE.suspects, long], passage: { title: evil, tokens } }),
		);
		writeFileSync(join(scratch, 'example.html'), renderReport(EXAMPLE));
		browser = await launchChromium();
	});
	afterAll(async () => {
		await browser?.close();
		rmSync(scratch, { recursive: true, force: true });
	});

	/** Opens the page, uses it, and then expects that it logged nothing and asked for nothing but itself. */
	async function inPage(
		options: NonNullable<Parameters<Browser['newContext']>[0]>,
		use: (page: Page) => Promise<void>,
		address = url,
	): Promise<void> {
		const context = await browser.newContext(options);
		const messages: string[] = [];
		const requests: string[] = [];
		const page = await context.newPage();
		page.on('console', (message) => messages.push(message.text()));
		page.on('pageerror', (error) => messages.push(error.message));
		page.on('request', (request) => requests.push(request.url()));
		await page.goto(address, { waitUntil: 'load' });
		await use(page);
		expect(messages).toEqual([]);
		expect(requests.filter((request) => !request.startsWith('data:'))).toEqual([address]);
		await context.close();
	}

	test.each(SIZES)('fits $width × $height, in light and dark', async (viewport) => {
		for (const colorScheme of ['light', 'dark'] as const)
			await inPage({ viewport, colorScheme }, async (page) => {
				const overflow = () => document.documentElement.scrollWidth - document.documentElement.clientWidth;
				expect(await page.evaluate(overflow)).toBe(0);
				await page.locator('summary').press('Enter');
				expect(await page.locator('.tokens').isVisible()).toBe(true);
				expect(await page.evaluate(overflow)).toBe(0);
				const clipped = await page.locator('svg text').evaluateAll((texts) =>
					texts
						.filter((text) => {
							const inner = text.getBoundingClientRect();
							const outer = text.closest('svg')!.getBoundingClientRect();
							return (
								inner.left < outer.left - 1 || inner.right > outer.right + 1 || inner.top < outer.top - 1
							);
						})
						.map((text) => text.textContent),
				);
				expect(clipped).toEqual([]);
			});
		for (const colorScheme of ['light', 'dark'] as const)
			await inPage(
				{ viewport, colorScheme },
				async (page) => {
					const path = join(screenshots, `report-${viewport.width}-${colorScheme}.png`);
					await page.screenshot({ path, fullPage: true });
					expect(readFileSync(path).subarray(1, 4).toString()).toBe('PNG');
				},
				pathToFileURL(join(scratch, 'example.html')).href,
			);
	});

	test.each(SIZES)('the table can be read at $width, by its roles too', async (viewport) => {
		await inPage({ viewport }, async (page) => {
			const rows = page.getByRole('table').first().getByRole('row');
			expect(await rows.count()).toBe(8);
			await expect(rows.nth(0).getByRole('columnheader').allInnerTexts()).resolves.toHaveLength(7);
			expect(await rows.nth(1).getByRole('rowheader').textContent()).toBe('n-gram student, marked');
			const cells = await rows.nth(1).getByRole('cell').allInnerTexts();
			expect(cells.slice(0, 5)).toEqual(['marked text', '35,117', '0.5437 (0.50)', '−60.3', '1 of 100']);
			expect(cells[5]).toContain('trained on marked text');
			expect(await page.getByRole('img').count()).toBe(7);
		});
	});

	test('text of a suspect runs nothing', async () => {
		await inPage({}, async (page) => {
			expect(await page.title()).toBe('Touchmark demo');
			expect(await page.locator('script, img').count()).toBe(0);
			expect(await page.locator('.passage').textContent()).toContain('<script>document.title');
		});
	});

	test('prints on paper', async () => {
		await inPage({ colorScheme: 'dark' }, async (page) => {
			await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
			const ink = await page.evaluate(() => getComputedStyle(document.body).color);
			expect(ink).toBe('rgb(31, 35, 40)');
			// A4 within the margins that Chromium prints with.
			await page.setViewportSize({ width: 718, height: 1000 });
			const width = await page.evaluate(() => document.documentElement.scrollWidth);
			expect(width).toBe(718);
			const pdf = await page.pdf({
				path: join(screenshots, 'report.pdf'),
				format: 'A4',
				printBackground: true,
			});
			expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
		});
	});
});
