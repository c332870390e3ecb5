/** Scores by the kernel are the scores word by word, to the bit. */
import { expect, it } from 'vitest';
import { randomStream } from '../../src/embed/random.js';
import { kernelLogScores } from '../../src/prf/kernel.js';
import { negLnScore } from '../../src/schemes/fixed-log.js';
import { float24, word32 } from '../../src/schemes/gumbel.js';

it.each([word32, float24])('$name', (grid) => {
	const random = randomStream(grid.name);
	const words = new Uint32Array(40_001);
	words.set([
		0,
		1,
		2,
		255,
		256,
		2 ** 31 - 1,
		2 ** 31,
		2 ** 32 - 1,
		2 ** 32 - 2,
		2 ** 32 - 256,
		2 ** 32 - 257,
	]);
	for (let i = 11; i < words.length; i++)
		words[i] = i % 2 === 0 ? 2 ** 32 * random.next() : 2 ** 32 - 2 ** (32 * random.next());
	const scores = new Float64Array(words.length);
	expect(kernelLogScores(words, grid.name, scores)).toBe(true);
	words.forEach((word, i) => {
		if (scores[i] !== negLnScore(grid.complement(word))) expect.unreachable(`word ${word}: ${scores[i]}`);
	});
});
