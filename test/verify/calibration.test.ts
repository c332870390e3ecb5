/**
 * The null hypothesis on text that the repository holds: a fresh key for every test. Error of this file: below
 * 1e-3 over all cells, if the tests are exact.
 */
import { describe, expect, it } from 'vitest';
import { band, calibrate, repositoryTexts } from '../../bench/calibration.js';
import { freshMark, schemeCases } from '../../bench/fresh-marks.js';
import { randomStream } from '../../src/embed/random.js';
import { logPValue } from '../../src/verify/null-law.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { tallyPairs } from '../../src/verify/tally.js';

const texts = Object.entries(repositoryTexts(200));
const cells = [1, 2, 4].flatMap((width) =>
	schemeCases(width, 2048).flatMap((one) => {
		// The two default schemes on every text; each other scheme on one text, in turn.
		const standard = one.name === 'gumbel' || one.name === 'kgw';
		const index = [...one.name].reduce((sum, letter) => sum + letter.charCodeAt(0), width) % texts.length;
		const tests = one.permutation ? 200 : standard ? 2_000 : 1_000;
		return texts
			.filter((_, i) => standard || (width !== 2 && i === index))
			.map(([text, records]) => ({ ...one, text, records, width, tests }));
	}),
);

describe('unmarked text under fresh keys', () => {
	it.each(cells)('$text, $name, width $width', ({ name, text, records, width, spec, tests, exact }) => {
		const groups = records.map((record) => [record]);
		const rates = calibrate(groups, spec, tests, `test/${text}/${name}/${width}`);
		for (const { rejected, expected } of rates.levels) {
			const [low, high] = band(tests, expected, 1e-3 / (2 * cells.length));
			if (exact) expect(rejected / tests).toBeGreaterThanOrEqual(low);
			expect(rejected / tests).toBeLessThanOrEqual(high);
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
