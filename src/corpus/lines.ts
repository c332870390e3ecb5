/**
 * Lines of a file, with bounds: nothing larger than a line is held, and invalid UTF-8 is an error that
 * names its place instead of a silent replacement character.
 *
 * @module
 */
import { isAscii, isUtf8 } from 'node:buffer';
import { badInput, type TouchmarkError } from '../errors.js';
import { type ByteReader, openSource } from './byte-source.js';

/** Longest line, bytes. */
export const MAX_LINE_BYTES = 64 * 2 ** 20;

const READ = 2 ** 20;
/** What is read at once behind a range, where only the rest of one line is missing. */
const READ_BEHIND = 2 ** 16;
const BYTE_ORDER_MARK = 0xefbbbf;
const LF = 10;
const CR = 13;

/** A line and its number, counted from 1. */
export interface Line {
	readonly text: string;
	readonly number: number;
}

/** Is told of each record that cannot be read, in place of an error that ends the file. */
export type Broken = (problem: TouchmarkError) => void;

/** Tells `broken`, or throws where there is none. */
export function report(problem: TouchmarkError, broken: Broken | undefined): void {
	if (broken === undefined) throw problem;
	broken(problem);
}

/** Whole lines that lie one behind the other. Its bytes are overwritten when the next block is asked for. */
export interface LineBlock {
	readonly bytes: Uint8Array;
	/** Where each line begins in `bytes`. */
	readonly starts: readonly number[];
	/** Where each line ends in `bytes`, its `\n` or `\r\n` not included. */
	readonly ends: readonly number[];
	/** Place of `bytes[0]` in the file. */
	readonly at: number;
	/** Number of the first line, counted from 1 at the beginning of the range. */
	readonly first: number;
}

/** Names a line for an error message. */
export type NamePlace = (byte: number, number: number) => string;

/** Which part of a file, and how its lines are named. */
export interface LineOptions {
	/** Lines that begin in [from, to) are given, whatever their length. Default: all. */
	readonly from?: number;
	readonly to?: number;
	readonly place: NamePlace;
	/** Is told of a line that is too long, which is then left out. */
	readonly broken?: Broken | undefined;
}

/** From where on a range must be read, to know whether a line begins at its first byte. */
export function readFrom(from: number): number {
	return Math.max(0, from - 1);
}

/**
 * Lines out of bytes, many at a time. A byte order mark at the beginning of the file is dropped.
 *
 * @param reader gives the bytes from {@link readFrom}(`from`) on
 * @throws TouchmarkError `bad-input` for a line over 64 MiB, unless `broken` is told
 */
export async function* lineBlocks(reader: ByteReader, options: LineOptions): AsyncGenerator<LineBlock> {
	const { from = 0, to = Infinity, place, broken } = options;
	let buffer = Buffer.allocUnsafe(READ);
	/** Bytes in the buffer; none of them ends a line when more are read. */
	let held = 0;
	/** Place of the first of them in the file. */
	let at = readFrom(from);
	let number = 1;
	/** The line at hand is passed over: it began before the range, or is too long. */
	let passing = from > 0;

	const keepFrom = (start: number): void => {
		buffer.copyWithin(0, start, held);
		at += start;
		held -= start;
	};
	const tooLong = (byte: number): void =>
		report(badInput(`${place(byte, number)}: is longer than ${MAX_LINE_BYTES} bytes; split it`), broken);

	while (held > 0 || at < to) {
		if (held === buffer.length) {
			const larger = Buffer.allocUnsafe(Math.min(2 * held, MAX_LINE_BYTES + READ));
			buffer.copy(larger);
			buffer = larger;
		}
		const wanted = Math.max(to - at - held, READ_BEHIND);
		const got = await reader.read(buffer, held, Math.min(buffer.length - held, wanted));
		const ended = got === 0;
		const lastEnd = buffer.subarray(held, held + got).lastIndexOf(LF);
		const whole = ended ? held : lastEnd < 0 ? 0 : held + lastEnd + 1;
		held += got;
		let start = 0;
		if (passing && (whole > 0 || ended)) {
			start = buffer.subarray(0, whole).indexOf(LF) + 1;
			passing = start === 0;
		}
		if (passing) {
			keepFrom(held);
			if (ended) return;
			continue;
		}
		const block = buffer.subarray(0, whole);
		let starts: number[] = [];
		let ends: number[] = [];
		while (start < whole && at + start < to) {
			const found = block.indexOf(LF, start);
			const newline = found < 0 ? whole : found;
			if (newline - start > MAX_LINE_BYTES) {
				// The lines of a block are numbered without a gap, so those before go first.
				if (starts.length > 0) yield { bytes: block, starts, ends, at, first: number - starts.length };
				starts = [];
				ends = [];
				tooLong(at + start);
			} else {
				const marked =
					at + start === 0 && newline >= 3 && block.readUIntBE(0, 3) === BYTE_ORDER_MARK ? 3 : start;
				starts.push(marked);
				ends.push(found > marked && block[found - 1] === CR ? found - 1 : newline);
			}
			number++;
			start = newline + 1;
		}
		if (starts.length > 0) yield { bytes: block, starts, ends, at, first: number - starts.length };
		if (ended || start < whole) return;
		keepFrom(whole);
		if (held > MAX_LINE_BYTES) {
			tooLong(at);
			number++;
			passing = true;
			keepFrom(held);
		}
	}
}

/**
 * Gives the text of a block's lines, by index; undefined for one that is not UTF-8.
 *
 * @param broken is told of such a line; without it this throws
 */
export function textsOf(
	{ bytes: plain, starts, ends, at, first }: LineBlock,
	place: NamePlace,
	broken?: Broken,
): (index: number) => string | undefined {
	const bytes = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
	const ascii = isAscii(bytes);
	const valid = ascii || isUtf8(bytes);
	return (index) => {
		const [start, end] = [starts[index], ends[index]];
		if (ascii) return bytes.toString('latin1', start, end);
		if (valid || isUtf8(bytes.subarray(start, end))) return bytes.toString('utf8', start, end);
		const where = place(at + start, first + index);
		report(badInput(`${where}: is not valid UTF-8; convert the file or repair the line`), broken);
		return undefined;
	};
}

/**
 * Lines of a UTF-8 file; a byte order mark at its beginning and `\r` before `\n` are dropped, empty lines are kept.
 *
 * @throws TouchmarkError `bad-input` for a missing file, invalid UTF-8, or a line over 64 MiB
 * @param broken is told of invalid UTF-8 and of lines that are too long; the line is then left out
 */
export async function* readLines(path: string, broken?: Broken): AsyncGenerator<Line> {
	const place = (_byte: number, number: number) => `${path}:${number}`;
	const source = await openSource(path);
	try {
		for await (const block of lineBlocks(source.reader(), { place, broken })) {
			const textOf = textsOf(block, place, broken);
			for (let i = 0; i < block.starts.length; i++) {
				const text = textOf(i);
				if (text !== undefined) yield { text, number: block.first + i };
			}
		}
	} finally {
		await source.close();
	}
}
