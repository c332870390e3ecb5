/**
 * What a verifier loses who has the text and not the token ids that were generated.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import { loadTokenizer } from '../src/corpus/load-tokenizer.js';
import type { Tokenizer } from '../src/corpus/tokenizer.js';
import { type Random, randomStream } from '../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { logGammaUpperTail } from '../src/stats/tails.js';
import { type Bench, median, type Row } from './rows.js';
import { namedTexts } from './tokenizers/texts.js';
import { tokenizerFile, VOCABULARIES } from './tokenizers/vocabularies.js';

const ANSWER = 200;
/** Share of tokens that the bigram model draws regardless of the one before. */
const REGARDLESS = 0.05;
const WIDTHS = [1, 4] as const;
/** Mean score of a marked token that this bench assumes; 1 without a mark. */
const MARKED_MEAN = 1.5;
const LOG_LEVEL = -6 * Math.LN10;

type Ids = readonly number[];

/** What became of some generated answers. */
interface Loss {
	/** Share of answers whose ids are not those of their text. */
	readonly changed: number;
	/** Share of distinct (context, token) pairs that the text no longer has, by width of the context. */
	readonly lost: ReadonlyMap<number, number>;
}

function pairSet(ids: Ids, width: number): Set<string> {
	const pairs = Array.from({ length: Math.max(0, ids.length - width) }, (_, i) =>
		ids.slice(i, i + width + 1),
	);
	return new Set(pairs.map((pair) => pair.join()));
}

function lossOf(answers: readonly Ids[], there: (answer: Ids) => Ids): Loss {
	let changed = 0;
	const pairs = new Map(WIDTHS.map((width) => [width, { all: 0, lost: 0 }]));
	for (const answer of answers) {
		const back = there(answer);
		if (back.length !== answer.length || back.some((id, i) => id !== answer[i])) changed++;
		for (const [width, count] of pairs) {
			const before = pairSet(answer, width);
			const after = pairSet(back, width);
			count.all += before.size;
			for (const pair of before) if (!after.has(pair)) count.lost++;
		}
	}
	const lost = new Map([...pairs].map(([width, count]) => [width, count.lost / count.all]));
	return { changed: changed / answers.length, lost };
}

/** Answers that begin and end wherever a token does, as an answer of a fixed number of tokens ends. */
function cuts(ids: Ids, count: number, random: Random): Ids[] {
	return Array.from({ length: count }, () => {
		const from = Math.floor(random.next() * Math.max(1, ids.length - ANSWER));
		return ids.slice(from, from + ANSWER);
	});
}

/**
 * Answers sampled at temperature 1 from an interpolated bigram model. The draws that regard nothing matter: tokens
 * whose neighbours all occurred side by side in a text are nearly always the tokenizer's own choice.
 */
function sampled(ids: Ids, count: number, random: Random): Ids[] {
	const followers = new Map<number, number[]>();
	for (let i = 1; i < ids.length; i++) {
		const list = followers.get(ids[i - 1]);
		if (list === undefined) followers.set(ids[i - 1], [ids[i]]);
		else list.push(ids[i]);
	}
	const one = (list: Ids) => list[Math.floor(random.next() * list.length)];
	return Array.from({ length: count }, () => {
		const answer = [one(ids)];
		while (answer.length < ANSWER) {
			const seen = random.next() < REGARDLESS ? undefined : followers.get(answer[answer.length - 1]);
			answer.push(one(seen ?? ids));
		}
		return answer;
	});
}

/** Answers of the embedded teacher, a real if small model, at temperature 1. */
function teacherAnswers(count: number, random: Random): Ids[] {
	const tokenizer = embeddedTokenizer();
	const model = embeddedModel('teacher');
	const prompts = embeddedPrompts()
		.slice(0, count)
		.map((prompt) => tokenizer.encode(prompt));
	const length = Math.min(...prompts.map((prompt) => prompt.length));
	const batch = model.newBatch(prompts.length);
	const answers = prompts.map((): number[] => []);
	for (let at = 0; batch.length < model.maxLength; at++) {
		const logits = batch.step(
			Int32Array.from(prompts, (prompt, row) => (at < length ? prompt[at] : answers[row][at - length])),
		);
		if (at + 1 < length) continue;
		for (const [row, answer] of answers.entries())
			answer.push(draw(logits.subarray(row * model.vocabSize, (row + 1) * model.vocabSize), random));
	}
	return answers;
}

function draw(logits: Float32Array, random: Random): number {
	const greatest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
	const weights = Float64Array.from(logits, (logit) => Math.exp(logit - greatest));
	let left = random.next() * weights.reduce((a, b) => a + b, 0);
	const token = weights.findIndex((weight) => {
		left -= weight;
		return left < 0;
	});
	return token < 0 ? weights.length - 1 : token;
}

