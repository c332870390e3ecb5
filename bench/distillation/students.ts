/**
 * Students of the distillation bench: the teacher's texts, and training on them. Whatever is there is not made again.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { embeddedModel, embeddedPrompts, embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { writeWhole } from '../../src/output.js';
import { BUDGET, type Cell, TRAINING_PROMPTS } from './cells.js';
import { type MarkName, markerOf } from './marks.js';

/** This folder. */
export const HERE = dirname(fileURLToPath(import.meta.url));
/** Folder of texts, students and measurements. */
export const WORK = process.env.TOUCHMARK_WORK ?? join(HERE, 'work');
/** Interpreter with PyTorch. */
export const PYTHON = process.env.TOUCHMARK_PYTHON ?? 'python3';
/** A line of progress. */
export const say = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);

/** Writes a file, and the folder that it is in. */
export function keep(path: string, text: string): void {
	mkdirSync(dirname(path), { recursive: true });
	writeWhole(path, text);
}

/** Lines of a file; none where it is not there. */
export const linesOf = (path: string): string[] =>
	existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];

/** A text as it is kept. */
export interface Text {
	readonly promptTokens: readonly number[];
	readonly tokens: readonly number[];
}

/** Texts of a file. */
export function textsOf(path: string, from = 0, count = Infinity): Text[] {
	return linesOf(path)
		.slice(from, from + count)
		.map((line) => {
			const { promptTokens, tokens } = JSON.parse(line) as Text;
			return { promptTokens, tokens };
		});
}

/** Writes texts to a file. */
export function keepTexts(path: string, texts: readonly Text[]): void {
	keep(
		path,
		`${texts.map(({ promptTokens, tokens }) => JSON.stringify({ promptTokens, tokens })).join('\n')}\n`,
	);
}

/**
 * The teacher's texts under one mark and seed, at least `count` of them. A file with fewer is continued: a text
 * depends on its number alone.
 *
 * @param mark undefined for unmarked texts
 * @returns the file
 */
export function teacherTexts(work: string, mark: MarkName | undefined, seed: string, count: number): string {
	const name = mark ?? 'unmarked';
	const path = join(work, 'texts', `${name}-${seed}.jsonl`);
	const lines = linesOf(path);
	if (lines.length >= count) return path;
	const begun = performance.now();
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const marker = markerOf(mark, seed, { vocabSize: model.vocabSize, specialTokens: tokenizer.specialTokens });
	const all = embeddedPrompts();
	const first = lines.length;
	const prompts = Array.from({ length: count - first }, (_, i) => all[(first + i) % TRAINING_PROMPTS]);
	for (const { promptTokens, tokens } of sampleTexts({
		model,
		tokenizer,
		marker,
		prompts,
		firstIndex: first,
		maxTokens: BUDGET.maxTokens,
		seed: `distillation/texts/${name}/${seed}`,
	}))
		lines.push(JSON.stringify({ promptTokens, tokens }));
	keep(path, `${lines.join('\n')}\n`);
	say(`${count - first} texts of ${name}-${seed}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
	return path;
}

/** What a student is trained on: files with the number of texts from each. */
function trainingTexts(work: string, { mark, rho, seed, texts }: Cell): string[] {
	const count = mark === undefined ? 0 : Math.round(rho * texts);
	const part = (name: MarkName | undefined, wanted: number): string[] =>
		wanted === 0 ? [] : [`${teacherTexts(work, name, seed, wanted)}:${wanted}`];
	return [...part(mark, count), ...part(undefined, texts - count)];
}

/** A number for torch and numpy out of a seed's name: FNV-1a over the cell. */
function trainingSeed(name: string): number {
	let hash = 0x811c9dc5;
	for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
	return hash >>> 1;
}

/** What training needs. */
export interface Training {
	/** Folder of the student. */
	readonly name: string;
	/** Folder of the model that training starts from. */
	readonly from: string;
	/** FILE:COUNT, as `train.py` takes them; absent: the base's books. */
	readonly samples?: readonly string[];
	readonly epochs: number;
	readonly rate: number;
	/** Layers of the student: the first ones of the base, or all and new ones after them; absent: as many as the base. */
	readonly layers?: number;
	/** Rank of the additions that alone are trained; absent: all is trained. */
	readonly lora?: number;
}

/** Folder of a student. */
export function folderOf(work: string, name: string): string {
	return join(work, 'students', name);
}

/** Whether a student is there, whole. */
export function isTrained(work: string, name: string): boolean {
	return existsSync(join(folderOf(work, name), 'model.safetensors'));
}

/** Trains a student. @param about what `cell.json` beside it says. @throws Error when training fails */
export function train(work: string, training: Training, about: object): void {
	const { name, from, samples, epochs, rate, layers, lora } = training;
	const folder = folderOf(work, name);
	const begun = performance.now();
	const part = `${folder}.part`;
	rmSync(part, { recursive: true, force: true });
	mkdirSync(part, { recursive: true });
	const { status, error, stdout, stderr } = spawnSync(
		PYTHON,
		[
			join(HERE, 'train.py'),
			...['--from', from, '--out', part, '--precision', 'bf16'],
			...(samples?.flatMap((file) => ['--samples', file]) ?? ['--books', 'base']),
			...['--epochs', String(epochs), '--rate', String(rate), '--batch', String(BUDGET.batch)],
			...(layers === undefined ? [] : ['--layers', String(layers)]),
			...(lora === undefined ? [] : ['--lora', String(lora)]),
			...['--seed', String(trainingSeed(name))],
		],
		{ encoding: 'utf8', cwd: HERE },
	);
	if (status !== 0) throw new Error(`${name}: ${error?.message ?? stderr}`);
	writeFileSync(join(part, 'cell.json'), `${JSON.stringify(about, null, 1)}\n`);
	rmSync(folder, { recursive: true, force: true });
	renameSync(part, folder);
	say(
		`${name}: ${stdout.trimEnd().split('\n').at(-1)}, ${((performance.now() - begun) / 1000).toFixed(0)} s`,
	);
}

/** Trains a student of the grid unless it is there. @throws Error when training fails */
export function student(work: string, cell: Cell): void {
	if (isTrained(work, cell.name)) return;
	const { epochs, rate } = BUDGET;
	const { name, base } = cell;
	const samples = trainingTexts(work, cell);
	train(work, { name, from: join(MODELS, base), samples, epochs, rate }, { ...cell, budget: BUDGET });
}
