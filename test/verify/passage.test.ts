/** Passages with the score of each token: counted as the tests count, under every scheme. */
import { describe, expect, it } from 'vitest';
import { freshKey, schemeCases, specOf } from '../../bench/fresh-marks.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { bindMark } from '../../src/marks/mark.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { scorePassage, tokenTallies } from '../../src/verify/passage.js';
import { mergeTallies, tallyPairs } from '../../src/verify/tally.js';

const tokenizer = embeddedTokenizer();
const given = tokenizer.encode(
	'What did the old man say of the sea, and what did the sea say of the old man?',
);
const tokens = tokenizer.encode(
	'What did the old man say of the sea? He said that the sea was old, and he said that the sea was old again. ' +
		'Of the two the sea was the older, and the old man said so.',
);
const scheme = { name: 'kgw', gamma: 0.25, delta: 2 } as const;
const cases = [1, 3].flatMap((width) =>
	schemeCases(width, tokenizer.vocabSize).map(({ name, spec }) => ({
		name: `${name}, width ${width}`,
		spec,
	})),
);
cases.push(
	{ name: 'padded', spec: specOf({ scheme, prf: 'chacha8-v1', contextWidth: 2, start: 'pad' }) },
	{
		name: 'half of the contexts',
		spec: specOf({ scheme, prf: 'chacha8-v1', contextWidth: 1, selector: 'keyed', share: 128 }),
	},
);

describe('a passage', () => {
	it.each(cases)('counts what the test counts: $name', ({ name, spec }) => {
		const mark = bindMark(spec, freshKey(spec, randomStream(`passage/${name}`)));
		for (const prompt of [[], given]) {
			const pairs = newPairSet(spec);
			pairs.add(tokens, prompt);
			const scores = tokenTallies({ tokens, given: prompt }, mark).filter((one) => one !== null);
			const all = scores.reduce(mergeTallies, { scored: 0, sum: 0n });
			expect(all).toEqual(tallyPairs(pairs, mark));
			expect(scores.length).toBeLessThan(tokens.length);
		}
	});

	it('shows green lists and draws, the text whole, and grey where nothing is counted', () => {
		const bound = (part: Parameters<typeof specOf>[0]) =>
			bindMark(specOf(part), freshKey(part, randomStream('passage/page')));
		const chacha = { prf: 'chacha8-v1', contextWidth: 1 } as const;
		const shape = bound({ scheme, ...chacha });
		for (const law of [
			{ name: 'gumbel' },
			{ name: 'synthid', depth: 30 },
			{ name: 'dual_key_gumbel', alpha: 0.1 },
		] as const) {
			const shown = scorePassage({ tokens, given }, tokenizer, {
				shape,
				choice: bound({ scheme: law, ...chacha }),
			});
			expect(shown.map(({ text }) => text).join('')).toBe(tokenizer.decode(tokens));
			expect(shown[0]).toMatchObject({ green: null, nats: null });
			const counted = shown.filter(({ green }) => green !== null);
			expect(counted.length).toBeGreaterThan(10);
			expect(counted.length).toBeLessThan(tokens.length - 10);
			for (const { green, nats } of shown) expect(nats === null).toBe(green === null);
			for (const { nats } of counted) expect(nats).toBeGreaterThanOrEqual(0);
		}
	});

	it('has no scores under marks that are found by alignment, and shapes without lists', () => {
		const aligned = specOf({
			scheme: { name: 'exp-edit', keyLength: 64 },
			prf: 'chacha8-v1',
			contextWidth: 0,
		});
		const tournament = specOf({
			scheme: { name: 'synthid', depth: 4 },
			...{ channel: 'shape', prf: 'chacha8-v1', contextWidth: 1 },
		});
		const [choice, shape] = [aligned, tournament].map((spec) =>
			bindMark(spec, freshKey(spec, randomStream('passage/none'))),
		);
		for (const { green, nats } of scorePassage({ tokens }, tokenizer, { shape, choice }))
			expect([green, nats]).toEqual([null, null]);
	});
});
