/** Mills' ratio, which the saddlepoint estimate is made of. */
import { expect, test } from 'vitest';
import { millsRatio } from '../../src/stats/saddlepoint.js';

test.each([
	[0, 1.2533141373155001],
	[0.5, 0.8763644564536924],
	[1, 0.655679542418798],
	[2, 0.4213692292880545],
	[3, 0.3045902987101033],
	[5, 0.192808104715316],
	[10, 0.09902859647173194],
	[40, 0.024984404205724],
])('%f', (w, want) => {
	expect(millsRatio(w) / want).toBeCloseTo(1, 10);
});
