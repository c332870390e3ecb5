/**
 * What the folder that `--corpus` names holds.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** A file of records. */
export interface CorpusFile {
	readonly name: string;
	readonly records: readonly { readonly prompt?: string; readonly text: string }[];
}

/** The (gzipped) JSONL files of a folder with fields `text` and maybe `prompt`, sorted by name. */
export function corpusFiles(folder: string): CorpusFile[] {
	return readdirSync(folder)
		.filter((name) => /\.jsonl(\.gz)?$/.test(name))
		.sort()
		.map((name) => {
			const bytes = readFileSync(join(folder, name));
			const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
			const lines = text.trimEnd().split('\n');
			return { name, records: lines.map((line) => JSON.parse(line)) };
		});
}
