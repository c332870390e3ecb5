import { appendFileSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { createKeyring, type Keyring } from '../../src/keys/keyring.js';
import { commitMarks, verifyLog } from '../../src/ledger/log.js';
import { leafHash, rootHash } from '../../src/ledger/merkle.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { newFolder } from '../cli/run-cli.js';

describe('the Merkle tree of RFC 9162', () => {
	// The reference tree of Certificate Transparency's test suites: these leaves, these roots for sizes 0 to 8.
	const leaves = [
		'',
		'00',
		'10',
		'2021',
		'3031',
		'40414243',
		'5051525354555657',
		'606162636465666768696a6b6c6d6e6f',
	];
	const roots = [
		'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
		'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
		'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
		'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
		'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
		'4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
		'76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
		'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
		'5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
	];
	it.each(roots.map((root, size) => [size, root] as const))('of %i leaves', (size, root) => {
		expect(bytesToHex(rootHash(leaves.slice(0, size).map((leaf) => leafHash(hexToBytes(leaf)))))).toBe(root);
	});
});

describe('the log', () => {
	const withMarks = (count: number): Keyring => {
		const ring = createKeyring({ unsealed: true });
		for (let epoch = 0; epoch < count; epoch++)
			ring.add({ ...defaultMarks('test', 'a'.repeat(64))[0], epoch });
		return ring;
	};
	const newLog = (marks: number) => {
		const path = join(newFolder(), 'keys.log');
		const ring = withMarks(marks);
		commitMarks(path, ring);
		return { path, ring };
	};

	it('takes each commitment once and knows where it stands', () => {
		const { path, ring } = newLog(3);
		expect(ring.marks.map((spec) => ring.logged(spec)?.index)).toEqual([0, 1, 2]);
		expect(commitMarks(path, ring)).toEqual([]);
		ring.add({ ...defaultMarks('test', 'a'.repeat(64))[1] });
		expect(commitMarks(path, ring)).toHaveLength(1);
		const { entries, head } = verifyLog(path);
		expect(entries).toMatchObject(ring.marks.map(({ commitment }) => ({ spec: { commitment } })));
		expect(head.size).toBe(4);
	});

	it('finds an entry that was changed, removed or reordered, and a head that was', () => {
		const { path } = newLog(3);
		const good = readFileSync(path, 'utf8');
		const lines = good.trimEnd().split('\n');
		for (const bad of [
			good.replace('"epoch":1', '"epoch":7'),
			`${lines.slice(0, 2).join('\n')}\n`,
			`${[lines[1], lines[0], lines[2]].join('\n')}\n`,
		]) {
			writeFileSync(path, bad);
			expect(() => verifyLog(path)).toThrow(/keys\.log/);
		}
		writeFileSync(path, good);
		const head = readFileSync(`${path}.head.json`, 'utf8');
		writeFileSync(`${path}.head.json`, head.replace(/"time":"20../, '"time":"1999'));
		expect(() => verifyLog(path)).toThrow(/signature/);
	});

	it('cuts off a torn last line with the next append', () => {
		const { path, ring } = newLog(2);
		appendFileSync(path, '{"type":"key-comm');
		expect(verifyLog(path).entries).toHaveLength(2);
		ring.add({ ...defaultMarks('test', 'a'.repeat(64))[1] });
		commitMarks(path, ring);
		expect(verifyLog(path).entries).toHaveLength(3);
		expect(readFileSync(path, 'utf8')).not.toContain('key-comm{');
	});

	it('accepts an entry that a crash left ahead of its head', () => {
		const { path, ring } = newLog(2);
		copyFileSync(`${path}.head.json`, `${path}.old`);
		ring.add({ ...defaultMarks('test', 'a'.repeat(64))[1] });
		commitMarks(path, ring);
		copyFileSync(`${path}.old`, `${path}.head.json`);
		expect(verifyLog(path)).toMatchObject({ head: { size: 2 } });
	});
});
