/**
 * Proofs out of a log: files that anybody can check, with nothing else at hand (`checkProof`).
 *
 * A proof reads the noted roots and one or two segments, whatever the size of the log.
 *
 * @module
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, hexOf } from '../input.js';
import { LogEntry, lineOf } from './entry.js';
import {
	filesOf,
	inconsistent,
	mustBeLog,
	newestHead,
	notedRoots,
	parseEntry,
	parseHead,
	SEGMENT,
	segmentLeaves,
	segmentsOf,
	wholeLines,
} from './folder.js';
import { leafHash, newTree, rootOf } from './merkle.js';
import {
	consistencyProof,
	inclusionProof,
	type RangeHash,
	verifyConsistency,
	verifyInclusion,
} from './proofs.js';
import { isSignedHead, TreeHead } from './tree-head.js';

const Hashes = z.array(hexOf(32)).max(64);

/** That an entry is in the tree of a signed head. */
export const InclusionProof = z.strictObject({
	format: z.literal('touchmark-inclusion-proof'),
	version: z.literal(1),
	index: z.int().min(0),
	entry: LogEntry,
	proof: Hashes,
	head: TreeHead,
});
export type InclusionProof = z.infer<typeof InclusionProof>;

/** That the tree of one signed head begins with that of an older one. */
export const ConsistencyProof = z.strictObject({
	format: z.literal('touchmark-consistency-proof'),
	version: z.literal(1),
	proof: Hashes,
	older: TreeHead,
	newer: TreeHead,
});
export type ConsistencyProof = z.infer<typeof ConsistencyProof>;

/** Makes proofs. */
export interface Prover {
	/** The newest head. */
	readonly head: TreeHead;
	/** Index of a receipt's entry, the first if there are several; reads the log until it is found. @throws TouchmarkError `bad-input` */
	indexOf(receipt: string): number;
	/** That an entry is in the tree of the newest head. @throws TouchmarkError `bad-input` when there is none */
	inclusion(index: number): InclusionProof;
	/** Between two heads, by their sizes. @throws TouchmarkError `bad-input` when no head has a size */
	consistency(older: number, newer: number): ConsistencyProof;
}

/** Opens a log for proofs. Each one is checked before it is given. @throws TouchmarkError `bad-input`, `failed` */
export function openProver(folder: string): Prover {
	mustBeLog(folder);
	const files = filesOf(folder);
	const head = newestHead(folder)?.head;
	if (head === undefined) throw inconsistent(files.heads, 'holds no signed head');
	const roots = notedRoots(folder, Math.floor(head.size / SEGMENT));
	// The newest segment, which most proofs need, and one more are at hand.
	const tail = segmentLeaves(files.segment(roots.length), head.size % SEGMENT).leaves;
	let held = { number: -1, leaves: [] as readonly Uint8Array[] };
	function leavesOf(number: number): readonly Uint8Array[] {
		if (number === roots.length) return tail;
		if (held.number !== number)
			held = { number, leaves: segmentLeaves(files.segment(number), SEGMENT).leaves };
		return held.leaves;
	}
	const rangeHash: RangeHash = (start, end) => {
		const tree = newTree();
		let next = start;
		for (; next % SEGMENT === 0 && next + SEGMENT <= end; next += SEGMENT) {
			const { hash, height } = roots[next / SEGMENT];
			tree.append(hash, height);
		}
		if (next < end) {
			const number = Math.floor(next / SEGMENT);
			const first = number * SEGMENT;
			for (const leaf of leavesOf(number).slice(next - first, end - first)) tree.append(leaf);
		}
		return rootOf(tree.peaks);
	};
	const hexes = (proof: Uint8Array[]) => proof.map(bytesToHex);
	function valid<T extends InclusionProof | ConsistencyProof>(proof: T): T {
		if (!isProof(proof))
			throw inconsistent(folder, 'its entries do not give its signed head; `touchmark log audit` says where');
		return proof;
	}
	return {
		head,
		indexOf(receipt) {
			const id = `"id":${JSON.stringify(receipt)}`;
			for (const number of segmentsOf(folder)) {
				const path = files.segment(number);
				let line = 0;
				for (const bytes of wholeLines(path)) {
					const index = number * SEGMENT + line++;
					if (index === head.size) break;
					if (!bytes.includes(id)) continue;
					const entry = parseEntry(bytes, `${path}:${line}`);
					if (entry.type === 'receipt' && entry.id === receipt) return index;
				}
			}
			throw badInput(`receipt "${receipt}" is not in ${folder}`);
		},
		inclusion(index) {
			if (!(index >= 0 && index < head.size))
				throw badInput(`entry ${index} is not in ${folder}; it has ${head.size}`);
			return valid({
				format: 'touchmark-inclusion-proof',
				version: 1,
				index,
				entry: entryAt(files.segment(Math.floor(index / SEGMENT)), index % SEGMENT),
				proof: hexes(inclusionProof(index, head.size, rangeHash)),
				head,
			});
		},
		consistency(older, newer) {
			const [first, second] = headsOf(folder, [older, newer]);
			if (!(older > 0 && older <= newer))
				throw badInput('the older tree must hold an entry, and be no larger than the newer one');
			return valid({
				format: 'touchmark-consistency-proof',
				version: 1,
				proof: hexes(consistencyProof(older, newer, rangeHash)),
				older: first,
				newer: second,
			});
		},
	};
}

