/**
 * The text of a scan, in parts: its corpus, text that is known to be innocent, and text that is known to be served.
 *
 * @module
 */
import { statSync } from 'node:fs';
import { isUrl } from '../corpus/byte-source.js';
import { planShards, type Shard } from '../corpus/shards.js';
import { badInput } from '../errors.js';

/** Where the text of a scan is: files, folders, patterns or https addresses. */
export interface CorpusPaths {
	readonly paths: readonly string[];
	/** Text that is known to be innocent: what is common in it is not scored for a record. */
	readonly background?: readonly string[];
	/** Text that the provider is known to have served, under the same marks: says what marked text scores. */
	readonly servedSample?: readonly string[];
}

/** Parts of text. */
export interface Parts {
	readonly shards: readonly Shard[];
	/** What cannot be read, in words. */
	readonly unreadable: ReadonlySet<string>;
}

/** The text of a scan. */
export interface CorpusParts {
	readonly corpus: Parts;
	readonly background: Parts;
	/** Null where nothing is known to be served. */
	readonly served: Parts | null;
}

/**
 * Finds all parts.
 *
 * @param strict what cannot be read is an error
 * @throws TouchmarkError `bad-input` for a corpus that holds nothing
 */
export async function corpusParts(
	{ paths, background = [], servedSample }: CorpusPaths,
	strict: boolean,
): Promise<CorpusParts> {
	const corpus = await partsOf(paths, strict);
	if (corpus.shards.length === 0 && corpus.unreadable.size === 0)
		throw badInput(`${paths.join(', ')}: holds nothing to scan; give files, folders or patterns`);
	return {
		corpus,
		background: await partsOf(background, strict),
		served: servedSample === undefined ? null : await partsOf(servedSample, strict),
	};
}

async function partsOf(paths: readonly string[], strict: boolean): Promise<Parts> {
	const unreadable = new Set<string>();
	const broken = strict ? undefined : (error: Error) => unreadable.add(error.message);
	return { shards: await planShards(paths, broken), unreadable };
}

/** When the file of a part was changed last, in milliseconds; null for a URL. */
export function changedAt({ path }: Shard): number | null {
	return isUrl(path) ? null : (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null);
}
