/**
 * Bytes of a file or of an https URL, by range or from the beginning on: all that a reader of a format needs to know of
 * where its bytes come from.
 *
 * @module
 */
import { type FileHandle, open } from 'node:fs/promises';
import pRetry, { AbortError } from 'p-retry';
import { badInput, TouchmarkError } from '../errors.js';

/** Bytes one after the other. */
export interface ByteReader {
	/** Puts at most `length` bytes at `offset`; how many, 0 at the end. */
	read(into: Uint8Array, offset: number, length: number): Promise<number>;
}

/** A file or URL that is open. */
export interface ByteSource {
	/** What errors and ids call it: a path, or a URL without what may be a secret. */
	readonly name: string;
	/** Bytes; undefined where that is not known. */
	readonly size: number | undefined;
	/** Whether a part can be read alone. */
	readonly ranges: boolean;
	/** The bytes of a range, fewer where the source ends before. */
	bytes(from: number, to: number): Promise<Uint8Array>;
	/** Bytes from a place on, which is 0 where there are no ranges. */
	reader(from?: number): ByteReader;
	close(): Promise<void>;
}

/** What is asked of a server at once, bytes. */
const REQUEST = 4 * 2 ** 20;
const RETRIES = 4;

/** Whether this names something on a server. */
export function isUrl(path: string): boolean {
	return /^[a-z][a-z0-9+.-]+:\/\//i.test(path);
}

/** Parameters that only give access, as presigned URLs of object stores have them. */
const SECRET_PARAMETER = /signature|credential|token|^sig$|^key$|^se$|expires|policy|key-pair-id/i;

