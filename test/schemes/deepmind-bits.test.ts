/** Layer bits of google-deepmind/synthid-text by the kernel are those token by token. */
import { expect, it } from 'vitest';
import { randomStream } from '../../src/embed/random.js';
import { deepmindLayers } from '../../src/schemes/synthid-hashes.js';

it.each([1, 4, 30, 32, 33, 64])('%i layers', (depth) => {
	const random = randomStream(`deepmind/${depth}`);
	const key = Uint8Array.from({ length: 8 * depth }, () => Math.floor(256 * random.next()));
	for (const width of [1, 4]) {
		const layers = deepmindLayers(key, width);
		const perToken = Math.ceil(depth / 32);
		const count = 5000;
		const rows = Uint32Array.from({ length: count * (width + 1) }, () => Math.floor(2 ** 27 * random.next()));
		const together = new Uint32Array(count * perToken);
		layers.rowBits(rows, count, together);
		const alone = new Uint32Array(perToken);
		for (let i = 0; i < count; i += 7) {
			const at = i * (width + 1);
			layers.tokenBits(rows.subarray(at, at + width), rows.subarray(at + width, at + width + 1), alone);
			expect([...together.subarray(i * perToken, (i + 1) * perToken)]).toEqual([...alone]);
		}
	}
});
