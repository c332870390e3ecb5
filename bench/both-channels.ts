/**
 * What the two channels of a text cost each other: mean scores of texts that carry both, beside texts that carry one.
 *
 * @module
 */
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { sampleTexts } from '../src/generate/sample.js';
import { effectOf } from '../src/verify/null-law.js';
import { newPairSet } from '../src/verify/pairs.js';
import { tallyPairs } from '../src/verify/tally.js';
import { type MarkName, markerOf, marksOf } from './distillation/marks.js';
import type { Row } from './rows.js';

const ALONE = { shape: 'synthid-1-h1', choice: 'gumbel-h4' } as const satisfies Record<string, MarkName>;
const BOTH = 'synthid-1-h1+gumbel-h4' satisfies MarkName;
const TEXTS = 512;
const SEEDS = ['1', '2', '3', '4'];

/** Mean score above the null over the distinct pairs of texts of one key, for each of the marks. */
function excesses(name: MarkName, seed: string): number[] {
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const { vocabSize } = model;
	const texts = [
		...sampleTexts({
			...{ model, tokenizer, maxTokens: 112, prompts: embeddedPrompts().slice(0, TEXTS) },
			marker: markerOf(name, seed, { vocabSize, specialTokens: tokenizer.specialTokens }),
			seed: `both-channels/${name}/${seed}`,
		}),
	];
	return marksOf(name, seed).map((mark) => {
		const pairs = newPairSet(mark.spec);
		for (const { tokens, promptTokens } of texts) pairs.add(tokens, promptTokens);
		const { mean, expected } = effectOf(tallyPairs(pairs, mark), mark.scheme.null);
		return (mean ?? 0) - expected;
	});
}

/** One row a channel, and the spread over keys. */
export function bothChannels(): { readonly rows: Row[]; readonly notes: string[] } {
	const both = SEEDS.map((seed) => excesses(BOTH, seed));
	const rows: Row[] = [];
	const notes: string[] = [];
	for (const [i, channel] of (['shape', 'choice'] as const).entries()) {
		const alone = SEEDS.map((seed) => excesses(ALONE[channel], seed)[0]);
		const together = both.map((values) => values[i]);
		const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
		const error = (values: readonly number[]) =>
			Math.sqrt(mean(values.map((x) => (x - mean(values)) ** 2)) / (values.length - 1));
		rows.push({
			case: `both channels, ${channel}`,
			ours: mean(together),
			peer: mean(alone),
			peerName: `${ALONE[channel]} alone`,
			unit: 'mean score above the null, 512 texts a key, four keys',
			ratio: mean(together) / mean(alone),
		});
		notes.push(
			`Both channels in one text, ${channel}: mean score above the null ${mean(together).toFixed(4)} ± ${error(together).toFixed(4)}, ` +
				`alone ${mean(alone).toFixed(4)} ± ${error(alone).toFixed(4)} (standard errors over keys).`,
		);
	}
	return { rows, notes };
}
