/** The Chromium that tests and benches drive. */
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';

/** Its path: that in the variable CHROMIUM, or where one is found; undefined where there is none. */
export const CHROMIUM: string | undefined = find();

/** Why a test is skipped. */
export const NO_CHROMIUM = 'skipped: no Chromium found; set CHROMIUM to the path of one to run this test';

function find(): string | undefined {
	const names = ['chromium', 'chromium-browser', 'google-chrome'];
	const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
	const candidates = names.flatMap((name) => folders.map((folder) => join(folder, name)));
	return [process.env.CHROMIUM, ...candidates].find(
		(path) => path !== undefined && path !== '' && existsSync(path),
	);
}

/** Launches it, without a window. */
export async function launchChromium(): Promise<Browser> {
	if (CHROMIUM === undefined) throw new Error('no Chromium was found');
	return chromium.launch({
		executablePath: CHROMIUM,
		headless: true,
		args: [
			'--no-sandbox',
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	});
}
