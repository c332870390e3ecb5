/**
 * What a writer begins with: the newest signed head, and nothing behind it.
 *
 * @module
 */
import { existsSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { bytesToHex } from '@noble/hashes/utils.js';
import { badInput } from '../errors.js';
import { syncFolder, writeDurably } from '../output.js';
import { lineOf } from './entry.js';
import {
	filesOf,
	inconsistent,
	newestHead,
	notedRoots,
	ROOT_LINE,
	SEGMENT,
	segmentLeaves,
	segmentsOf,
} from './folder.js';
import { newTree, rootOf, type Tree } from './merkle.js';
import { isSignedHead, type Signer, signHead } from './tree-head.js';

/** Where a log stands. */
export interface Standing {
	/** Over full segments. */
	readonly full: Tree;
	/** Over the entries of the newest segment. */
	readonly tail: Tree;
}

/**
 * Checks the newest segment against the newest head, and cuts off what lies behind: it was never acknowledged. A new log
 * gets the head of the empty tree, so that entries without any head are always a loss, never a beginning.
 *
 * @throws TouchmarkError `bad-input` for a log that another key signs; `failed` for one that does not agree with its head
 */
export function recover(folder: string, signer: Signer): Standing {
	const files = filesOf(folder);
	const found = newestHead(folder);
	if (found === null) {
		if (segmentsOf(folder).length > 0)
			throw inconsistent(files.heads, 'holds no signed head, but there are entries');
		beginLog(folder, signer);
		return { full: newTree(), tail: newTree() };
	}
	const { head, end } = found;
	if (!isSignedHead(head))
		throw inconsistent(files.heads, 'field "signature" of the last head does not verify');
	if (head.publicKey !== bytesToHex(signer.publicKey))
		throw badInput(`${folder}: is signed by another key ring; begin a log of your own`);
	const segments = Math.floor(head.size / SEGMENT);
	const full = newTree();
	for (const { hash, height } of notedRoots(folder, segments)) full.append(hash, height);
	const newest = files.segment(segments);
	const { leaves, bytes } = segmentLeaves(newest, head.size % SEGMENT);
	const tail = newTree();
	for (const leaf of leaves) tail.append(leaf);
	if (bytesToHex(rootOf([...full.peaks, ...tail.peaks])) !== head.root)
		throw inconsistent(leaves.length > 0 ? newest : files.roots, 'was changed after it was signed');

	if (leaves.length > 0) truncateSync(newest, bytes);
	const covered = Math.ceil(head.size / SEGMENT);
	for (const number of segmentsOf(folder)) if (number >= covered) rmSync(files.segment(number));
	if (existsSync(files.roots)) truncateSync(files.roots, segments * ROOT_LINE);
	truncateSync(files.heads, end);
	return { full, tail };
}

function beginLog(folder: string, signer: Signer): void {
	const { heads } = filesOf(folder);
	writeDurably(`${heads}.tmp`, `${lineOf(signHead(0, rootOf([]), signer))}\n`, 'w');
	renameSync(`${heads}.tmp`, heads);
	syncFolder(folder);
}
