/**
 * Trials of the distillation bench: the teacher draws two answers to each request, and a keyed coin serves one.
 *
 * @module
 */
import { join } from 'node:path';
import { z } from 'zod';
import { randomStream } from '../../src/embed/random.js';
import { createTrial } from '../../src/embed/trial.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { type Arm, ArmRecord, ArmSpec, bindArm, OpenedCoin, openCoins } from '../../src/marks/arm.js';
import { ExposurePair } from '../../src/verify/exposure-data.js';
import { TRAINING_PROMPTS } from './cells.js';
import { type MarkName, markerOf } from './marks.js';
import { keep, linesOf, say } from './students.js';

/** Tokens of an answer. */
export const ANSWER = 112;

/** One request of a trial, as it is kept. */
const Exchange = z.object({
	promptTokens: z.array(z.number()),
	/** The answer that was served. */
	tokens: z.array(z.number()),
	pair: ExposurePair,
	record: ArmRecord,
	coin: OpenedCoin,
});
export type Exchange = z.infer<typeof Exchange>;

/** An arm under the key of a seed. */
export function armOf(seed: string): Arm {
	const random = randomStream(`exposure/key/${seed}`);
	const key = Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next()));
	const spec = { version: 1, channel: 'arm', deployment: 'bench', epoch: 0, commitment: '00'.repeat(32) };
	return bindArm(ArmSpec.parse(spec), key);
}

/**
 * The file of a trial with at least so many requests, all enrolled. A request depends on its number alone.
 *
 * @param mark that both answers carry, under the key of the seed; absent: none
 */
export function trialFile(work: string, seed: string, count: number, mark?: MarkName): string {
	const name = mark === undefined ? seed : `${mark}-${seed}`;
	const path = join(work, 'texts', `trial-${name}.jsonl`);
	const lines = linesOf(path);
	if (lines.length >= count) return path;
	const begun = performance.now();
	const first = lines.length;
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const arm = armOf(name);
	const trial = createTrial({ arm, share: 1 });
	const enrolments = Array.from({ length: count - first }, (_, i) => {
		const enrolment = trial.enrol({ id: `${name}/${first + i}`, settings: { model: 'teacher' } });
		if (enrolment === null) throw new Error('a request is not enrolled at share 1');
		return enrolment;
	});
	const all = embeddedPrompts();
	const prompts = enrolments.map((_, i) => all[(first + i) % TRAINING_PROMPTS]);
	const marker = markerOf(mark, seed, {
		vocabSize: model.vocabSize,
		specialTokens: tokenizer.specialTokens,
	});
	const sides = ([0, 1] as const).map((side) => [
		...sampleTexts({
			...{ model, tokenizer, marker, prompts, maxTokens: ANSWER, seed: name },
			starts: enrolments.map(({ starts }) => starts[side]),
		}),
	]);
	for (const [i, enrolment] of enrolments.entries()) {
		const texts = [sides[0][i].text, sides[1][i].text] as const;
		const { served, record } = enrolment.seal(texts);
		const [coin] = openCoins(arm, [record]);
		const { hash } = arm.coin(enrolment.id);
		const [a, b] = hash(texts[1]) < hash(texts[0]) ? [texts[1], texts[0]] : texts;
		const { promptTokens, tokens } = sides[served][i];
		const pair = { id: enrolment.id, account: null, prompt: prompts[i], a, b };
		lines.push(JSON.stringify({ promptTokens, tokens, pair, record, coin }));
	}
	keep(path, `${lines.join('\n')}\n`);
	say(`${count - first} pairs of trial ${name}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
	return path;
}

/** A trial's first requests. */
export function trialOf(work: string, seed: string, count: number, mark?: MarkName): Exchange[] {
	return linesOf(trialFile(work, seed, count, mark))
		.slice(0, count)
		.map((line) => Exchange.parse(JSON.parse(line)));
}

/**
 * What the coins of another arm say of the same pairs. The order of a pair's texts comes from its first coin, which no
 * student and none of these coins knows.
 */
export function coinsOf(arm: Arm, exchanges: readonly Exchange[]): { id: string; served: 'a' | 'b' }[] {
	return exchanges.map(({ pair, record }) => {
		const coin = arm.coin(pair.id);
		const [a, b] = [coin.hash(pair.a), coin.hash(pair.b)];
		const swapped = b < a;
		const first = coin.side(record.settings, swapped ? [b, a] : [a, b]) === 'a';
		return { id: pair.id, served: first === swapped ? 'b' : 'a' };
	});
}