function entryAt(path: string, position: number): LogEntry {
	let line = 0;
	for (const bytes of wholeLines(path)) if (line++ === position) return parseEntry(bytes, `${path}:${line}`);
	throw inconsistent(path, `holds ${line} entries, but a signed head covers more`);
}

/** Heads of these sizes. */
function headsOf(folder: string, sizes: readonly number[]): TreeHead[] {
	const { heads } = filesOf(folder);
	const found = new Map<number, TreeHead>();
	let line = 0;
	for (const bytes of wholeLines(heads)) {
		const where = `${heads}:${++line}`;
		// Most of a long history is not asked for.
		if (!sizes.some((size) => bytes.includes(`"size":${size},`))) continue;
		const head = parseHead(String(bytes), where);
		found.set(head.size, head);
	}
	return sizes.map((size) => {
		const head = found.get(size);
		if (head === undefined) throw badInput(`${heads}: no head has size ${size}`);
		return head;
	});
}

/** Whether a proof shows what it says. Whose the key of its heads is must be known from elsewhere. */
function isProof(proof: InclusionProof | ConsistencyProof): boolean {
	const hashes = proof.proof.map(hexToBytes);
	const treeOf = ({ size, root }: TreeHead) => ({ size, root: hexToBytes(root) });
	if (proof.format === 'touchmark-consistency-proof') {
		const { older, newer } = proof;
		if (older.publicKey !== newer.publicKey || !isSignedHead(older) || !isSignedHead(newer)) return false;
		return verifyConsistency(treeOf(older), treeOf(newer), hashes);
	}
	const { index, entry, head } = proof;
	const leaf = leafHash(Buffer.from(lineOf(entry)));
	return isSignedHead(head) && verifyInclusion({ index, leaf, ...treeOf(head) }, hashes);
}

/**
 * Checks a proof.
 *
 * @param file parsed JSON
 * @param where its name, for messages
 * @returns the proof
 * @throws TouchmarkError `bad-input` for what is no proof; `failed` for one that does not hold
 */
export function checkProof(file: unknown, where: string): InclusionProof | ConsistencyProof {
	const proof = checked(z.discriminatedUnion('format', [InclusionProof, ConsistencyProof]), file, where);
	if (!isProof(proof))
		throw inconsistent(where, 'does not hold: a hash or a signature is not what it should be');
	return proof;
}