/** What errors and ids call a path: of a URL all but its parameters, where some of them look like secrets. */
export function sourceName(path: string): string {
	if (!isUrl(path)) return path;
	if (!URL.canParse(path)) return path.replace(/[?#].*$/s, '');
	const url = new URL(path);
	const secret = [...url.searchParams.keys()].some((name) => SECRET_PARAMETER.test(name));
	return `${url.protocol}//${url.host}${url.pathname}${secret ? '' : url.search}`;
}

/**
 * Opens a file, or asks a server what it has.
 *
 * @throws TouchmarkError `bad-input` that names the source, when it is not there or cannot be read
 */
export function openSource(path: string): Promise<ByteSource> {
	return isUrl(path) ? openUrl(path) : openFile(path);
}

async function openFile(path: string): Promise<ByteSource> {
	const handle = await told(path, () => open(path));
	try {
		const stats = await told(path, () => handle.stat());
		if (stats.isDirectory()) throw badInput(`${path}: cannot be read (EISDIR)`);
		const regular = stats.isFile();
		return {
			name: path,
			size: regular ? stats.size : undefined,
			ranges: regular,
			async bytes(from, to) {
				const buffer = Buffer.allocUnsafeSlow(Math.max(0, Math.min(to, stats.size) - from));
				const reader = fileReader(handle, path, from);
				let held = 0;
				for (let got = 1; got > 0 && held < buffer.length; held += got)
					got = await reader.read(buffer, held, buffer.length - held);
				return buffer.subarray(0, held);
			},
			reader: (from = 0) => fileReader(handle, path, regular ? from : null),
			close: () => handle.close(),
		};
	} catch (error) {
		await handle.close();
		throw error;
	}
}

/** @param from null for what has no places: a pipe */
function fileReader(handle: FileHandle, path: string, from: number | null): ByteReader {
	let position = from;
	return {
		async read(into, offset, length) {
			const { bytesRead } = await told(path, () => handle.read(into, offset, length, position));
			if (position !== null) position += bytesRead;
			return bytesRead;
		},
	};
}

/** Turns errors of the system into ours. */
async function told<T>(path: string, act: () => Promise<T>): Promise<T> {
	try {
		return await act();
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
		if (code?.startsWith('E') !== true) throw error;
		throw badInput(`${path}: cannot be read (${code})`, error);
	}
}

async function openUrl(path: string): Promise<ByteSource> {
	const url = allowed(path);
	const name = sourceName(path);
	// A byte of the content, not HEAD: object stores sign URLs for one method.
	const first = await ask(url, name, 0, 1);
	await first.body?.cancel();
	const size = sizeOf(first);
	const ranges = (first.status === 206 || first.status === 416) && size !== undefined;

	const bytes = async (from: number, to: number): Promise<Buffer> => {
		if (!ranges)
			throw badInput(`${name}: the server gives no byte ranges, which this format needs; download the file`);
		const end = Math.min(to, size);
		if (end <= from) return Buffer.alloc(0);
		return pRetry(
			async () => {
				const response = await ask(url, name, from, end);
				const content = Buffer.from(await response.arrayBuffer());
				if (response.status !== 206 || sizeOf(response) !== size || content.length !== end - from)
					throw new AbortError(badInput(`${name}: has changed while it was read; read it again`));
				return content;
			},
			{ retries: RETRIES, minTimeout: 250 },
		).catch((error: unknown) => {
			throw TouchmarkError.isInstance(error)
				? error
				: badInput(`${name}: the connection broke at byte ${from}`);
		});
	};
	return {
		name,
		size,
		ranges,
		bytes,
		reader(from = 0) {
			if (!ranges) return readerOf(streamed(url, name));
			let position = from;
			return readerOf(
				(async function* () {
					for (let length = REQUEST; position < size; position += length)
						yield await bytes(position, position + REQUEST);
				})(),
			);
		},
		close: async () => undefined,
	};
}

/** https, or http to this machine itself. */
function allowed(path: string): URL {
	const name = sourceName(path);
	if (!URL.canParse(path)) throw badInput(`${name}: is not a URL`);
	const url = new URL(path);
	if (url.protocol === 's3:' || url.protocol === 'gs:')
		throw badInput(
			`${name}: is reached through https; give a presigned URL, for example of \`aws s3 presign\`, or download it`,
		);
	if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return url;
	throw badInput(`${name}: only https URLs are read; ${url.protocol}// could be changed on its way`);
}

function isLoopback(host: string): boolean {
	return host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Asks for a range; the answer holds it, or all. @throws TouchmarkError when the server refuses or does not answer */
async function ask(url: URL, name: string, from: number, to?: number): Promise<Response> {
	const headers = {
		'accept-encoding': 'identity',
		...(to === undefined ? {} : { range: `bytes=${from}-${to - 1}` }),
	};
	return pRetry(
		async () => {
			const response = await fetch(url, { headers });
			const final = new URL(response.url);
			if (final.protocol !== 'https:' && !isLoopback(final.hostname))
				throw new AbortError(badInput(`${name}: leads to a URL that is not https`));
			if (response.ok || (response.status === 416 && from === 0)) return response;
			await response.body?.cancel();
			const problem = badInput(`${name}: cannot be read (the server answers ${response.status})`);
			throw response.status >= 500 || response.status === 429 ? problem : new AbortError(problem);
		},
		{ retries: RETRIES, minTimeout: 250 },
	).catch((error: unknown) => {
		throw TouchmarkError.isInstance(error)
			? error
			: badInput(`${name}: the server cannot be reached (${reasonOf(error)})`, error);
	});
}

function reasonOf(error: unknown): string {
	const cause = error instanceof Error ? (error.cause ?? error) : error;
	return cause instanceof Error && 'code' in cause ? String(cause.code) : 'no answer';
}

/** Size of the whole, as the server says. */
function sizeOf(response: Response): number | undefined {
	const range = response.headers.get('content-range');
	const text = range === null ? response.headers.get('content-length') : range.split('/')[1];
	if (range === null && response.headers.get('content-encoding') !== null) return undefined;
	return text !== null && text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

async function* streamed(url: URL, name: string): AsyncGenerator<Uint8Array> {
	const { body } = await ask(url, name, 0);
	let at = 0;
	try {
		if (body === null) return;
		for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
			at += chunk.length;
			yield chunk;
		}
	} catch (error) {
		throw badInput(`${name}: the connection broke at byte ${at}`, error);
	}
}

/** Bytes that come in pieces, as a reader. */
export function readerOf(pieces: AsyncGenerator<Uint8Array>): ByteReader {
	let piece: Uint8Array = new Uint8Array(0);
	return {
		async read(into, offset, length) {
			while (piece.length === 0) {
				const next = await pieces.next();
				if (next.done) return 0;
				piece = next.value;
			}
			const taken = Math.min(length, piece.length);
			into.set(piece.subarray(0, taken), offset);
			piece = piece.subarray(taken);
			return taken;
		},
	};
}
