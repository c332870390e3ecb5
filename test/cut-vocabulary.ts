/** Shipped models with another tokenizer: the first so many tokens of their vocabulary, and the merges among them. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedModel, MODELS } from '../src/generate/embedded.js';

/** A tokenizer.json of the first `size` tokens of the shipped one. */
export function cutTokenizer(size: number): string {
	const json = JSON.parse(readFileSync(join(MODELS, 'teacher', 'tokenizer.json'), 'utf8'));
	const { model } = json;
	model.vocab = Object.fromEntries(Object.entries<number>(model.vocab).filter(([, id]) => id < size));
	model.merges = (model.merges as (string | [string, string])[]).filter((merge) => {
		const [left, right] = typeof merge === 'string' ? merge.split(' ') : merge;
		return [left, right, left + right].every((token) => token in model.vocab);
	});
	return JSON.stringify(json);
}

/**
 * A folder with a shipped model that has lost all other tokens: its embedding, which is also its output layer, is cut. What
 * it learned of the tokens that are left is still there.
 */
export function cutModel(folder: string, name: EmbeddedModel, size: number): string {
	const path = join(folder, `${name}-${size}`);
	mkdirSync(path, { recursive: true });
	const from = join(MODELS, name);
	const config = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8'));
	writeFileSync(join(path, 'config.json'), JSON.stringify({ ...config, vocab_size: size }));
	writeFileSync(join(path, 'tokenizer.json'), cutTokenizer(size));
	const file = readFileSync(join(from, 'model.safetensors'));
	const start = 8 + Number(file.readBigUInt64LE(0));
	const header = JSON.parse(file.subarray(8, start).toString());
	const parts: Buffer[] = [];
	let at = 0;
	for (const [tensor, about] of Object.entries<{ shape: number[]; data_offsets: number[] }>(header)) {
		if (tensor === '__metadata__') continue;
		const [begin, end] = about.data_offsets;
		const rows = about.shape[0] === config.vocab_size ? size : about.shape[0];
		const bytes = ((end - begin) / about.shape[0]) * rows;
		parts.push(file.subarray(start + begin, start + begin + bytes));
		Object.assign(about, { shape: [rows, ...about.shape.slice(1)], data_offsets: [at, at + bytes] });
		at += bytes;
	}
	const json = Buffer.from(JSON.stringify(header));
	const length = Buffer.alloc(8);
	length.writeBigUInt64LE(BigInt(json.length));
	writeFileSync(join(path, 'model.safetensors'), Buffer.concat([length, json, ...parts]));
	return path;
}
