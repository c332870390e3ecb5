import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FILE, fleetVectors } from './fleet-vectors.js';

test('the vectors that the Python package is held to are what this code gives', () => {
	const recorded: unknown = JSON.parse(readFileSync(FILE, 'utf8'));
	expect(JSON.parse(JSON.stringify(fleetVectors()))).toEqual(recorded);
});
