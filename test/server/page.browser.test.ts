/** The page of the detection service in a real browser. */
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CHROMIUM, launchChromium, NO_CHROMIUM } from '../chromium.js';
import { type Running, ringOf, serverFolder, startServer, textsOf } from './running.js';

const SIZES = [
	{ width: 1280, height: 900 },
	{ width: 390, height: 844 },
] as const;

if (CHROMIUM === undefined) test('the page of the service', (context) => context.skip(NO_CHROMIUM));

describe.skipIf(CHROMIUM === undefined)('the page of the service', () => {
	// Screenshots stay when REPORT_SCREENSHOTS names a folder.
	const screenshots = process.env.REPORT_SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'touchmark-page-'));
	const ring = ringOf(new Uint8Array(32).fill(5));
	let server: Running;
	let browser: Browser;
	let key: string;
	let slow: string;
	let marked: string;
	let plain: string;

	beforeAll(async () => {
		mkdirSync(screenshots, { recursive: true });
		const folder = await serverFolder(ring);
		key = await folder.newKey('page', '--per-second', '1000', '--burst', '1000');
		slow = await folder.newKey('slow', '--per-day', '1');
		marked = textsOf(ring, 4, 'page').join('\n');
		plain = textsOf(null, 6, 'page').join('\n');
		server = await startServer(folder);
		browser = await launchChromium();
	});
	afterAll(async () => {
		await browser?.close();
		await server?.stop();
	});

	/** Opens the page; afterwards it must have logged nothing but `logged`, and asked this server only. */
	async function inPage(
		size: (typeof SIZES)[number],
		use: (page: Page) => Promise<void>,
		logged: readonly RegExp[] = [],
	): Promise<void> {
		const context = await browser.newContext({ viewport: size });
		const page = await context.newPage();
		const messages: string[] = [];
		const requests: string[] = [];
		page.on('console', (message) => messages.push(message.text()));
		page.on('pageerror', (error) => messages.push(error.message));
		page.on('request', (request) => requests.push(request.url()));
		await page.goto(`${server.url}/`, { waitUntil: 'load' });
		await use(page);
		expect(messages.filter((text) => !logged.some((known) => known.test(text)))).toEqual([]);
		for (const url of requests) expect(url.startsWith(server.url) || url.startsWith('data:'), url).toBe(true);
		await context.close();
	}

	async function fill(page: Page, text: string, secret: string): Promise<void> {
		await page.getByLabel('Text').fill(text);
		await page.getByLabel('API key').fill(secret);
		await page.getByRole('button', { name: 'Test' }).click();
	}

	test.each(SIZES)('shows each answer, and fits, at $width pixels', async (size) => {
		await inPage(size, async (page) => {
			const wide = () =>
				page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
			expect(await wide()).toBe(0);
			await page.screenshot({ path: join(screenshots, `serve-empty-${size.width}.png`), fullPage: true });
			for (const [text, verdict, meaning] of [
				[marked, 'marked', /carries the mark/],
				[plain, 'no evidence', /does not say who wrote it/],
				['It was a dark night.', 'too little data', /too short/],
			] as const) {
				await fill(page, text, key);
				await page.getByRole('heading', { name: 'Answer' }).waitFor();
				expect(await page.locator('#verdict').textContent()).toBe(verdict);
				expect(await page.locator('#meaning').textContent()).toMatch(meaning);
				expect(await page.evaluate('document.activeElement.id')).toBe('answer-heading');
				expect(await wide()).toBe(0);
				const name = `serve-${verdict.replaceAll(' ', '-')}-${size.width}.png`;
				await page.screenshot({ path: join(screenshots, name), fullPage: true });
			}
			await page.emulateMedia({ colorScheme: 'dark' });
			await page.screenshot({ path: join(screenshots, `serve-dark-${size.width}.png`), fullPage: true });
		});
	});

	test('says in a sentence what is refused, and shows no answer then', async () => {
		await inPage(
			SIZES[1],
			async (page) => {
				const problem = page.getByRole('alert');
				await fill(page, plain, 'tmk_wrong');
				await problem.filter({ hasText: 'API key' }).waitFor();
				expect(await page.locator('#answer').isVisible()).toBe(false);
				await fill(page, plain, 'schlüssel');
				await problem.filter({ hasText: 'letters and digits' }).waitFor();
				await fill(page, plain, slow);
				await page.locator('#answer').waitFor();
				expect(await problem.textContent()).toBe('');
				await fill(page, plain, slow);
				await problem.filter({ hasText: /spent for today.*Try again in \d+ s/ }).waitFor();
				await page.screenshot({ path: join(screenshots, 'serve-refused-390.png'), fullPage: true });
			},
			[/status of (401|429)/],
		);
	});

	test('can be used by the keyboard alone', async () => {
		await inPage(SIZES[0], async (page) => {
			const { keyboard } = page;
			await keyboard.press('Tab');
			await keyboard.insertText(marked);
			await keyboard.press('Tab');
			await keyboard.insertText(key);
			await keyboard.press('Enter');
			await page.getByRole('heading', { name: 'Answer' }).waitFor();
			expect(await page.locator('#verdict').textContent()).toBe('marked');
		});
	});

	test('runs no script but its own', async () => {
		await inPage(
			SIZES[0],
			async (page) => {
				await page.evaluate(
					"{ const script = document.createElement('script'); script.textContent = 'window.pwned = true'; document.body.append(script); }",
				);
				expect(await page.evaluate('window.pwned')).toBeUndefined();
			},
			[/Content Security Policy/],
		);
	});
});
