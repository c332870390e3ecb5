/**
 * A base model with another tokenizer than the teacher's, and students of it that saw no mark.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '../../src/corpus/load-tokenizer.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { BUDGET, REFERENCES } from './cells.js';
import { OTHER_VOCABULARY } from './hard-cells.js';
import { reencoded } from './rewrites.js';
import { HERE, isTrained, keepTexts, PYTHON, teacherTexts, textsOf, train } from './students.js';

/** Folder of the base model with another tokenizer, trained if it is not there. */
export function otherBase(work: string): string {
	const folder = join(work, 'bases', `base-${OTHER_VOCABULARY}`);
	if (existsSync(join(folder, 'model.safetensors'))) return folder;
	const python = (script: string, ...args: string[]) => {
		const { status, error, stderr } = spawnSync(
			PYTHON,
			[join(HERE, script), '--books', 'base', '--out', folder, ...args],
			{ encoding: 'utf8', cwd: HERE },
		);
		if (status !== 0) throw new Error(`${script}: ${error?.message ?? stderr}`);
	};
	python('train_tokenizer.py', '--vocabulary', String(OTHER_VOCABULARY));
	const tokenizer = join(folder, 'tokenizer.json');
	python('train.py', '--tokenizer', tokenizer, '--seed', '3072', '--epochs', '3', '--precision', 'bf16');
	return folder;
}

/** Students of unmarked text with the other tokenizer: what the teacher's owner can train from the suspect's public base. */
export const OTHER_REFERENCES = REFERENCES.slice(0, 2).map(({ name, seed }) => ({
	name: `hard-tokenizer-${name}`,
	seed,
}));

/** Trains them unless they are there. */
export function trainOtherReferences(work: string): void {
	const { epochs, rate, texts: count } = BUDGET;
	for (const { name, seed } of OTHER_REFERENCES) {
		if (isTrained(work, name)) continue;
		const path = join(work, 'texts', `${name}.jsonl`);
		const texts = textsOf(teacherTexts(work, undefined, seed, count), 0, count);
		keepTexts(path, reencoded(embeddedTokenizer(), loadTokenizer(otherBase(work)), texts));
		train(work, { name, from: otherBase(work), samples: [path], epochs, rate }, { name, budget: BUDGET });
	}
}
