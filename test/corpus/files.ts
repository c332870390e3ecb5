import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { newFolder } from '../cli/run-cli.js';

/** Where `put` writes. */
export const folder = newFolder();

/** Writes a file into `folder`; gives its path. */
export function put(name: string, content: string | Uint8Array): string {
	const path = join(folder, name);
	writeFileSync(path, content);
	return path;
}

/** Everything that a reader yields. */
export async function all<T>(documents: AsyncIterable<T>): Promise<T[]> {
	const list: T[] = [];
	for await (const document of documents) list.push(document);
	return list;
}
