/**
 * Lines of a file, with bounds: nothing larger than a line is held, and invalid UTF-8 is an error that
 * names its place instead of a silent replacement character.
 *
 * @module
 */
import { createReadStream } from 'node:fs';
import { badInput, type TouchmarkError } from '../errors.js';

/** Longest line, bytes. */
export const MAX_LINE_BYTES = 64 * 2 ** 20;

/** A line and its number, counted from 1. */
export interface Line {
	readonly text: string;
	readonly number: number;
}

/** Is told of each record that cannot be read, in place of an error that ends the file. */
export type Broken = (problem: TouchmarkError) => void;

/**
 * Lines of a UTF-8 file; a byte order mark at its beginning and `\r` before `\n` are dropped, empty lines are kept.
 *
 * @throws TouchmarkError `bad-input` for a missing file, invalid UTF-8, or a line over 64 MiB
 * @param broken is told of invalid UTF-8; the line is then left out
 */
export async function* readLines(path: string, broken?: Broken): AsyncGenerator<Line> {
	const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
	let pending: Buffer[] = [];
	let pendingBytes = 0;
	let number = 0;

	const bound = (bytes: number): void => {
		if (bytes > MAX_LINE_BYTES)
			throw badInput(`${path}:${number + 1}: is longer than ${MAX_LINE_BYTES} bytes; split it`);
	};
	const decode = (bytes: Uint8Array): Line[] => {
		number++;
		try {
			const text = decoder.decode(bytes).replace(/\r$/, '');
			return [{ text: number === 1 ? text.replace(/^\uFEFF/, '') : text, number }];
		} catch (error) {
			const problem = badInput(
				`${path}:${number}: is not valid UTF-8; convert the file or repair the line`,
				error,
			);
			if (broken === undefined) throw problem;
			broken(problem);
			return [];
		}
	};
	try {
		for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 }) as AsyncIterable<Buffer>) {
			let start = 0;
			for (let end = chunk.indexOf(10); end >= 0; start = end + 1, end = chunk.indexOf(10, start)) {
				bound(pendingBytes + end - start);
				yield* decode(Buffer.concat([...pending, chunk.subarray(start, end)]));
				pending = [];
				pendingBytes = 0;
			}
			pending.push(chunk.subarray(start));
			pendingBytes += chunk.length - start;
			bound(pendingBytes);
		}
	} catch (error) {
		if (
			error instanceof Error &&
			'code' in error &&
			typeof error.code === 'string' &&
			error.code.startsWith('E')
		)
			throw badInput(`${path}: cannot be read (${error.code})`, error);
		throw error;
	}
	if (pendingBytes > 0) yield* decode(Buffer.concat(pending));
}
