/**
 * What an attacker without the key learns: of the mark from its answers, and of the detector from what it says.
 *
 * @module
 */
import { createMarker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { type Sample, sampleTexts } from '../src/generate/sample.js';
import { bindMark, type Mark } from '../src/marks/mark.js';
import type { Transformer } from '../src/model/transformer.js';
import { scoreOfWindow } from '../src/schemes/scheme.js';
import { detect } from '../src/verify/detect.js';
import { specOf } from './fresh-marks.js';
import { type Bench, median, type Row } from './rows.js';

const KEY = new Uint8Array(32).fill(11);
const chacha = { prf: 'chacha8-v1' } as const;
/** The marks of a new ring, and a strong green list. */
const MARKS = [
	[
		'synthid-1 h1',
		specOf({ scheme: { name: 'synthid', depth: 1 }, channel: 'shape', contextWidth: 1, ...chacha }),
	],
	['kgw-g25-d2 h1', specOf({ scheme: { name: 'kgw', gamma: 0.25, delta: 2 }, contextWidth: 1, ...chacha })],
	['gumbel h4', specOf({ scheme: { name: 'gumbel' }, contextWidth: 4, ...chacha })],
] as const;

/** log10 p that a verdict asks for. */
const LEVEL = -6;
/** Counts that stand for what is not known of a context. */
const PRIOR = 10;
/** How hard a forger leans on what it has learned: it takes what brings most. The most that a pair can say. */
const LEANS = [1, 2, 4, 8];
const MOST = 3;

/** How often each token came after each context. */
type Counts = Map<string, Map<number, number>>;

function count(samples: readonly Sample[], width: number): Counts {
	const counts: Counts = new Map();
	for (const { tokens } of samples)
		for (let i = width; i < tokens.length; i++) {
			const context = tokens.slice(i - width, i).join();
			const row = counts.get(context) ?? new Map<number, number>();
			counts.set(context, row);
			row.set(tokens[i], (row.get(tokens[i]) ?? 0) + 1);
		}
	return counts;
}

const total = (row: ReadonlyMap<number, number> | undefined) =>
	row === undefined ? 0 : [...row.values()].reduce((sum, one) => sum + one, 0);

/** What an attacker believes of tokens after a context: deviations of each from its frequency without the mark. Null: nothing. */
type Belief = (context: readonly number[]) => ((token: number) => number) | null;

/** Frequencies under the mark against frequencies without it. */
function frequencyBelief(marked: Counts, plain: Counts, unigram: Float64Array): Belief {
	return (context) => {
		const name = context.join();
		const seen = marked.get(name);
		if (seen === undefined) return null;
		const before = plain.get(name);
		const [after, without] = [total(seen), total(before)];
		return (token) => {
			const share = ((before?.get(token) ?? 0) + PRIOR * unigram[token]) / (without + PRIOR);
			const expected = after * share;
			const variance = expected * (1 + after / (without + PRIOR)) + 1;
			const deviations = ((seen.get(token) ?? 0) - expected) / Math.sqrt(variance);
			return Math.max(-MOST, Math.min(MOST, deviations));
		};
	};
}

/** Forged texts, and their perplexity under the model without its mark. */
interface Forged {
	readonly texts: readonly number[][];
	readonly perplexity: number;
}

/** Writes with the model without its mark, each token leaning to what is believed to be marked; a pair counts once, so it leans once. */
function forge(
	model: Transformer,
	prompts: readonly (readonly number[])[],
	width: number,
	belief: Belief,
	lean: number,
	length: number,
): Forged {
	const random = randomStream('stealing/forge');
	const batch = model.newBatch(prompts.length);
	const texts = prompts.map(() => ({ tokens: [] as number[], used: new Map<string, Set<number>>() }));
	let surprise = 0;
	let logits: Float32Array = new Float32Array(0);
	for (let at = 0; at < prompts[0].length; at++)
		logits = batch.step(Int32Array.from(prompts, (ids) => ids[at]));
	for (let step = 0; step < length; step++) {
		for (const [row, { tokens, used }] of texts.entries()) {
			const context = tokens.slice(-width);
			const own = logits.subarray(row * model.vocabSize, (row + 1) * model.vocabSize);
			const marked = context.length < width ? null : belief(context);
			const spent = used.get(context.join()) ?? new Set();
			used.set(context.join(), spent);
			const leaning =
				marked === null
					? own
					: own.map((logit, token) => (spent.has(token) ? logit : logit + lean * marked(token)));
			const token = drawn(leaning, random.next());
			spent.add(token);
			tokens.push(token);
			surprise -= logProbability(own, token);
		}
		if (step + 1 < length)
			logits = batch.step(Int32Array.from(texts, ({ tokens }) => tokens[tokens.length - 1]));
	}
	return {
		texts: texts.map(({ tokens }) => tokens),
		perplexity: Math.exp(surprise / (length * texts.length)),
	};
}

function logProbability(logits: Float32Array, token: number): number {
	const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
	return logits[token] - most - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0));
}

