/**
 * What each mark of the distillation grid costs the teacher's texts.
 *
 * @module
 */
import type { Marker } from '../src/embed/marker.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { sampleTexts } from '../src/generate/sample.js';
import { MARK_NAMES, type MarkName, markerOf } from './distillation/marks.js';
import type { Bench, Row } from './rows.js';

/** What is measured, in the order of the rows: a unit, and whether less is better. */
const MEASURES = [
	{ name: 'perplexity', unit: 'perplexity under the unmarked teacher', less: true },
	{ name: 'distinct 2-grams', unit: 'share of distinct 2-grams', less: false },
	{ name: 'distinct 3-grams', unit: 'share of distinct 3-grams', less: false },
	{ name: 'repetition', unit: 'share of 3-grams that the text had before', less: true },
	{ name: 'variety', unit: 'share of distinct 2-grams over the answers to one prompt', less: false },
] as const;

/** Most that a recommended mark may cost: perplexity, distinct 2-grams, variety. */
const LIMITS = { perplexity: 0.03, 'distinct 2-grams': 0.05, variety: 0.05 } as const;

const MAX_TOKENS = 112;

/** n-grams of a text. */
function grams(tokens: readonly number[], n: number): string[] {
	return tokens.slice(n - 1).map((_, i) => tokens.slice(i, i + n).join());
}

/** Share of distinct ones. */
function distinct(all: readonly string[]): number {
	return new Set(all).size / all.length;
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;

/** Standard error of a mean. */
function standardError(values: readonly number[]): number {
	const centre = mean(values);
	const squares = values.reduce((sum, x) => sum + (x - centre) ** 2, 0);
	return Math.sqrt(squares / (values.length - 1) / values.length);
}

/** Adds up what the marker's model, before the mark, thinks of each token that is chosen: −ln p. */
function overhear(marker: Marker): { readonly marker: Marker; perToken(): number } {
	let nats = 0;
	let tokens = 0;
	return {
		perToken: () => nats / tokens,
		marker: {
			start: (options) => marker.start(options),
			step(generations, logits, ...rest) {
				const chosen = marker.step(generations, logits, ...rest);
				const size = logits.length / chosen.length;
				for (const [row, token] of chosen.entries()) {
					const begin = row * size;
					let top = -Infinity;
					for (let i = begin; i < begin + size; i++) if (logits[i] > top) top = logits[i];
					let total = 0;
					for (let i = begin; i < begin + size; i++) total += Math.exp(logits[i] - top);
					nats += top + Math.log(total) - logits[begin + token];
					tokens++;
				}
				return chosen;
			},
		},
	};
}

export const bench: Bench = {
	about:
		'What a mark costs the embedded teacher: texts of 112 tokens at temperature 1 after 16-token prompts, six keys with 512 ' +
		'texts each (default unkeyed share), and 32 answers to each of 16 prompts a key for variety. Means over keys; peer: the same without ' +
		'a mark, six seeds. Notes give each ratio to unmarked with its standard error over keys, and whether the mark keeps within ' +
		'3 % of perplexity and 5 % of distinct 2-grams and of variety.',
	async run({ quick }) {
		const model = embeddedModel('teacher');
		const tokenizer = embeddedTokenizer();
		const { vocabSize } = model;
		const prompts = embeddedPrompts();
		const keys = quick ? 2 : 6;
		const texts = quick ? 64 : 512;
		const asked = quick ? 2 : 16;
		const answers = 32;

		/** One key of one mark: the measures in order. */
		function measure(name: MarkName | undefined, key: number): number[] {
			const teacher = overhear(
				markerOf(name, `quality-${key}`, { vocabSize, specialTokens: tokenizer.specialTokens }),
			);
			// Marked and unmarked texts differ in their seeds, so that nothing is shared but the prompts.
			const seed = `quality/${name ?? 'unmarked'}/${key}`;
			const write = (given: readonly string[], part: string) =>
				[
					...sampleTexts({
						model,
						tokenizer,
						marker: teacher.marker,
						prompts: given,
						maxTokens: MAX_TOKENS,
						seed: `${seed}/${part}`,
					}),
				].map(({ tokens }) => tokens);
			const from = (key % 2) * texts;
			const written = write(prompts.slice(from, from + texts), 'texts');
			const perplexity = Math.exp(teacher.perToken());
			const repeated = write(
				Array.from({ length: asked * answers }, (_, i) => prompts[Math.floor(i / answers)]),
				'answers',
			);
			const perPrompt = Array.from({ length: asked }, (_, i) =>
				distinct(repeated.slice(i * answers, (i + 1) * answers).flatMap((tokens) => grams(tokens, 2))),
			);
			return [
				perplexity,
				distinct(written.flatMap((tokens) => grams(tokens, 2))),
				distinct(written.flatMap((tokens) => grams(tokens, 3))),
				1 - mean(written.filter(({ length }) => length > 2).map((tokens) => distinct(grams(tokens, 3)))),
				mean(perPrompt),
			];
		}

		const numbers = Array.from({ length: keys }, (_, key) => key);
		const plain = numbers.map((key) => measure(undefined, key));
		const rows: Row[] = [];
		const notes: string[] = [];
		for (const name of MARK_NAMES) {
			const marked = numbers.map((key) => measure(name, key));
			const said: string[] = [];
			let passes = true;
			for (const [i, { name: what, unit, less }] of MEASURES.entries()) {
				const ours = mean(marked.map((row) => row[i]));
				const peer = mean(plain.map((row) => row[i]));
				// Key k is compared with seed k: the same prompts.
				const ratios = marked.map((row, key) => row[i] / plain[key][i]);
				const ratio = mean(ratios);
				said.push(`${what} ${ratio.toFixed(3)} ± ${standardError(ratios).toFixed(3)}`);
				if (what in LIMITS) {
					const limit = LIMITS[what as keyof typeof LIMITS];
					if (less ? ratio > 1 + limit : ratio < 1 - limit) passes = false;
				}
				rows.push({
					case: `quality ${name} ${what}`,
					ours,
					peer,
					peerName: 'no mark',
					unit,
					ratio: less ? peer / ours : ours / peer,
				});
			}
			const note = `${name}: ${said.join(', ')}: ${passes ? 'within' : 'beyond'} the limits.`;
			process.stderr.write(`${note}\n`);
			notes.push(note);
		}
		return { rows, notes };
	},
};
