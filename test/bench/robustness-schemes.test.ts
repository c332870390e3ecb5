import { describe, expect, it } from 'vitest';
import { RANK_LEVEL, ranksFirst } from '../../bench/robustness/ranks.js';
import { type Scheme, schemesFor } from '../../bench/robustness/schemes.js';
import { newWriter } from '../../bench/robustness/writing.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import type { Mark } from '../../src/marks/mark.js';
import { testAligned } from '../../src/verify/aligned.js';
import { logPValue } from '../../src/verify/null-law.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { tallyPairs } from '../../src/verify/tally.js';

const schemes = schemesFor(embeddedTokenizer().vocabSize);
const writer = newWriter();

function schemeOf(name: string): Scheme {
	const found = schemes.find((scheme) => scheme.name === name);
	if (found === undefined) throw new Error(`no scheme ${name}`);
	return found;
}

const markOf = (name: string, seed: string): Mark => schemeOf(name).keyed(randomStream(seed)).marks[0];

function written(name: string, mark: Mark): number[] {
	const { unkeyedShare } = schemeOf(name);
	return writer({ marks: [mark], unkeyedShare, from: 0, count: 1, seed: 'test' })[0];
}

describe('schemes of the bench robustness', () => {
	it.each(['adfp', 'hf-selfhash'])('%s: its text is found under its key and not under another', (name) => {
		const mark = markOf(name, 'own');
		const logPOf = (one: Mark): number => {
			const pairs = newPairSet(one.spec);
			pairs.add(ids);
			return logPValue(tallyPairs(pairs, one), one.scheme.null);
		};
		const ids = written(name, mark);
		expect(logPOf(mark)).toBeLessThan(Math.log(1e-4));
		expect(logPOf(markOf(name, 'other'))).toBeGreaterThan(Math.log(1e-4));
	});

	it('exp-edit: texts rank first under their key, others as the test of one text says', () => {
		const mark = markOf('exp-edit', 'own');
		const text = written('exp-edit', mark).slice(0, 60);
		expect(ranksFirst([text, text.slice(20)], mark)).toEqual([true, true]);
		const decision = { level: RANK_LEVEL, hypotheses: 1, searchBits: 0 };
		for (const ids of [text, text.toReversed(), text.slice(0, 4)]) {
			const { pValue } = testAligned(ids, mark, decision);
			expect(ranksFirst([ids], mark)).toEqual([pValue === RANK_LEVEL]);
		}
	});
});
