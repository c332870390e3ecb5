/**
 * Controlled exposure in the demo: a trial that is served now, on which a student is trained, and one made afterwards for
 * a student that ships with the package.
 *
 * @module
 */
import type { Tokenizer } from '../corpus/tokenizer.js';
import { createTrial } from '../embed/trial.js';
import type { EmbeddedModel } from '../generate/embedded.js';
import type { SamplingPool } from '../generate/pool.js';
import type { Sample } from '../generate/sample.js';
import type { Keyring } from '../keys/keyring.js';
import { type ArmRecord, type OpenedCoin, openCoins } from '../marks/arm.js';
import { type Exposure, newExposure, type ScoredExposure } from '../verify/exposure.js';
import type { ExposurePair } from '../verify/exposure-data.js';
import { type GivenAnswer, type Likelihood, likelihoodMeasure } from '../verify/exposure-measures.js';
import type { ExposureResult } from '../verify/exposure-result.js';
import type { NgramModel } from './ngram.js';

/** Models older than the exchanges, or the provider's own: none was trained on an answer of a trial. */
const REFERENCES = ['teacher', 'base'] as const satisfies readonly EmbeddedModel[];

/** Accounts that the requests of the trial come from. */
const ACCOUNTS = 4;

/** A trial with everything that its test needs. */
export interface DemoTrial {
	readonly pairs: readonly ExposurePair[];
	readonly coins: readonly OpenedCoin[];
	/** What the log holds; none where the second answers were drawn afterwards. */
	readonly records: readonly ArmRecord[] | undefined;
	/** The answers that were served. */
	readonly served: readonly Sample[];
}

/** One row of the demo's table. */
export interface ExposureCase {
	readonly suspect: string;
	/** Whether it was trained on the answers that were served. */
	readonly trainedOnServed: boolean;
	readonly result: ExposureResult;
	readonly scored: ScoredExposure;
}

/** Draws one answer a request. */
type Draw = (label: string, task: Partial<Parameters<SamplingPool['sample']>[0]>) => Promise<Sample[]>;

/** Serves requests that are all enrolled: two answers each, and a coin. */
export async function serveTrial(
	ring: Keyring,
	prompts: readonly string[],
	draw: Draw,
	seed: string,
): Promise<DemoTrial> {
	const arm = ring.bindArm(ring.arms[0], 'embed');
	const trial = createTrial({ arm, share: 1 });
	const enrolments = prompts.flatMap((_, i) => {
		const request = { id: `${seed}/${i}`, account: `account-${1 + (i % ACCOUNTS)}` };
		return trial.enrol({ ...request, settings: { model: 'teacher' } }) ?? [];
	});
	const sides = await Promise.all(
		([0, 1] as const).map((i) =>
			draw(i === 0 ? 'trial, first answers' : 'trial, second answers', {
				prompts,
				starts: enrolments.map(({ starts }) => starts[i]),
			}),
		),
	);
	const sealed = enrolments.map((enrolment, i) => enrolment.seal([sides[0][i].text, sides[1][i].text]));
	const records = sealed.map(({ record }) => record);
	return {
		records,
		coins: openCoins(arm, records),
		served: sealed.map(({ served }, i) => sides[served][i]),
		pairs: records.map((record, i) => {
			const texts = sides.map((side) => side[i].text);
			const hashes = texts.map(arm.coin(record.receipt).hash);
			const [a, b] = hashes[1] < hashes[0] ? [texts[1], texts[0]] : texts;
			return { id: record.receipt, account: record.account, prompt: prompts[i], a, b };
		}),
	};
}

/** Pairs each answer that a student was trained on with one drawn afterwards from the same model and settings. */
export function retrospectiveTrial(served: readonly Sample[], redrawn: readonly Sample[]): DemoTrial {
	const rows = served.map(({ id, prompt, text }, i) => {
		const other = redrawn[i].text;
		// Any order that does not depend on which was served.
		const [a, b] = text < other ? [text, other] : [other, text];
		return {
			pair: { id, account: null, prompt, a, b },
			coin: { id, served: a === text ? 'a' : 'b' } as const,
		};
	});
	return {
		pairs: rows.map(({ pair }) => pair),
		coins: rows.map(({ coin }) => coin),
		records: undefined,
		served,
	};
}

/** Reads a trial and gets its references ready. */
export async function readTrial(
	{ pairs, records }: DemoTrial,
	likelihoodOf: (model: EmbeddedModel, texts: readonly GivenAnswer[]) => Promise<number[][]>,
) {
	const texts = pairs.flatMap(({ prompt, a, b }) => [
		{ prompt, text: a },
		{ prompt, text: b },
	]);
	const trial: Exposure = newExposure({
		pairs,
		...(records === undefined ? { retrospective: true } : { records }),
	});
	const transformer = async (model: EmbeddedModel) => lookup(texts, await likelihoodOf(model, texts));
	const references = await Promise.all(REFERENCES.map(transformer));
	return {
		transformer,
		/** Measures a suspect. */
		measure: (suspect: Likelihood) => trial.measure(likelihoodMeasure(suspect, references)),
	};
}

/** Likelihoods that were computed beforehand. */
function lookup(texts: readonly GivenAnswer[], logs: readonly (readonly number[])[]): Likelihood {
	const nameOf = ({ prompt, text }: GivenAnswer) => JSON.stringify([prompt, text]);
	const found = new Map(texts.map((text, i) => [nameOf(text), logs[i]]));
	return (asked) => asked.map((text) => found.get(nameOf(text)) ?? []);
}

/** Likelihoods of the student that is trained live. */
export function ngramLikelihood(model: NgramModel, tokenizer: Tokenizer): Likelihood {
	return (texts) =>
		texts.map(({ prompt, text }) => model.logProbabilities(tokenizer.encode(prompt), tokenizer.encode(text)));
}
