/** The look for secrets finds those that were planted: wherever they stand, however they are written. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hexToBytes } from '@noble/hashes/utils.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { createKeyring } from '../../src/keys/keyring.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { newFolder } from './run-cli.js';
import { expectNoSecrets, formsOf } from './secrets.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const master = Uint8Array.from({ length: 32 }, (_, i) => (89 * i + 7) % 256);
const ring = createKeyring({ unsealed: true }, master);
const opened = defaultMarks('planted', 'ab'.repeat(32)).map((mark) => ring.open(ring.add(mark)));
const key = hexToBytes(opened[1].key);

beforeAll(() => {
	writeFileSync(path('ring.json'), JSON.stringify(ring.toFile()));
	writeFileSync(path('keys.json'), JSON.stringify(opened));
});

const looked = (args: readonly string[], printed = '', env = {}) => {
	try {
		expectNoSecrets({ args, printed: [printed], env, folder });
		return 'nothing';
	} catch (error) {
		return (error as Error).message;
	}
};
const FOUND = expect.stringMatching(/gave away a secret/);

describe('a secret', () => {
	test.each(['ring.json', 'keys.json'])('of %s, on the screen', (file) => {
		const args = ['detect', '--keyring', file];
		expect(looked(args, 'nothing of it')).toBe('nothing');
		for (const form of formsOf(key)) expect(looked(args, `before ${form}after`)).toEqual(FOUND);
		expect(looked(['detect', '--keyring', 'other.json'], formsOf(key)[0])).toBe('nothing');
	});
	test('in a file below a folder that was written', () => {
		const args = ['scan', 'corpus.jsonl', '--keyring', 'ring.json', '--out', 'out'];
		mkdirSync(path('out/work'), { recursive: true });
		writeFileSync(path('out/work/spill'), Buffer.from([1, 2, 3, 0xff]));
		expect(looked(args)).toBe('nothing');
		writeFileSync(path('out/work/spill'), Buffer.concat([Buffer.from([1, 0xff]), master, Buffer.from([9])]));
		expect(looked(args)).toEqual(FOUND);
		expect(looked(['demo', '--out', 'out'])).toBe('nothing');
		writeFileSync(path('out/ring.json'), JSON.stringify(ring.toFile()));
		expect(looked(['demo', '--out', 'out'])).toEqual(FOUND);
	});
	test('of the environment', () => {
		const env = { OPENAI_API_KEY: 'sk-planted-1234' };
		expect(looked(['collect'], 'sk-other-1234', env)).toBe('nothing');
		expect(looked(['collect'], 'error: sk-planted-1234 is refused', env)).toEqual(FOUND);
	});
	test('in a file of keys, which is there for it', () => {
		expect(looked(['keys', 'open', '--keyring', 'ring.json', '--out', 'keys.json'])).toBe('nothing');
	});
});
