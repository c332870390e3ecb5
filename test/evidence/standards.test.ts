/**
 * Verdicts of the standards' own vectors: RFC 8785, Ed25519 (Wycheproof), statements of in-toto. Skipped where they are not
 * at hand; DSSE's and RFC 3161's are in tests of their own.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Statement } from '../../src/evidence/statement.js';
import { isSignedBy } from '../../src/keys/ed25519.js';
import { canonicalBytes } from '../../src/marks/mark-spec.js';

const STANDARDS = join('..', 'shared', 'data', 'standards');
const read = (...names: string[]) => readFileSync(join(STANDARDS, ...names), 'utf8');

describe.skipIf(!existsSync(STANDARDS))('vectors of the standards', () => {
	it('RFC 8785: every input has its one form', () => {
		const names = readdirSync(join(STANDARDS, 'jcs/testdata/input'));
		expect(names.length).toBeGreaterThan(4);
		for (const name of names)
			expect(
				Buffer.from(canonicalBytes(JSON.parse(read('jcs/testdata/input', name)))).toString('utf8'),
				name,
			).toBe(read('jcs/testdata/output', name).trimEnd());
	});

	it('Ed25519: valid signatures verify, all others are refused', () => {
		const { testGroups, numberOfTests } = JSON.parse(read('crypto/wycheproof_ed25519_test.json')) as {
			numberOfTests: number;
			testGroups: {
				publicKey: { pk: string };
				tests: { tcId: number; msg: string; sig: string; result: string }[];
			}[];
		};
		let seen = 0;
		for (const { publicKey, tests } of testGroups)
			for (const { tcId, msg, sig, result } of tests) {
				const [key, message, signature] = [publicKey.pk, msg, sig].map((hex) => Buffer.from(hex, 'hex'));
				expect(isSignedBy(key, message, signature), `test ${tcId}`).toBe(result === 'valid');
				seen++;
			}
		expect(seen).toBe(numberOfTests);
	});

	it('in-toto: statements', () => {
		const { valid, invalid } = JSON.parse(read('in-toto/statements.json')) as {
			valid: unknown[];
			invalid: { why: string; statement: unknown }[];
		};
		for (const statement of valid) expect(Statement.safeParse(statement).success).toBe(true);
		for (const { why, statement } of invalid) expect(Statement.safeParse(statement).success, why).toBe(false);
	});
});