/** Pairs until the expected sum of scores has a tail of 10^-6. */
function pairsNeeded(lost: number): number {
	const mean = 1 + (1 - lost) * (MARKED_MEAN - 1);
	let n = 1;
	while (logGammaUpperTail(n, n * mean) > LOG_LEVEL) n++;
	return n;
}

function percent(share: number): string {
	return `${Number((100 * share).toPrecision(2))} %`;
}

function row(name: string, { lost }: Loss): Row {
	const kept = 1 - (lost.get(4) ?? 0);
	return {
		case: name,
		ours: kept,
		peer: 1,
		peerName: 'the generated token ids',
		unit: 'share of pairs kept, h 4',
		ratio: kept,
	};
}

/** Texts changed, pairs lost at width 1, at width 4. */
function summary({ changed, lost }: Loss): string {
	return [changed, ...WIDTHS.map((width) => lost.get(width) ?? 0)].map(percent).join(' / ');
}

/** Decodes as the model's hosts do that take spaces away before punctuation. */
function tidyingDecoder(file: string): (ids: Ids) => string {
	const library = new HuggingFace(JSON.parse(readFileSync(file, 'utf8')), {});
	return (ids) => library.decode([...ids], { skip_special_tokens: true, clean_up_tokenization_spaces: true });
}

export const bench: Bench = {
	about:
		'Answers of 200 tokens are decoded and encoded again: what share of their distinct (context, token) pairs is ' +
		'still there. `cut`: stretches of a text’s own tokens that begin and end at any token. `sampled`: from a bigram ' +
		'model over the tokens of that text, one token in twenty drawn regardless of the one before, so that the ' +
		'tokenizer may write the same characters otherwise. `tidied`: cut, and decoded by a host that removes spaces ' +
		'before punctuation, as Llama 3.1’s configuration asks. `teacher`: 112 tokens each sampled from the embedded ' +
		'teacher at temperature 1. The ratio is that of the expected z, too: pairs that are lost carry no mark.',
	async run({ quick, corpus }) {
		const count = quick ? 50 : 500;
		const texts = namedTexts(quick ? 20_000 : 150_000, corpus);
		const rows: Row[] = [];
		const losses: { source: string; loss: Loss }[] = [];
		const notes: string[] = ['Below: texts changed / pairs lost at h 1 / at h 4.'];
		const report = (name: string, source: string, loss: Loss) => {
			rows.push(row(name, loss));
			losses.push({ source, loss });
		};
		for (const name of VOCABULARIES) {
			const file = tokenizerFile(name);
			const tokenizer: Tokenizer = loadTokenizer(file);
			const there = (ids: Ids) => tokenizer.encode(tokenizer.decode(ids));
			const lines = { cut: [] as string[], sampled: [] as string[], tidied: [] as string[] };
			for (const text of texts) {
				const ids = tokenizer.encode(text.text);
				const random = randomStream(`retokenize/${name}/${text.name}`);
				for (const [source, make] of [
					['cut', cuts],
					['sampled', sampled],
				] as const) {
					const loss = lossOf(make(ids, count, random), there);
					report(`${name}/${text.name}/${source}`, source, loss);
					lines[source].push(`${text.name} ${summary(loss)}`);
				}
				if (name === 'llama3_1' && (text.name === 'english' || text.name === 'code')) {
					const decode = tidyingDecoder(file);
					const loss = lossOf(cuts(ids, count, random), (answer) => tokenizer.encode(decode(answer)));
					report(`${name}/${text.name}/tidied`, 'tidied', loss);
					lines.tidied.push(`${text.name} ${summary(loss)}`);
				}
			}
			for (const [source, list] of Object.entries(lines))
				if (list.length > 0) notes.push(`\`${name}\`, ${source}: ${list.join('; ')}.`);
		}
		const embedded = embeddedTokenizer();
		const answers = teacherAnswers(count, randomStream('retokenize/teacher'));
		const teacher = lossOf(answers, (ids) => embedded.encode(embedded.decode(ids)));
		report('embedded/english/teacher', 'teacher', teacher);
		notes.push(`\`embedded\`, teacher: ${summary(teacher)}.`);
		for (const source of ['cut', 'sampled', 'teacher']) {
			const lost = losses.filter((entry) => entry.source === source).map(({ loss }) => loss.lost.get(4) ?? 0);
			const [middle, most] = [median(lost), Math.max(...lost)];
			notes.push(
				`${source}: pairs lost (h 4) ${percent(middle)} in the median case, ${percent(most)} in the worst. ` +
					`Tokens until log10 p = −6 at a mean score of ${MARKED_MEAN}: ${pairsNeeded(0)} from token ids, ` +
					`${pairsNeeded(middle)} and ${pairsNeeded(most)} from text.`,
			);
		}
		return { rows, notes };
	},
};
