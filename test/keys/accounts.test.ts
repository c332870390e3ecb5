import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Receipt } from '../../src/embed/receipt.js';
import { type Account, openAccounts } from '../../src/keys/accounts.js';
import { createKeyring } from '../../src/keys/keyring.js';
import { auditLog } from '../../src/ledger/audit.js';
import { openLog } from '../../src/ledger/log.js';
import { readLog } from '../../src/ledger/read-log.js';
import { newReceiptLog } from '../../src/ledger/receipts.js';
import { newFolder } from '../cli/run-cli.js';

const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(3));
const newFile = () => join(newFolder(), 'accounts.jsonl');
const there = (account: Account | undefined): Account => account ?? expect.unreachable();

function receipt(id: string, more: Partial<Receipt> = {}): Receipt {
	const segment = { reason: 'answer', marked: true, tokens: 200, tilted: 200, keyed: 181 };
	return {
		version: 1,
		id,
		status: 'finished',
		marks: ['a'.repeat(64), 'b'.repeat(64)],
		unkeyedShare: 0.1,
		temperature: 0.7,
		tokens: 200,
		segments: [segment],
		salt: '1'.repeat(32),
		outputHash: 'c'.repeat(64),
		time: '2026-11-25T21:00:00.000Z',
		...more,
	};
}

describe('an account', () => {
	it('has one pseudonym, and keeps it when the file is opened again', () => {
		const path = newFile();
		expect(openAccounts(path, ring).add(['ada', 'bob', 'ada'])).toBe(2);
		const [first, again] = [openAccounts(path, ring), openAccounts(path, ring)];
		expect(first.add(['ada', 'carl'])).toBe(1);
		const pseudonyms = first.all.map(({ pseudonym }) => pseudonym);
		expect(new Set(pseudonyms).size).toBe(3);
		for (const pseudonym of pseudonyms) expect(pseudonym).toMatch(/^[0-9a-f]{32}$/);
		expect(again.get('ada')?.pseudonym).toBe(pseudonyms[0]);
		// The other one has not read the addition yet, and does when it adds.
		expect(again.add(['carl', 'dora'])).toBe(1);
		expect(openAccounts(path, ring).all).toHaveLength(4);
	});
	it('is a secret: neither its name nor its pseudonym is in the file, and another ring opens none', () => {
		const path = newFile();
		const accounts = openAccounts(path, ring);
		accounts.add(['ada@example.org']);
		const text = readFileSync(path, 'utf8');
		expect(text).not.toContain('ada@');
		expect(text).not.toContain(accounts.all[0].pseudonym);
		expect(statSync(path).mode & 0o777).toBe(0o600);
		const other = createKeyring({ unsealed: true }, new Uint8Array(32).fill(4));
		expect(() => openAccounts(path, other)).toThrow(/accounts\.jsonl:1: does not open/);
	});
	it('survives a torn last line, which the next addition cuts off', () => {
		const path = newFile();
		openAccounts(path, ring).add(['ada']);
		appendFileSync(path, '{"name":"12');
		const accounts = openAccounts(path, ring);
		accounts.add(['bob']);
		expect(openAccounts(path, ring).all).toHaveLength(2);
	});
});

