/**
 * Texts under all three layers, by the embedded teacher and by SmolLM2-135M, each with the evidence that it can be expected
 * to have. SmolLM2 runs in node-llama-cpp (examples/node-llama-cpp), from the GGUF file that TOUCHMARK_TEST_GGUF names.
 *
 * @module
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type LlamaSequence, nodeLlamaCppGenerate } from '../src/embed/adapters/node-llama-cpp.js';
import { createMarker, type Marker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { sampleTexts } from '../src/generate/sample.js';
import type { Mark } from '../src/marks/mark.js';
import { writeWhole } from '../src/output.js';
import { stepEvidence } from './account-evidence.js';
import { freshLayers } from './fresh-marks.js';

/** Accounts that come into question. */
export const ACCOUNTS = Array.from({ length: 24_000 }, (_, i) => `account-${i}`);

/** A text, whose it is, and what each of its steps can be expected to say. */
export interface TracedText {
	readonly tokens: readonly number[];
	readonly account: string;
	readonly steps: readonly Float64Array[];
}

/** Texts of one model at one temperature, and the marks that are in them. */
export interface TracedTexts {
	readonly model: string;
	readonly temperature: number;
	readonly marks: readonly Mark[];
	readonly texts: readonly TracedText[];
}

const COHORT = 'cohort';

/** Marks of one model. */
function layers(model: string): Mark[] {
	return freshLayers(randomStream(`trace/${model}`), [COHORT]);
}

/** Account of the i-th text. */
function accountOf(i: number): string {
	return ACCOUNTS[(i * 7919) % ACCOUNTS.length];
}

/** A marker that notes what each step can be expected to say. */
function noting(
	marker: Marker,
	shapes: readonly Mark[],
	temperature: number,
): { marker: Marker; notes: Map<string, Float64Array[]> } {
	const notes = new Map<string, Float64Array[]>();
	return {
		notes,
		marker: {
			start: marker.start,
			step(generations, logits, ...rest) {
				const size = logits.length / generations.length;
				generations.forEach((generation, i) => {
					const row = logits.slice(i * size, (i + 1) * size).map((logit) => logit / temperature);
					const context = generation.tokens.slice(-1);
					const cohort = shapes.find(({ spec }) => spec.layer === 'cohort');
					const shape = context.length > 0 && cohort?.covers(context) ? cohort : shapes[0];
					if (context.length > 0) shape.scheme.tilt?.(context, row);
					const list = notes.get(generation.id) ?? [];
					list.push(stepEvidence(softmax(row)));
					notes.set(generation.id, list);
				});
				return marker.step(generations, logits, ...rest);
			},
		},
	};
}

function softmax(logits: Float32Array): Float64Array {
	let top = -Infinity;
	for (const logit of logits) if (logit > top) top = logit;
	const weights = Float64Array.from(logits, (logit) => Math.exp(logit - top));
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	return weights.map((weight) => weight / total);
}

/** By the embedded teacher: 112 tokens a text. */
export function teacherTexts(count: number, temperature: number): TracedTexts {
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const marks = layers('teacher');
	const { marker, notes } = noting(
		createMarker({ marks, vocabSize: model.vocabSize, specialTokens: tokenizer.specialTokens }),
		[marks[0], marks[3]],
		temperature,
	);
	const all = embeddedPrompts();
	const samples = sampleTexts({
		...{ model, tokenizer, marker, maxTokens: 112, seed: `trace-${temperature}`, sampling: { temperature } },
		prompts: Array.from({ length: count }, (_, i) => all[i % all.length]),
		starts: Array.from({ length: count }, (_, i) => ({ account: accountOf(i), cohort: COHORT })),
	});
	const texts = [...samples].map(({ id, tokens }, i) => ({
		tokens,
		account: accountOf(i),
		steps: notes.get(id) ?? [],
	}));
	return { model: 'teacher', temperature, marks, texts };
}

