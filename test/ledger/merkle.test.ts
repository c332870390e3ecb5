import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { expect, it } from 'vitest';
import { leafHash, rootHash } from '../../src/ledger/merkle.js';

const sha256 = (...parts: readonly Uint8Array[]) => {
	const hash = createHash('sha256');
	for (const part of parts) hash.update(part);
	return hash.digest();
};
const data = Array.from({ length: 131 }, (_, i) => Buffer.from(`entry ${i}`));

/** The definition of RFC 9162 §2.1.1, word for word: split at the largest power of two below the size. */
function treeHash(entries: readonly Uint8Array[]): Uint8Array {
	if (entries.length === 0) return sha256();
	if (entries.length === 1) return sha256(Uint8Array.of(0), entries[0]);
	let split = 1;
	while (2 * split < entries.length) split *= 2;
	return sha256(Uint8Array.of(1), treeHash(entries.slice(0, split)), treeHash(entries.slice(split)));
}

it('is the recursive definition for every size up to 131', () => {
	for (let size = 0; size <= data.length; size++) {
		const entries = data.slice(0, size);
		expect(bytesToHex(rootHash(entries.map(leafHash))), `${size}`).toBe(bytesToHex(treeHash(entries)));
	}
});

it('tells leaves from nodes: a tree over two hashes is not the tree over their leaves', () => {
	const [a, b] = data.map(leafHash);
	expect(bytesToHex(leafHash(Buffer.concat([a, b])))).not.toBe(bytesToHex(rootHash([a, b])));
	expect(bytesToHex(leafHash(data[0]))).not.toBe(bytesToHex(sha256(data[0])));
});

it('gives the roots of the Certificate Transparency reference tree', () => {
	const { leavesHex, rootsHexBySize } = JSON.parse(
		readFileSync('test/vectors/merkle/roots.json', 'utf8'),
	) as {
		leavesHex: string[];
		rootsHexBySize: string[];
	};
	expect(rootsHexBySize).toHaveLength(9);
	rootsHexBySize.forEach((root, size) => {
		const leaves = leavesHex.slice(0, size).map((leaf) => leafHash(hexToBytes(leaf)));
		expect(bytesToHex(rootHash(leaves))).toBe(root);
	});
});