describe('erasing', () => {
	it('leaves nothing of the key, the name or the pseudonym', () => {
		const path = newFile();
		const accounts = openAccounts(path, ring);
		accounts.add(['ada', 'bob']);
		const [line] = readFileSync(path, 'utf8').split('\n');
		const before = accounts.all.map(({ pseudonym }) => pseudonym);
		accounts.erase(['ada']);
		const [left] = readFileSync(path, 'utf8').split('\n');
		expect(JSON.parse(left)).toEqual({ erased: expect.any(String) });
		for (const secret of Object.values(JSON.parse(line)))
			if (secret !== '') expect(left).not.toContain(secret);
		const again = openAccounts(path, ring);
		expect(again.get('ada')).toBeUndefined();
		expect(again.erased).toBe(1);
		expect(again.all.map(({ pseudonym }) => pseudonym)).toEqual([before[1]]);
		// Who comes back is somebody else.
		again.add(['ada']);
		expect(again.get('ada')?.pseudonym).not.toBe(before[0]);
		expect(() => again.erase(['bob', 'nobody'])).toThrow(/"nobody" is not in/);
		expect(again.get('bob')?.pseudonym).toBe(before[1]);
	});

	it('unlinks receipts, and every proof stays valid', async () => {
		const path = newFile();
		const accounts = openAccounts(path, ring);
		accounts.add(['ada', 'bob']);
		const folder = join(newFolder(), 'log');
		const log = await openLog(folder, ring);
		const receipts = newReceiptLog(log);
		const served = Array.from({ length: 20 }, (_, i) => ({ id: `r${i}`, name: i % 2 === 0 ? 'ada' : 'bob' }));
		await Promise.all(served.map(({ id, name }) => receipts.append(receipt(id), there(accounts.get(name)))));
		await log.close();
		const { entries, head } = readLog(folder, ['receipt']);
		// Who has the log alone sees twenty tags, no two alike.
		expect(new Set(entries.map(({ tag }) => tag)).size).toBe(20);
		// The provider tells for each receipt whose it is.
		const ofAda = (account: Account) =>
			entries.filter(({ id, tag }) => account.tag(id) === tag).map(({ id }) => id);
		expect(ofAda(there(accounts.get('ada')))).toEqual(
			served.filter((_, i) => i % 2 === 0).map(({ id }) => id),
		);

		accounts.erase(['ada']);
		accounts.add(['ada']);
		expect(accounts.all.flatMap(ofAda)).toEqual(served.filter((_, i) => i % 2 === 1).map(({ id }) => id));
		expect(await auditLog(folder)).toMatchObject({ consistent: true, receipts: 20, treeHead: head });
	});
});

describe('a receipt in the log', () => {
	const logged = async (...receipts: Receipt[]) => {
		const folder = join(newFolder(), 'log');
		const log = await openLog(folder, ring);
		const { append } = newReceiptLog(log);
		for (const one of receipts) await append(one, null);
		await log.close();
		return { folder, ...readLog(folder, ['policy', 'receipt']) };
	};
	it('names its policy, which is logged once, and keeps its salt to itself', async () => {
		const { folder, entries } = await logged(receipt('r1'), receipt('r2'), receipt('r3', { temperature: 1 }));
		expect(entries.map(({ type }) => type)).toEqual(['policy', 'receipt', 'receipt', 'policy', 'receipt']);
		expect(entries.flatMap((entry) => ('policy' in entry ? entry.policy : []))).toEqual([0, 0, 3]);
		expect(readFileSync(join(folder, 'entries-000000.jsonl'), 'utf8')).not.toContain('salt');
		expect((await auditLog(folder)) as object).toMatchObject({ consistent: true, remarks: [] });
	});
	it('holds segments only where there is more than one plain answer', async () => {
		const [plain] = receipt('').segments;
		const json = { ...plain, reason: 'json', marked: false, tilted: 0, keyed: 0 };
		const off = { ...plain, choice: 'off' as const };
		const { entries } = await logged(
			receipt('plain'),
			receipt('two', { tokens: 400, segments: [plain, json], status: 'aborted' }),
			receipt('off', { segments: [off] }),
			receipt('picked', { selection: { candidates: 4, mark: 'a'.repeat(64) } }),
		);
		const found = entries.filter((entry) => entry.type === 'receipt');
		expect(found.map(({ segments }) => segments)).toEqual([undefined, [plain, json], [off], undefined]);
		expect(found.map(({ tokens }) => tokens)).toEqual([
			[200, 200, 181],
			[400, 200, 181],
			[200, 200, 181],
			[200, 200, 181],
		]);
		expect(found.map(({ aborted }) => aborted)).toEqual([undefined, true, undefined, undefined]);
		expect(found[3].selection).toEqual({ candidates: 4, mark: 'a'.repeat(64) });
	});
	it('takes at most 250 bytes, with a tag and a UUID for an id', async () => {
		const path = newFile();
		const accounts = openAccounts(path, ring);
		accounts.add(['ada']);
		const folder = join(newFolder(), 'log');
		const log = await openLog(folder, ring);
		await newReceiptLog(log).append(
			receipt('123e4567-e89b-12d3-a456-426614174000'),
			there(accounts.get('ada')),
		);
		await log.close();
		const line = readFileSync(join(folder, 'entries-000000.jsonl'), 'utf8').split('\n')[1];
		expect(line.length + 1).toBeLessThanOrEqual(250);
	});
});