/** The token at a quantile of softmax(logits). */
function drawn(logits: Float32Array, quantile: number): number {
	const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
	const weights = Float64Array.from(logits, (logit) => Math.exp(logit - most));
	let left = quantile * weights.reduce((sum, weight) => sum + weight, 0);
	const token = weights.findIndex((weight) => {
		left -= weight;
		return left < 0;
	});
	return token < 0 ? weights.length - 1 : token;
}

/** Share of the pairs of texts whose colour is guessed; a pair of which nothing is believed counts half. */
function guessed(texts: readonly Sample[], mark: Mark, belief: Belief): number {
	let right = 0;
	let pairs = 0;
	for (const { tokens } of texts)
		for (let i = mark.spec.contextWidth; i < tokens.length; i++) {
			const context = tokens.slice(i - mark.spec.contextWidth, i);
			const believed = belief(context)?.(tokens[i]) ?? 0;
			const green = scoreOfWindow(mark.scheme, context, tokens[i]) > 0;
			pairs++;
			right += believed === 0 ? 0.5 : Number(believed > 0 === green);
		}
	return right / pairs;
}

/** What a detector says of a text: one of few answers, or log10 p itself. The lower, the more it looks marked. */
interface Oracle {
	readonly name: string;
	answer(log10P: number): number;
}

const bands = (edges: readonly number[]): Oracle => ({
	name: `${edges.length + 1} answers`,
	answer: (log10P) => edges.filter((edge) => log10P > edge).length,
});
const EXACT: Oracle = { name: 'p-values', answer: (log10P) => log10P };
/** Verdict alone; verdict with three bands below it. */
const COARSE = [bands([LEVEL]), bands([LEVEL, -4, -2])];

/** How an attack went. */
interface Climb {
	readonly queries: number;
	/** Tokens that were changed and stayed so, as a share of the text. */
	readonly changed: number;
	readonly reached: boolean;
}

/**
 * Changes one token after another, and keeps what the detector does not like less.
 *
 * @param sign 1: to be found marked; −1: not to be
 */
function climb(
	{ tokens }: Sample,
	mark: Mark,
	oracle: Oracle,
	words: readonly number[],
	{ sign, most, seed }: { sign: 1 | -1; most: number; seed: string },
): Climb {
	const random = randomStream(`stealing/climb/${seed}`);
	const text = [...tokens];
	const log10P = () => detect('', text, [mark]).log10P;
	const there = (p: number) => (sign === 1 ? p <= LEVEL : p > LEVEL);
	let held = oracle.answer(log10P());
	for (let queries = 1; queries <= most; queries++) {
		const at = Math.floor(text.length * random.next());
		const before = text[at];
		text[at] = words[Math.floor(words.length * random.next())];
		const p = log10P();
		const answer = oracle.answer(p);
		if (sign * answer > sign * held) text[at] = before;
		else held = answer;
		if (there(p)) return { queries, changed: changes(text, tokens), reached: true };
	}
	return { queries: most, changed: changes(text, tokens), reached: false };
}

function changes(text: readonly number[], original: readonly number[]): number {
	return text.filter((token, i) => token !== original[i]).length / text.length;
}

