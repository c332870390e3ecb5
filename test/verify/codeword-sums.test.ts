import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { compileKernel } from '../../src/model/kernel/build.js';
import { MOST_VALUE, newCodewordColumns, plainColumns } from '../../src/verify/codeword-sums.js';
import { randomSource } from '../stats/random.js';

test('the committed kernel is compiled from its source', async () => {
	const committed = await readFile(new URL('../../src/verify/kernel.wasm.ts', import.meta.url), 'utf8');
	expect(committed === (await compileKernel('verify')), 'stale: run `npm run build:kernel`').toBe(true);
});

test.each([1, 15, 16, 17, 1000])('kernel and twin give the same sums of %i accounts', (accounts) => {
	const uniform = randomSource(accounts);
	const kernel = newCodewordColumns(accounts, 128);
	const twin = plainColumns(accounts, 128);
	for (let i = 0; i < 128; i++) {
		const symbols = Uint8Array.from({ length: accounts }, () => uniform() * 256);
		kernel.column(i).set(symbols);
		twin.column(i).set(symbols);
	}
	// All columns with the largest values there are: 16 bits must hold the sums.
	for (const columns of [[], [127], [3, 0, 64], [...Array(128).keys()]]) {
		const largest = columns.length === 128;
		const tables = Uint8Array.from({ length: 32 * columns.length }, () =>
			largest ? MOST_VALUE : uniform() * (MOST_VALUE + 1),
		);
		expect(kernel.sums(columns, tables)).toEqual(twin.sums(columns, tables));
		if (largest) expect(kernel.sums(columns, tables)[0]).toBe(256 * MOST_VALUE);
	}
});
