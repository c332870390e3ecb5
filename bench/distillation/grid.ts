/**
 * Trains the students of the distillation bench, one after another; what is there already is left as it is.
 *
 *     TOUCHMARK_PYTHON=python3 npx tsx bench/distillation/grid.ts --cells quality|core|all [--work DIR]
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { embeddedModel, embeddedPrompts, embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { bench as quality } from '../quality.js';
import { ALL, BUDGET, type Cell, CORE, type Rewrite, TRAINING_PROMPTS } from './cells.js';
import { type MarkName, markerOf } from './marks.js';

const HERE = dirname(fileURLToPath(import.meta.url));
const python = process.env.TOUCHMARK_PYTHON ?? 'python3';
const say = (line: string) => process.stderr.write(`${new Date().toISOString()} ${line}\n`);

/** Writes a file under another name first, so that it is whole or not there. */
function writeWhole(path: string, text: string): void {
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(`${path}.part`, text);
	renameSync(`${path}.part`, path);
}

const linesOf = (path: string): string[] =>
	existsSync(path) ? readFileSync(path, 'utf8').split('\n').filter(Boolean) : [];

/**
 * The teacher's texts under one mark and seed, at least `count` of them. A file with fewer is continued: a text
 * depends on its number alone.
 *
 * @param mark undefined for unmarked texts
 * @returns the file
 */
function teacherTexts(work: string, mark: MarkName | undefined, seed: string, count: number): string {
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
	writeWhole(path, `${lines.join('\n')}\n`);
	say(`${count - first} texts of ${name}-${seed}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
	return path;
}

/** The same texts rewritten. */
function rewritten(path: string, count: number, rewrite: Rewrite): string {
	const to = path.replace(/\.jsonl$/, `-${rewrite.name}.jsonl`);
	if (linesOf(to).length >= count) return to;
	const lines = linesOf(path).map((line) => {
		const { promptTokens, tokens } = JSON.parse(line) as { promptTokens: number[]; tokens: number[] };
		return JSON.stringify({ promptTokens, tokens: rewrite.of(tokens) });
	});
	writeWhole(to, `${lines.join('\n')}\n`);
	return to;
}

/** What a student is trained on: files with the number of texts from each. */
function trainingTexts(work: string, { mark, rho, seed, texts, rewrite }: Cell): string[] {
	const count = mark === undefined ? 0 : Math.round(rho * texts);
	const part = (name: MarkName | undefined, wanted: number): string[] => {
		if (wanted === 0) return [];
		const path = teacherTexts(work, name, seed, wanted);
		return [`${rewrite === undefined ? path : rewritten(path, wanted, rewrite)}:${wanted}`];
	};
	return [...part(mark, count), ...part(undefined, texts - count)];
}

/** A number for torch and numpy out of a seed's name: FNV-1a over the cell. */
function trainingSeed(name: string): number {
	let hash = 0x811c9dc5;
	for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193) >>> 0;
	return hash >>> 1;
}

/** Trains a student unless it is there. @throws Error when training fails */
function student(work: string, cell: Cell): void {
	const folder = join(work, 'students', cell.name);
	if (existsSync(join(folder, 'model.safetensors'))) return;
	const samples = trainingTexts(work, cell);
	const begun = performance.now();
	const part = `${folder}.part`;
	rmSync(part, { recursive: true, force: true });
	mkdirSync(part, { recursive: true });
	const { status, error, stdout, stderr } = spawnSync(
		python,
		[
			join(HERE, 'train.py'),
			...['--from', join(MODELS, cell.base), '--out', part, '--precision', 'bf16'],
			...samples.flatMap((file) => ['--samples', file]),
			...['--epochs', String(BUDGET.epochs), '--rate', String(BUDGET.rate), '--batch', String(BUDGET.batch)],
			...['--seed', String(trainingSeed(cell.name))],
		],
		{ encoding: 'utf8', cwd: HERE },
	);
	if (status !== 0) throw new Error(`${cell.name}: ${error?.message ?? stderr}`);
	writeFileSync(join(part, 'cell.json'), `${JSON.stringify({ ...cell, budget: BUDGET }, null, 1)}\n`);
	rmSync(folder, { recursive: true, force: true });
	renameSync(part, folder);
	say(
		`${cell.name}: ${stdout.trimEnd().split('\n').at(-1)}, ${((performance.now() - begun) / 1000).toFixed(0)} s`,
	);
}

const { values } = parseArgs({
	options: { cells: { type: 'string' }, work: { type: 'string', default: join(HERE, 'work') } },
});
const CHOICES: Readonly<Record<string, readonly Cell[]>> = { quality: [], core: CORE, all: ALL };
const cells = CHOICES[values.cells ?? ''];
if (cells === undefined) {
	console.error(`give --cells ${Object.keys(CHOICES).join('|')}`);
	process.exit(2);
}
if (values.cells !== 'core' && !existsSync(join(values.work, 'quality.json')))
	writeWhole(
		join(values.work, 'quality.json'),
		`${JSON.stringify(await quality.run({ quick: false }), null, 1)}\n`,
	);
for (const [i, cell] of cells.entries()) {
	student(values.work, cell);
	if ((i + 1) % 10 === 0 || i + 1 === cells.length) say(`${i + 1} of ${cells.length} students`);
}
