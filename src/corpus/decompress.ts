/**
 * Compressed files as they would be uncompressed, a part at a time.
 *
 * The compressed bytes are taken in parts of one size, so that what is read before a break is the same however a disk or
 * a server deals them out, and a part cannot become more than a thousand times its size (gzip) at once.
 *
 * @module
 */
import { once } from 'node:events';
import zlib, { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { badInput, TouchmarkError } from '../errors.js';
import type { ByteReader } from './byte-source.js';
import { watchFrames } from './zstd-frames.js';

/** How the bytes of a file are packed. */
export type Compression = 'none' | 'gzip' | 'zstd';

/** Compressed bytes that are unpacked at once. */
const PART = 2 ** 14;

/** Unpacks parts; what it gives for each is complete when it is asked for the next. */
interface Unpacker {
	push(part: Buffer): Promise<Uint8Array[]>;
	end(): Promise<Uint8Array[]>;
	close(): void;
}

/**
 * The unpacked bytes. Members of gzip and frames of Zstandard that follow each other are one file.
 *
 * @param name of the file, for errors
 * @throws TouchmarkError `bad-input` where the data breaks or is not of that kind, after all bytes before that
 */
export async function* unpacked(
	reader: ByteReader,
	compression: Exclude<Compression, 'none'>,
	name: string,
): AsyncGenerator<Uint8Array> {
	const unpacker = compression === 'gzip' ? gunzip() : unzstd();
	let at = 0;
	try {
		for (;;) {
			const part = await readPart(reader);
			if (part.length > 0) yield* await unpacker.push(part);
			at += part.length;
			if (part.length < PART) break;
		}
		yield* await unpacker.end();
	} catch (error) {
		if (TouchmarkError.isInstance(error)) throw error;
		const kind = compression === 'gzip' ? 'gzip' : 'Zstandard';
		throw badInput(
			`${name}: breaks off as ${kind} data within ${PART} bytes of byte ${at} (${reasonOf(error)})`,
		);
	} finally {
		unpacker.close();
	}
}

async function readPart(reader: ByteReader): Promise<Buffer> {
	const part = Buffer.allocUnsafe(PART);
	let held = 0;
	for (let got = 1; got > 0 && held < PART; held += got) got = await reader.read(part, held, PART - held);
	return part.subarray(0, held);
}

function reasonOf(error: unknown): string {
	const message = error instanceof Error ? error.message : 'invalid data';
	return message.replace(/\s+/g, ' ').slice(0, 100);
}

type Transform = ReturnType<typeof createGunzip>;

function gunzip(): Unpacker {
	// Room for whatever a part may become: a part is written when all of it was unpacked.
	const options = { chunkSize: 2 ** 17, readableHighWaterMark: 2 ** 30 };
	return transforming(createGunzip(options));
}

function unzstd(): Unpacker {
	const native =
		'createZstdDecompress' in zlib ? (zlib.createZstdDecompress as typeof createGunzip) : undefined;
	const unpacker =
		native === undefined
			? fzstd()
			: transforming(native({ chunkSize: 2 ** 17, ...{ readableHighWaterMark: 2 ** 30 } }));
	const frames = watchFrames();
	return {
		push(part) {
			frames.push(part);
			return unpacker.push(part);
		},
		async end() {
			if (!frames.ended) throw new Error('unexpected end of file');
			return unpacker.end();
		},
		close: unpacker.close,
	};
}

function transforming(stream: Transform): Unpacker {
	const failed = once(stream, 'close').then(() => {
		throw stream.errored ?? new Error('closed');
	});
	failed.catch(() => undefined);
	stream.on('error', () => undefined);
	const ready = (): Uint8Array[] => {
		const bytes = stream.read() as Buffer | null;
		return bytes === null ? [] : [bytes];
	};
	return {
		async push(part) {
			await Promise.race([finished((done) => stream.write(part, done)), failed]);
			return ready();
		},
		async end() {
			stream.end();
			const rest: Uint8Array[] = [];
			for await (const bytes of stream as AsyncIterable<Uint8Array>) rest.push(bytes);
			return rest;
		},
		close: () => stream.destroy(),
	};
}

function finished(act: (done: (error?: Error | null) => void) => void): Promise<void> {
	return new Promise((resolve, reject) => {
		act((error) => (error == null ? resolve() : reject(error)));
	});
}

/** For a Node without Zstandard of its own. Checksums are not compared. */
function fzstd(): Unpacker {
	let out: Uint8Array[] = [];
	const decoder = new Decompress((bytes) => {
		if (bytes.length > 0) out.push(bytes);
	});
	const taken = (): Uint8Array[] => {
		const bytes = out;
		out = [];
		return bytes;
	};
	return {
		async push(part) {
			decoder.push(part);
			return taken();
		},
		async end() {
			return taken();
		},
		close: () => undefined,
	};
}
