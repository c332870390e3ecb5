/**
 * Digests of what was tested. The records of a file are leaves of a Merkle tree (RFC 9162), so that one record can be shown
 * to be in it without the others.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { hexOf } from '../input.js';
import { leafHash, newTree, rootOf } from '../ledger/merkle.js';
import { inclusionProof, verifyInclusion } from '../ledger/proofs.js';

/** A file by its digests. */
export const InputDigest = z.strictObject({
	bytes: z.int().min(0),
	sha256: hexOf(32),
	/** Records: lines of JSONL; any other file is one. */
	records: z.int().min(0),
	/** Root of the tree over them, each as it stands in the file without its line feed. */
	root: hexOf(32),
});
export type InputDigest = z.infer<typeof InputDigest>;

/** Files of which each line is a record. */
const LINES = /\.(jsonl|ndjson)$/i;
const LF = 10;

/** Reads a file once. @throws TouchmarkError `bad-input` when it cannot be read */
export async function digestFile(path: string): Promise<InputDigest> {
	return readLeaves(path, () => undefined);
}

/** Digests of a file. @param each gets the hash of each leaf; a corpus has too many of them to hold all */
async function readLeaves(path: string, each: (hash: Uint8Array) => void): Promise<InputDigest> {
	const whole = createHash('sha256');
	const tree = newTree();
	let bytes = 0;
	let leaf = newLeaf();
	let begun = false;
	const end = () => {
		const hash = new Uint8Array(leaf.digest());
		each(hash);
		tree.append(hash);
		leaf = newLeaf();
		begun = false;
	};
	const byLine = LINES.test(path);
	try {
		for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
			whole.update(chunk);
			bytes += chunk.length;
			let from = 0;
			if (byLine)
				for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
					leaf.update(chunk.subarray(from, at));
					end();
					from = at + 1;
				}
			if (from < chunk.length) {
				leaf.update(chunk.subarray(from));
				begun = true;
			}
		}
	} catch (error) {
		throw badInput(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code})`, error);
	}
	if (begun || !byLine) end();
	const root = bytesToHex(rootOf(tree.peaks));
	return { bytes, sha256: whole.digest('hex'), records: tree.size, root };
}

/** The hash of a leaf, begun. */
function newLeaf() {
	return createHash('sha256').update(new Uint8Array(1));
}

/** That a record is in a file, and where. */
export const RecordProof = z.strictObject({
	format: z.literal('touchmark-record-proof'),
	version: z.literal(1),
	/** Name of the input. */
	input: z.string(),
	/** Number of the record, counted from 0. */
	record: z.int().min(0),
	/** The record as it stands in the file. */
	text: z.string(),
	proof: z.array(hexOf(32)).max(64),
});
export type RecordProof = z.infer<typeof RecordProof>;

/**
 * Shows one record of a file.
 *
 * @param name what the evidence calls the file
 * @throws TouchmarkError `bad-input` when the file has no such record, or the record is no text
 */
export async function proveRecord(path: string, name: string, record: number): Promise<RecordProof> {
	const leaves: Uint8Array[] = [];
	const { records } = await readLeaves(path, (hash) => leaves.push(hash));
	if (record >= records) throw badInput(`${path}: has ${records} records; there is no ${record}`);
	const proof = inclusionProof(record, records, (start, end) => {
		const tree = newTree();
		for (const leaf of leaves.slice(start, end)) tree.append(leaf);
		return rootOf(tree.peaks);
	});
	return {
		...{ format: 'touchmark-record-proof', version: 1, input: name, record },
		...{ text: await textOfRecord(path, record), proof: proof.map(bytesToHex) },
	};
}

async function textOfRecord(path: string, record: number): Promise<string> {
	const pieces: Buffer[] = [];
	let number = 0;
	const byLine = LINES.test(path);
	for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
		let from = 0;
		while (byLine && number <= record) {
			const at = chunk.indexOf(LF, from);
			if (at < 0) break;
			if (number === record) pieces.push(chunk.subarray(from, at));
			number++;
			from = at + 1;
		}
		if (number > record) break;
		if (number === record) pieces.push(chunk.subarray(from));
	}
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(pieces));
	} catch (error) {
		throw badInput(`${path}: record ${record} is not valid UTF-8`, error);
	}
}

/** Whether a proof shows that its record is in the file with this digest. */
export function isRecordOf({ record, text, proof }: RecordProof, { records, root }: InputDigest): boolean {
	if (record >= records) return false;
	const leaf = leafHash(Buffer.from(text, 'utf8'));
	return verifyInclusion(
		{ index: record, size: records, leaf, root: hexToBytes(root) },
		proof.map(hexToBytes),
	);
}
