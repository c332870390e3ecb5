/** A flipped bit anywhere in a log is found; and what a killed writer leaves is what it acknowledged. */
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { killTrials } from '../../bench/receipts-kills.js';
import { createKeyring } from '../../src/keys/keyring.js';
import { auditLog } from '../../src/ledger/audit.js';
import type { LogEntry } from '../../src/ledger/entry.js';
import { appendToLog } from '../../src/ledger/log.js';
import { newFolder } from '../cli/run-cli.js';

const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(6));
const receipt = (i: number): LogEntry => ({
	type: 'receipt',
	id: `receipt ${i}`,
	policy: 0,
	tokens: [10, 10, 9],
	hash: 'c'.repeat(64),
	time: '2026-11-25T00:00:00Z',
});
const policy: LogEntry = {
	type: 'policy',
	version: 1,
	time: '2026-11-25T00:00:00Z',
	marks: [],
	unkeyedShare: 0,
	temperature: 1,
};

/** Flips bits of copies of a log, each in a file that is drawn evenly, and audits them. */
async function flip(folder: string, runs: number): Promise<void> {
	const files = readdirSync(folder)
		.sort()
		.filter((file) => statSync(join(folder, file)).size > 0);
	const copy = newFolder();
	cpSync(folder, copy, { recursive: true });
	const place = fc.record({
		file: fc.constantFrom(...files),
		at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
		bit: fc.nat(7),
		/** The end of a file is where a crash is told from damage. */
		end: fc.boolean(),
	});
	await fc.assert(
		fc.asyncProperty(place, async ({ file, at, bit, end }) => {
			const good = readFileSync(join(folder, file));
			const bad = Buffer.from(good);
			const position = end ? good.length - 1 - Math.floor(8 * at) : Math.floor(at * good.length);
			bad[position] ^= 1 << bit;
			writeFileSync(join(copy, file), bad);
			const audit = await auditLog(copy, { threads: 1 });
			writeFileSync(join(copy, file), good);
			expect(audit).toEqual({ consistent: false, problem: expect.stringContaining(join(copy, file)) });
		}),
		{ numRuns: runs, seed: 1 },
	);
}

describe('a flipped bit', () => {
	it('anywhere in a log of one segment is found, and its file named', async () => {
		const folder = join(newFolder(), 'log');
		await appendToLog(folder, [policy, receipt(0), receipt(1)], ring);
		await appendToLog(folder, [receipt(2), receipt(3)], ring);
		await flip(folder, 400);
	});
	it('anywhere in a log with a full segment, its root among it, is found', { timeout: 240_000 }, async () => {
		const folder = join(newFolder(), 'log');
		await appendToLog(folder, [policy, ...Array.from({ length: 65_536 }, (_, i) => receipt(i))], ring);
		await appendToLog(folder, [receipt(-1)], ring);
		await flip(folder, 16);
	});
});

it('20 kills of a writing process: nothing acknowledged is lost, no log is torn', {
	timeout: 240_000,
}, async () => {
	const { acknowledged, ...rest } = await killTrials(20, false);
	expect(acknowledged).toBeGreaterThan(100);
	expect(rest).toMatchObject({ kills: 20, lost: 0, inconsistent: 0 });
});