/** What is used of the host. */
interface Model {
	readonly tokens: { readonly eos: number; readonly eot: number | null };
	iterateAllTokens(): Iterable<number>;
	tokenize(text: string, special: boolean): number[];
	createContext(options: object): Promise<{
		getSequence(): LlamaSequence<number> & { clearHistory(): Promise<void> };
	}>;
}
interface Host {
	getLlama(options: object): Promise<{
		loadModel(options: object): Promise<Model>;
		dispose(): Promise<void>;
	}>;
}
const HOST = 'examples/node-llama-cpp/node_modules/node-llama-cpp/dist/index.js';

/** Whose likeliest tokens are read: the others have 1 in 10,000 or less together. */
const TOP = 2000;

const SUBJECTS = [
	'a lighthouse',
	'tax law',
	'bread',
	'the moon',
	'a lost dog',
	'steam engines',
	'friendship',
	'bees',
];
const KINDS = [
	'Write a short story about',
	'Explain',
	'Give advice on',
	'Describe the history of',
	'Write a letter about',
];

/** Where texts that took long are kept. */
const KEPT = 'bench/work';

/**
 * By SmolLM2-135M-Instruct: up to `length` tokens a text; null where the model or its host is not there. Texts that were
 * made before are read again.
 */
export async function smollm2Texts(
	count: number,
	temperature: number,
	length: number,
): Promise<TracedTexts | null> {
	const modelPath = process.env.TOUCHMARK_TEST_GGUF;
	if (modelPath === undefined) return null;
	const common = { model: 'SmolLM2-135M', temperature, marks: layers('smollm2') };
	const path = join(KEPT, `traced-smollm2-${temperature}-${length}-${count}.json`);
	if (!existsSync(path)) {
		const texts = await newSmollm2Texts(modelPath, common.marks, count, temperature, length);
		const rows = texts.map((text) => ({ ...text, steps: text.steps.map((step) => [...step]) }));
		mkdirSync(KEPT, { recursive: true });
		writeWhole(path, JSON.stringify(rows));
	}
	const kept = JSON.parse(readFileSync(path, 'utf8')) as (Omit<TracedText, 'steps'> & {
		steps: number[][];
	})[];
	const texts = kept.map((text) => ({ ...text, steps: text.steps.map((step) => Float64Array.from(step)) }));
	return { ...common, texts };
}

async function newSmollm2Texts(
	modelPath: string,
	marks: readonly Mark[],
	count: number,
	temperature: number,
	length: number,
): Promise<TracedText[]> {
	const { getLlama } = (await import(pathToFileURL(resolve(HOST)).href)) as Host;
	const llama = await getLlama({ gpu: false, build: 'never' });
	const model = await llama.loadModel({ modelPath });
	const sequence = (await model.createContext({ contextSize: 1024, threads: 1 })).getSequence();
	const vocabSize = [...model.iterateAllTokens()].length;
	const ends = [model.tokens.eos, model.tokens.eot].flatMap((token) => token ?? []);
	const { marker, notes } = noting(
		createMarker({ marks, vocabSize, specialTokens: ends }),
		[marks[0], marks[3]],
		temperature,
	);
	const texts: TracedText[] = [];
	for (let i = 0; i < count; i++) {
		const question = `${KINDS[i % KINDS.length]} ${SUBJECTS[Math.floor(i / KINDS.length) % SUBJECTS.length]}.`;
		await sequence.clearHistory();
		const id = `smollm2-${temperature}-${i}`;
		const { tokens } = await nodeLlamaCppGenerate(sequence, marker, {
			...{ id, seed: id, account: accountOf(i), cohort: COHORT, sampling: { temperature } },
			...{ vocabSize, top: TOP, maxTokens: length, endTokens: ends },
			prompt: model.tokenize(`<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`, true),
		});
		texts.push({ tokens, account: accountOf(i), steps: notes.get(id) ?? [] });
		notes.delete(id);
	}
	await llama.dispose();
	return texts;
}