export const bench: Bench = {
	about:
		'Attacks without the key on the embedded teacher (answers of at most 112 tokens, temperature 1, a fresh key a mark). ' +
		'`colours@N`: an attacker counts how often each token comes after each context in N answers, beside 2,048 answers of the ' +
		'same model without its mark, and guesses the colour of each pair of other unmarked text; peer: a guess. `forge@N`: it ' +
		'writes texts with the unmarked model, leaning to what it believes as hard as brings most; −log10 p, median; peer: what a verdict asks for; ' +
		'`contexts that were not served`: the same without what may be copied from the N answers. ' +
		'`climb`: from unmarked text it changes one token a query and keeps what the detector does not like less, until the text ' +
		'is found marked; queries, median; `2 answers`: the verdict alone, `4 answers`: three bands below it too; peer: a detector that tells p-values. `strip`: the same from text that is found marked ' +
		'until it is not; share of tokens changed. An attack that does not get there counts at the queries tried. ' +
		'The attacker knows the tokenizer and draws words as the model does, without regard to sense.',
	async run({ quick }) {
		const model = embeddedModel('teacher');
		const tokenizer = embeddedTokenizer();
		const { specialTokens } = tokenizer;
		const served = quick ? [16, 64] : [32, 256, 2048];
		const most = served[served.length - 1];
		const forgeries = quick ? 8 : 32;
		const climbs = quick ? 3 : 9;
		const tries = quick ? 500 : 3000;
		const all = embeddedPrompts();
		const prompts = Array.from({ length: most }, (_, i) => all[i % all.length]);
		const generate = (marks: readonly Mark[], seed: string, texts: readonly string[]): Sample[] => {
			const marker = createMarker({ marks, vocabSize: model.vocabSize, specialTokens });
			return [...sampleTexts({ model, tokenizer, marker, maxTokens: 112, prompts: texts, seed })];
		};
		const plain = generate([], 'stealing/plain', prompts);
		const fresh = generate([], 'stealing/fresh', prompts.slice(-Math.max(forgeries, climbs)));
		const given = fresh.slice(0, forgeries).map(({ promptTokens }) => promptTokens);
		const straight = forge(model, given, 1, () => null, 0, 112);
		const unigram = new Float64Array(model.vocabSize);
		for (const { tokens } of plain) for (const token of tokens) unigram[token]++;
		const words = plain.flatMap(({ tokens }) => tokens);
		unigram.forEach((times, token) => {
			unigram[token] = (times + 0.5) / (words.length + 0.5 * unigram.length);
		});

		const rows: Row[] = [];
		const notes: string[] = [];
		for (const [name, spec] of MARKS) {
			const mark = bindMark(spec, KEY);
			const width = spec.contextWidth;
			const answers = generate([mark], `stealing/${name}`, prompts);
			const without = count(plain, width);
			for (const n of served) {
				const belief = frequencyBelief(count(answers.slice(0, n), width), without, unigram);
				if (spec.channel === 'shape') {
					const right = guessed(fresh, mark, belief);
					rows.push({
						case: `colours@${n} ${name}`,
						ours: right,
						peer: 0.5,
						peerName: 'a guess',
						unit: 'share of pairs',
						ratio: 0.5 / right,
					});
				}
				const evidenceOf = (texts: readonly number[][], seen: readonly number[] = []) =>
					texts.map((text) => -detect('', text, [mark], { given: seen }).log10P);
				const tried = LEANS.map((lean) => {
					const forged = forge(model, given, width, belief, lean, 112);
					const each = evidenceOf(forged.texts);
					return { lean, forged, each, evidence: median(each) };
				});
				const best = tried.reduce((a, b) => (b.evidence > a.evidence ? b : a));
				const found = best.each.filter((one) => one >= -LEVEL).length;
				rows.push({
					case: `forge@${n} ${name}`,
					ours: best.evidence,
					peer: -LEVEL,
					peerName: 'what a verdict asks for',
					unit: '−log10 p a text',
					ratio: -LEVEL / best.evidence,
				});
				notes.push(
					`forge@${n} ${name}: ${found} of ${given.length} forged texts are found marked; perplexity under the unmarked model ` +
						`${best.forged.perplexity.toFixed(0)}, not leaning ${straight.perplexity.toFixed(0)}.`,
				);
				if (spec.channel === 'shape') continue;
				const seen = answers.slice(0, n).flatMap(({ tokens }) => tokens);
				const unseen = median(evidenceOf(best.forged.texts, seen));
				rows.push({
					case: `forge@${n} ${name}, contexts that were not served`,
					ours: unseen,
					peer: -LEVEL,
					peerName: 'what a verdict asks for',
					unit: '−log10 p a text',
					ratio: -LEVEL / unseen,
				});
			}
			const marked = answers.filter(({ tokens }) => detect('', tokens, [mark]).verdict === 'marked');
			notes.push(`${name}: ${marked.length} of ${answers.length} answers are found marked by themselves.`);
			for (const [attack, sign, from, coarseOnes] of [
				['climb', 1, fresh, COARSE],
				['strip', -1, marked, COARSE.slice(0, 1)],
			] as const) {
				const run = (oracle: Oracle) =>
					from
						.slice(0, climbs)
						.map((text, i) => climb(text, mark, oracle, words, { sign, most: tries, seed: `${name}/${i}` }));
				const measure = (ways: readonly Climb[]) =>
					median(ways.map((way) => (attack === 'climb' ? way.queries : way.changed)));
				const exact = run(EXACT);
				for (const oracle of coarseOnes) {
					const coarse = run(oracle);
					const reached = (ways: readonly Climb[]) => ways.filter((way) => way.reached).length;
					rows.push({
						case: `${attack} ${name}, ${oracle.name}`,
						ours: measure(coarse),
						peer: measure(exact),
						peerName: EXACT.name,
						unit: attack === 'climb' ? 'queries' : 'share of tokens changed',
						ratio: measure(coarse) / measure(exact),
					});
					const spent = attack === 'climb' ? '' : `, ${median(coarse.map(({ queries }) => queries))} queries`;
					notes.push(
						`${attack} ${name}, ${oracle.name}: ${reached(coarse)} of ${coarse.length} got there within ${tries} queries${spent}; ` +
							`with p-values ${reached(exact)}, ${median(exact.map(({ queries }) => queries))} queries.`,
					);
				}
			}
		}
		return { rows, notes };
	},
};
