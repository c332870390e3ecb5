/**
 * What a corpus is made of: files, folders, globs and URLs, cut into parts that threads and machines can read on their own.
 *
 * @module
 */
import { realpathSync, statSync } from 'node:fs';
import { extname, isAbsolute, sep } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { badInput, TouchmarkError } from '../errors.js';
import { type ByteSource, isUrl, openSource } from './byte-source.js';
import type { Compression } from './decompress.js';
import { type Broken, report } from './lines.js';

/** How a file holds its records. */
export type Format = 'jsonl' | 'json' | 'csv' | 'text' | 'parquet';

/** A part of a source that one thread reads; plain data. */
export interface Shard {
	/** Name of the source and which part: `a.jsonl`, `a.jsonl[16777216]` (byte), `b.parquet[3]` (row group). */
	readonly id: string;
	/** File, or URL. */
	readonly path: string;
	readonly format: Format;
	readonly compression: Compression;
	/** Bytes of a plain JSONL file, row groups of a Parquet file, else 0 and the size; `to` is not included. */
	readonly from: number;
	readonly to: number;
	/** Size, for progress; 0 where it is not known. */
	readonly bytes: number;
}

/** Bytes of a JSONL file, or of row groups, that are one part. */
export const SHARD_BYTES = 16 * 2 ** 20;

const FORMATS: Readonly<Record<string, Format>> = {
	'.jsonl': 'jsonl',
	'.ndjson': 'jsonl',
	'.json': 'json',
	'.csv': 'csv',
	'.tsv': 'csv',
	'.txt': 'text',
	'.text': 'text',
	'.md': 'text',
	'.parquet': 'parquet',
};
const COMPRESSIONS: Readonly<Record<string, Compression>> = {
	'.gz': 'gzip',
	'.zst': 'zstd',
	'.zstd': 'zstd',
};

/** Sources that are asked at the same time how large they are. */
const AT_ONCE = 8;

/** Format and compression by the endings of a name; undefined for an ending that is not known. */
export function formatOf(path: string): { format: Format; compression: Compression } | undefined {
	const name = (isUrl(path) && URL.canParse(path) ? new URL(path).pathname : path).toLowerCase();
	const last = extname(name);
	const compression = COMPRESSIONS[last];
	const format = FORMATS[compression === undefined ? last : extname(name.slice(0, -last.length))];
	return format === undefined ? undefined : { format, compression: compression ?? 'none' };
}

/**
 * The parts of sources. Their order, by name and then by place, depends on nothing but the sources.
 *
 * @param paths files (of an unknown ending: read as text), folders (all files below of a known ending, none that are
 * hidden), globs, https URLs. A file that is named twice is read once.
 * @param broken is told of sources that cannot be read, which are then left out
 * @throws TouchmarkError `bad-input` for such a source where there is no `broken`
 */
export async function planShards(paths: readonly string[], broken?: Broken): Promise<Shard[]> {
	const sources = new Map<string, string>();
	for (const path of paths) {
		const found = await orProblem(() => expanded(path));
		if (TouchmarkError.isInstance(found)) report(found, broken);
		else for (const one of found) addSource(sources, one);
	}
	const sorted = [...sources.values()].sort((a, b) => (a < b ? -1 : 1));
	const shards: Shard[] = [];
	for (let i = 0; i < sorted.length; i += AT_ONCE) {
		const parts = await Promise.all(
			sorted.slice(i, i + AT_ONCE).map((path) => orProblem(() => shardsOf(path))),
		);
		for (const part of parts)
			if (TouchmarkError.isInstance(part)) report(part, broken);
			else shards.push(...part);
	}
	const ids = new Set<string>();
	for (const { id } of shards) {
		if (ids.has(id)) throw badInput(`${id}: is what two URLs are called; give each source its own path`);
		ids.add(id);
	}
	return shards;
}

async function orProblem<T>(act: () => Promise<T>): Promise<T | TouchmarkError> {
	try {
		return await act();
	} catch (error) {
		if (TouchmarkError.isInstance(error)) return error;
		throw error;
	}
}

/** Adds a source, once however it is named. */
function addSource(sources: Map<string, string>, path: string): void {
	let key = path;
	try {
		if (!isUrl(path)) key = realpathSync(path);
	} catch {
		// A file that is not there is named when it is opened.
	}
	const before = sources.get(key);
	if (before === undefined || path < before) sources.set(key, path);
}

/** Files of a path, folder or pattern. */
async function expanded(path: string): Promise<string[]> {
	if (isUrl(path)) return [path];
	const stats = statSync(path, { throwIfNoEntry: false });
	if (stats?.isDirectory()) {
		const root = path.endsWith('/') || path.endsWith(sep) ? path : `${path}/`;
		const files = (await glob('**/*', { cwd: path })).filter((file) => formatOf(file) !== undefined);
		if (files.length === 0)
			throw badInput(
				`${path}: holds no file of a known ending (${Object.keys(FORMATS).join(', ')}); name the files`,
			);
		return files.map((file) => root + file);
	}
	if (stats !== undefined || !isDynamicPattern(path)) return [path];
	const files = await glob(path, { expandDirectories: false, absolute: isAbsolute(path) });
	if (files.length === 0) throw badInput(`${path}: matches no file`);
	return files;
}

async function shardsOf(path: string): Promise<Shard[]> {
	const { format, compression } = formatOf(path) ?? { format: 'text', compression: 'none' };
	const source = await openSource(path);
	try {
		const size = source.size ?? 0;
		const name = source.name;
		const whole = { id: name, path, format, compression, from: 0, to: size, bytes: size };
		if (format === 'parquet') return await parquetShards(source, whole);
		if (format !== 'jsonl' || compression !== 'none' || !source.ranges || size <= SHARD_BYTES) return [whole];
		return Array.from({ length: Math.ceil(size / SHARD_BYTES) }, (_, i) => {
			const from = i * SHARD_BYTES;
			const to = Math.min(size, from + SHARD_BYTES);
			return { ...whole, id: `${name}[${from}]`, from, to, bytes: to - from };
		});
	} finally {
		await source.close();
	}
}

/** Row groups that lie together, as many as are worth a part. */
async function parquetShards(source: ByteSource, whole: Shard): Promise<Shard[]> {
	const { rowGroupsOf } = await import('./parquet.js');
	if (whole.compression !== 'none')
		throw badInput(
			`${source.name}: is Parquet in a compressed file, of which parts cannot be read; unpack it`,
		);
	const groups = await rowGroupsOf(source);
	const shards: Shard[] = [];
	let from = 0;
	let bytes = 0;
	groups.forEach((size, i) => {
		bytes += size;
		if (bytes < SHARD_BYTES && i + 1 < groups.length) return;
		shards.push({ ...whole, id: `${source.name}[${from}]`, from, to: i + 1, bytes });
		from = i + 1;
		bytes = 0;
	});
	return shards;
}
