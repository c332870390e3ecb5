/**
 * Corpora of any size for the scan's benches: natural text, cut anew for every record.
 *
 * @module
 */
import { closeSync, existsSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { type Random, randomStream } from '../src/embed/random.js';
import { corpusFiles } from './corpus-files.js';

/** A record as a corpus file holds it. */
export interface TextRecord {
	/** Kind of source and number of the record. */
	readonly id: string;
	readonly text: string;
}

/** Where text is taken from besides the repository. */
export interface SourceOptions {
	/** A folder of (gzipped) JSONL files whose records have a field `text`. */
	readonly corpus?: string;
}

/** Sources, and how long the records are. */
export interface CutOptions extends SourceOptions {
	/** Median length in tokens of about 4.3 bytes; default 300. */
	readonly median?: number;
}

/** One body of text, and what it is. */
interface Source {
	readonly kind: 'books' | 'languages' | 'code' | 'outputs';
	readonly texts: readonly string[];
}

const BOOKS = 'bench/distillation/books';
const LANGUAGES = 'bench/corpus';
/** Packages whose code is read: what Touchmark depends on. */
const PACKAGES = ['zod', 'graphology', 'commander', 'pkijs', 'asn1js', '@huggingface/tokenizers', 'tinypool'];
/** Lengths in tokens: log-normal around the median. */
const MEDIAN = 300;
const SIGMA = 0.9;
const SHORTEST = 20;
const LONGEST = 5_000;
/** Bytes that a token of natural text takes, about: where a record is cut knows no tokenizer. */
const BYTES_PER_TOKEN = 4.3;
/** Bytes that are written at once. */
const PIECE = 2 ** 23;

function gunzipped(path: string): string {
	const bytes = readFileSync(path);
	return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
}

function filesOf(folder: string, ending: RegExp): string[] {
	return readdirSync(folder, { recursive: true, encoding: 'utf8' })
		.filter((name) => ending.test(name))
		.sort()
		.map((name) => join(folder, name));
}

function sourcesOf({ corpus }: SourceOptions): Source[] {
	const code = PACKAGES.map((name) => join('node_modules', name)).filter((folder) => existsSync(folder));
	return [
		{ kind: 'books', texts: filesOf(BOOKS, /\.txt\.gz$/).map(gunzipped) },
		{ kind: 'languages', texts: filesOf(LANGUAGES, /\.txt$/).map(gunzipped) },
		{ kind: 'code', texts: code.flatMap((folder) => filesOf(folder, /\.[cm]?js$/)).map(gunzipped) },
		...(corpus === undefined
			? []
			: [
					{
						kind: 'outputs' as const,
						texts: corpusFiles(corpus).flatMap(({ records }) => records.map(({ text }) => text)),
					},
				]),
	];
}

/** Texts as bytes, one after another; `starts` has one more entry, the end. */
interface Body {
	readonly kind: Source['kind'];
	readonly bytes: Buffer;
	readonly starts: Uint32Array;
}

function bodyOf({ kind, texts }: Source, write: (text: string) => string): Body {
	const parts = texts.map((text) => Buffer.from(write(text), 'utf8'));
	const starts = new Uint32Array(parts.length + 1);
	for (const [i, part] of parts.entries()) starts[i + 1] = starts[i] + part.length;
	return { kind, bytes: Buffer.concat(parts), starts };
}

/** The bytes of a string within JSON. */
function escaped(text: string): string {
	return JSON.stringify(text).slice(1, -1);
}

/** Whether a text may be cut before this byte: after a space, or before a character of a script without spaces. */
function mayCut(bytes: Buffer, at: number): boolean {
	return bytes[at - 1] === 0x20 || bytes[at] >= 0xe3;
}

/** The standard normal, by Box and Muller. */
function normal(random: Random): number {
	return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

/** A stretch of a body: its bytes from `from` up to `to`. */
interface Cut {
	readonly body: Body;
	readonly from: number;
	readonly to: number;
}

/** Cuts from all bodies, one after another: any beginning in any text as likely as any other. */
function* cuts(bodies: readonly Body[], random: Random, median = MEDIAN): Generator<Cut, never> {
	const total = bodies.reduce((sum, { bytes }) => sum + bytes.length, 0);
	for (;;) {
		const tokens = Math.min(LONGEST, Math.max(SHORTEST, median * Math.exp(SIGMA * normal(random))));
		let at = Math.floor(total * random.next());
		let which = 0;
		while (at >= bodies[which].bytes.length) at -= bodies[which++].bytes.length;
		const body = bodies[which];
		const { bytes, starts } = body;
		const text = textAt(starts, at);
		const end = starts[text + 1];
		let from = at;
		while (from < end && from > starts[text] && !mayCut(bytes, from)) from++;
		let to = Math.min(end, from + Math.round(BYTES_PER_TOKEN * tokens));
		while (to < end && to > from && !mayCut(bytes, to)) to--;
		while (to > from && bytes[from] === 0x20) from++;
		while (to > from && bytes[to - 1] === 0x20) to--;
		// The last words of a text are too little for a record.
		if (to - from >= BYTES_PER_TOKEN * SHORTEST * 0.8) yield { body, from, to };
	}
}

/** The number of the text that has the byte at `at`. */
function textAt(starts: Uint32Array, at: number): number {
	let low = 0;
	let high = starts.length - 1;
	while (high - low > 1) {
		const middle = (low + high) >>> 1;
		if (starts[middle] <= at) low = middle;
		else high = middle;
	}
	return low;
}

/**
 * Writes a JSONL corpus of natural text, records `{"id","text"}` of 20 to 5,000 tokens, log-normal around 300, cut
 * anew from books, texts in six languages, code and, where a folder is given, what it holds. It grows to at least `bytes`
 * and ends with that record. The same seed and sources give the same bytes.
 *
 * A corpus larger than its sources has every phrase of theirs many times, but hardly a record twice.
 *
 * @param bytes size of the file
 */
export function makeTextCorpus(
	path: string,
	bytes: number,
	seed: string,
	options: SourceOptions = {},
): { records: number; bytes: number } {
	const bodies = sourcesOf(options).map((source) => bodyOf(source, escaped));
	const file = openSync(path, 'w');
	try {
		// A record is shorter than this rest, so that it always fits.
		const piece = Buffer.allocUnsafe(PIECE + 2 * LONGEST * BYTES_PER_TOKEN);
		let records = 0;
		let written = 0;
		let used = 0;
		const flush = () => {
			for (let at = 0; at < used; ) at += writeSync(file, piece, at, used - at);
			written += used;
			used = 0;
		};
		for (const { body, from, to } of cuts(bodies, randomStream(`scan-corpus/${seed}`))) {
			if (written + used >= bytes) break;
			used += piece.write(`{"id":"${body.kind}-${records}","text":"`, used, 'latin1');
			used += body.bytes.copy(piece, used, from, to);
			used += piece.write('"}\n', used, 'latin1');
			records++;
			if (used >= PIECE) flush();
		}
		flush();
		return { records, bytes: written };
	} finally {
		closeSync(file);
	}
}

/**
 * Records of natural text, as many as asked, cut as in {@link makeTextCorpus}. The same seed and sources give the same records.
 */
export async function* recordsOf(
	count: number,
	seed: string,
	options: CutOptions = {},
): AsyncGenerator<TextRecord> {
	const bodies = sourcesOf(options).map((source) => bodyOf(source, (text) => text));
	let number = 0;
	for (const { body, from, to } of cuts(bodies, randomStream(`scan-corpus/${seed}`), options.median)) {
		if (number >= count) return;
		yield { id: `${body.kind}-${number++}`, text: body.bytes.toString('utf8', from, to) };
	}
}
