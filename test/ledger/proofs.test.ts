/** Proofs against the vectors of transparency-dev/merkle (their verdicts must be ours), and against each other. */
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash, rootHash } from '../../src/ledger/merkle.js';
import {
	consistencyProof,
	inclusionProof,
	verifyConsistency,
	verifyInclusion,
} from '../../src/ledger/proofs.js';

interface Vectors {
	inclusion: {
		leafIdx: number;
		treeSize: number;
		root: string;
		leafHash: string;
		proof: string[] | null;
		desc: string;
		wantErr: boolean;
	}[];
	consistency: {
		size1: number;
		size2: number;
		root1: string;
		root2: string;
		proof: string[] | null;
		desc: string;
		wantErr: boolean;
	}[];
}
const FILE = 'test/vectors/merkle/proofs.json';
const bytes = (base64: string | null) => Buffer.from(base64 ?? '', 'base64');
const hashes = (proof: string[] | null) => (proof ?? []).map(bytes);

describe('transparency-dev/merkle', () => {
	const vectors = JSON.parse(readFileSync(FILE, 'utf8')) as Vectors;
	it('comes with its licence', () => expect(existsSync('test/vectors/merkle/LICENSE')).toBe(true));
	it.each(vectors.inclusion)('inclusion: $leafIdx of $treeSize, $desc', (vector) => {
		const { leafIdx: index, treeSize: size, root, leafHash, proof, wantErr } = vector;
		const found = verifyInclusion({ index, size, leaf: bytes(leafHash), root: bytes(root) }, hashes(proof));
		expect(found).toBe(!wantErr);
	});
	it.each(vectors.consistency)('consistency: $size1 to $size2, $desc', (vector) => {
		const { size1, size2, root1, root2, proof, wantErr } = vector;
		const older = { size: size1, root: bytes(root1) };
		const newer = { size: size2, root: bytes(root2) };
		expect(verifyConsistency(older, newer, hashes(proof))).toBe(!wantErr);
	});
});

describe('proofs that we make', () => {
	const leaves = Array.from({ length: 70 }, (_, i) => leafHash(Buffer.from(`entry ${i}`)));
	const rangeHash = (start: number, end: number) => rootHash(leaves.slice(start, end));
	const rootAt = (size: number) => rangeHash(0, size);

	it('are valid for every leaf of every tree up to 70, and for no other leaf', () => {
		for (let size = 1; size <= 70; size++)
			for (let index = 0; index < size; index++) {
				const proof = inclusionProof(index, size, rangeHash);
				const claim = { index, size, leaf: leaves[index], root: rootAt(size) };
				expect(verifyInclusion(claim, proof)).toBe(true);
				expect(verifyInclusion({ ...claim, leaf: leaves[(index + 1) % 70] }, proof)).toBe(false);
			}
	});
	it('are valid between every two trees up to 70, and not for another root', () => {
		for (let to = 1; to <= 70; to++)
			for (let from = 1; from <= to; from++) {
				const proof = consistencyProof(from, to, rangeHash);
				const older = { size: from, root: rootAt(from) };
				const newer = { size: to, root: rootAt(to) };
				expect(verifyConsistency(older, newer, proof)).toBe(true);
				expect(verifyConsistency({ ...older, root: leaves[0].map((b) => b ^ 1) }, newer, proof)).toBe(false);
			}
	});
	it('ask for aligned ranges only, so that a log answers from one segment and roots', () => {
		const size = fc.integer({ min: 1, max: 2 ** 40 });
		fc.assert(
			fc.property(size, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (to, share) => {
				const asked = (start: number, end: number) => {
					let width = 1;
					while (width < end - start) width *= 2;
					expect(start % width).toBe(0);
					return leaves[0];
				};
				inclusionProof(Math.floor(share * to), to, asked);
				consistencyProof(1 + Math.floor(share * to), to, asked);
			}),
		);
	});
	it('do not exist for leaves and trees that do not', () => {
		expect(() => inclusionProof(3, 3, rangeHash)).toThrow(RangeError);
		expect(() => consistencyProof(0, 3, rangeHash)).toThrow(RangeError);
		expect(() => consistencyProof(4, 3, rangeHash)).toThrow(RangeError);
	});
});
