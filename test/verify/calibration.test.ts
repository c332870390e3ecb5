/**
 * The null hypothesis on text that the repository holds: a fresh key for every test. Error of this file: below
 * 1e-3 over all cells, if the tests are exact.
 */
import { describe, expect, it } from 'vitest';
import { band, calibrate, freshMark, repositoryTexts } from '../../bench/calibration.js';
import { randomStream } from '../../src/embed/random.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { tallyPairs } from '../../src/verify/tally.js';
import { logPValue } from '../../src/verify/test-result.js';

const TESTS = 2_000;
const texts = Object.entries(repositoryTexts(200));
const cells = texts.flatMap(([name, records]) =>
	(['gumbel', 'kgw'] as const).flatMap((scheme) =>
		[1, 2, 4].map((width) => ({ name, records, scheme, width })),
	),
);

describe('unmarked text under fresh keys', () => {
	it.each(cells)('$name, $scheme, width $width', ({ name, records, scheme, width }) => {
		const groups = records.map((record) => [record]);
		const rates = calibrate(groups, scheme, width, TESTS, `test/${name}`);
		for (const { rejected, expected } of rates.levels) {
			const [low, high] = band(TESTS, expected, 1e-3 / (2 * cells.length));
			expect(rejected / TESTS).toBeGreaterThanOrEqual(low);
			expect(rejected / TESTS).toBeLessThanOrEqual(high);
		}
		if (rates.ksP !== null) expect(rates.ksP).toBeGreaterThan(1e-4);
	});

	it('leave their band when each pair is counted twice', () => {
		const random = randomStream('test/doubled');
		const pairs = newPairSet({ contextWidth: 1, start: 'skip' });
		for (const { tokens } of repositoryTexts(200).english.slice(0, 5)) pairs.add(tokens);
		let rejected = 0;
		for (let test = 0; test < 500; test++) {
			const mark = freshMark(
				'gumbel',
				1,
				Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next())),
			);
			const { scored, sum } = tallyPairs(pairs, mark);
			if (logPValue({ scored: 2 * scored, sum: 2n * sum }, mark.scheme.null) <= Math.log(0.01)) rejected++;
		}
		expect(rejected / 500).toBeGreaterThan(band(500, 0.01, 1e-3)[1]);
	});
});
