/** Envelopes and statements against the vectors of their specifications. */
import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Envelope, pae } from '../../src/evidence/dsse.js';
import { Statement } from '../../src/evidence/statement.js';

/** secure-systems-lab/dsse, protocol.md (Apache-2.0). */
const VECTOR = {
	payloadType: 'http://example.com/HelloWorld',
	payload: 'hello world',
	pae: 'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
	x: 46950820868899156662930047687818585632848591499744589407958293238635476079160n,
	y: 5640078356564379163099075877009565129882514886557779369047442380624545832820n,
	sig: 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==',
};

describe('DSSE', () => {
	it('encodes what is signed as the specification does; its signature verifies over our bytes', () => {
		const message = pae(VECTOR.payloadType, Buffer.from(VECTOR.payload));
		expect(Buffer.from(message).toString('utf8')).toBe(VECTOR.pae);
		const word = (n: bigint) => Buffer.from(n.toString(16).padStart(64, '0'), 'hex').toString('base64url');
		const key = createPublicKey({
			key: { kty: 'EC', crv: 'P-256', x: word(VECTOR.x), y: word(VECTOR.y) },
			format: 'jwk',
		});
		const check = (bytes: Uint8Array) =>
			verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(VECTOR.sig, 'base64'));
		expect([check(message), check(pae(VECTOR.payloadType, Buffer.from('hello worle')))]).toEqual([
			true,
			false,
		]);
	});

	it('counts bytes, not characters', () => {
		expect(Buffer.from(pae('é', Buffer.from('中'))).toString('utf8')).toBe('DSSEv1 2 é 3 中');
	});

	it('takes base64 in its one canonical form only', () => {
		const of = (payload: string, keyid = 'ab'.repeat(32)) =>
			Envelope.safeParse({ payloadType: 't', payload, signatures: [{ keyid, sig: 'AA==' }] }).success;
		expect(of('aGk=')).toBe(true);
		for (const payload of ['aGk', 'aGl=', 'aG k=', 'aGk=\n', 'aG-_', 'aGk=='])
			expect(of(payload), payload).toBe(false);
		expect(of('aGk=', 'AB'.repeat(32))).toBe(false);
	});
});

/** in-toto/attestation, go/v1/statement_test.go (Apache-2.0). */
const SUBJECT = { name: 'theSub', digest: { alg1: 'abc123' } };
const VALID = {
	_type: 'https://in-toto.io/Statement/v1',
	subject: [SUBJECT],
	predicateType: 'thePredicate',
	predicate: { keyObj: { subKey: 'subVal' } },
};

describe('in-toto statements', () => {
	it.each([
		['one with a name and a digest', {}],
		[
			'one with a digest alone',
			{ subject: [{ digest: { gitCommit: 'd20ace7968ba43c0219f62d71334c1095bab1602' } }] },
		],
	])('valid: %s', (_, change) => {
		expect(Statement.safeParse({ ...VALID, ...change }).success).toBe(true);
	});
	it.each([
		['bad type', { _type: 'https://not-in-toto.io/Statement/v1' }],
		['version 2', { _type: 'https://in-toto.io/Statement/v2' }],
		['version 0.2', { _type: 'https://in-toto.io/Statement/v0.2' }],
		['no subject', { subject: [] }],
		[
			'subject without name, uri or digest',
			{ subject: [{ downloadLocation: 'https://example.com/test.zip' }] },
		],
		[
			'subject without digest',
			{ subject: [{ name: 'theSub', downloadLocation: 'https://example.com/test.zip' }] },
		],
		['no predicateType', { predicateType: '' }],
	])('invalid: %s', (_, change) => {
		expect(Statement.safeParse({ ...VALID, ...change }).success).toBe(false);
	});
});
