/** What the kernel does for tournaments is what the twins do, to the bit. */
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/embed/random.js';
import { finiteTokens, prfKernel, relativeWeights, runTournament, scratchRow } from '../../src/prf/kernel.js';
import { plainRelativeWeights, plainTournament } from '../../src/prf/rows.js';

const random = randomStream('candidates');
const SIZES = [1, 2, 3, 15, 16, 17, 100, 1023, 1024, 20_001];

describe('kernel and twin', () => {
	it('there is a kernel here', () => {
		expect(prfKernel()).toBeDefined();
	});

	it.each(SIZES)('tournament over %i tokens', (size) => {
		for (const depth of [1, 2, 8, 30, 32])
			for (let round = 0; round < (size < 200 ? 60 : 3); round++) {
				const raw = Float64Array.from({ length: size }, () => random.next() ** 4 + 1e-12);
				const total = raw.reduce((sum, p) => sum + p, 0);
				const mine = raw.map((p) => p / total);
				const twin = mine.slice();
				const words = Uint32Array.from({ length: size }, () => 2 ** 32 * random.next());
				runTournament(mine, words, depth);
				plainTournament(twin, words, depth);
				expect(mine).toEqual(twin);
				expect(mine.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 9);
			}
	});

	it.each(SIZES)('weights of %i logits', (size) => {
		for (let round = 0; round < (size < 200 ? 60 : 3); round++) {
			const logits = Float32Array.from({ length: size }, () => 100 * (random.next() - 1));
			const twin = logits.slice();
			const top = Math.max(...logits);
			relativeWeights(logits, top);
			plainRelativeWeights(twin, top);
			expect(logits).toEqual(twin);
		}
	});

	it.each(SIZES)('finite tokens of a row of %i, dense and sparse', (size) => {
		for (const share of [0, 0.01, 0.5, 1]) {
			const row = scratchRow(size);
			for (let i = 0; i < size; i++) row[i] = random.next() < share ? -50 * random.next() : -Infinity;
			const wanted = [...row.keys()].filter((token) => row[token] > -Infinity);
			expect([...finiteTokens(row)]).toEqual(wanted);
			expect([...finiteTokens(row.slice())]).toEqual(wanted);
		}
	});
});
