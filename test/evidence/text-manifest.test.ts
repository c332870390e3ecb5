/** Signed manifests of texts: what they state, and that nothing of them can be changed. */
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pae, signEnvelope } from '../../src/evidence/dsse.js';
import { PAYLOAD_TYPE } from '../../src/evidence/statement.js';
import {
	MANIFEST_TYPE,
	MAX_MANIFEST,
	ManifestCode,
	signTextManifest,
	TextManifest,
	TRAINED_ALGORITHMIC_MEDIA,
	verifyTextManifest,
} from '../../src/evidence/text-manifest.js';
import { createKeyring } from '../../src/keys/keyring.js';
import { cohortMark, defaultMarks } from '../../src/marks/defaults.js';
import { canonicalBytes, markId } from '../../src/marks/mark-spec.js';

const TEXT = 'Für die Prüfung: “näher” — and a line feed\n';
const TIME = '2026-11-26T12:00:00.000Z';
const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(7));
const key = Buffer.from(ring.publicKey).toString('hex');
const other = createKeyring({ unsealed: true }, new Uint8Array(32).fill(8));
const line = signTextManifest(TEXT, { generator: 'model-2', time: TIME, name: 'answer-1' }, ring);
const payloadOf = (manifest: string) =>
	JSON.parse(Buffer.from(JSON.parse(manifest).payload, 'base64').toString('utf8'));
/** Signs whatever it is given as if it were a manifest. */
const signed = (statement: unknown) =>
	Buffer.from(canonicalBytes(signEnvelope(PAYLOAD_TYPE, canonicalBytes(statement), ring))).toString('utf8');

describe('the envelope', () => {
	/** secure-systems-lab/dsse, protocol.md and signing_spec.py at eebf7b59 (Apache-2.0). */
	const VECTOR = {
		type: 'http://example.com/HelloWorld',
		payload: 'hello world',
		pae: 'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
		x: 46950820868899156662930047687818585632848591499744589407958293238635476079160n,
		y: 5640078356564379163099075877009565129882514886557779369047442380624545832820n,
		sig: 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==',
	};

	it('is encoded before it is signed as the specification has it', () => {
		expect(Buffer.from(pae(VECTOR.type, Buffer.from(VECTOR.payload))).toString()).toBe(VECTOR.pae);
		// Lengths are of bytes, not of characters.
		expect(Buffer.from(pae('é', new Uint8Array(0))).toString()).toBe('DSSEv1 2 é 0 ');
	});

	it("verifies the specification's own signature", () => {
		const coordinate = (value: bigint) =>
			Buffer.from(value.toString(16).padStart(64, '0'), 'hex').toString('base64url');
		const jwk = { kty: 'EC', crv: 'P-256', x: coordinate(VECTOR.x), y: coordinate(VECTOR.y) };
		const publicKey = createPublicKey({ key: jwk, format: 'jwk' });
		const message = pae(VECTOR.type, Buffer.from(VECTOR.payload));
		const sig = Buffer.from(VECTOR.sig, 'base64');
		expect(verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, sig)).toBe(true);
	});
});

describe('a manifest', () => {
	it('says what made the text and when, and is believed of its signer only', () => {
		expect(verifyTextManifest(line, TEXT, [key])).toEqual({
			status: 'valid',
			code: 'ok',
			signers: [key],
			says: {
				version: 1,
				digitalSourceType: TRAINED_ALGORITHMIC_MEDIA,
				generator: 'model-2',
				time: TIME,
				marks: [],
			},
		});
		const stranger = Buffer.from(other.publicKey).toString('hex');
		expect(verifyTextManifest(line, TEXT, [stranger])).toEqual({
			status: 'invalid',
			code: 'signer-not-trusted',
		});
	});

	it('is an in-toto statement about the bytes of the text', () => {
		expect(payloadOf(line)).toMatchObject({
			_type: 'https://in-toto.io/Statement/v1',
			subject: [
				{
					name: 'answer-1',
					// printf 'Für die Prüfung: “näher” — and a line feed\n' | sha256sum
					digest: { sha256: '39254d03ad18ed30973b460497d18f2557ac6e18c73c61724da964c8ec628386' },
				},
			],
			predicateType: MANIFEST_TYPE,
		});
	});

	it('is not of the text in another normal form, with another line ending, or without its last line feed', () => {
		for (const near of [TEXT.normalize('NFD'), TEXT.replace('\n', '\r\n'), TEXT.trimEnd(), `\uFEFF${TEXT}`])
			expect(verifyTextManifest(line, near, [key]).code).toBe('subject-differs');
	});

	it('names marks of the deployment, and none that says whom the text was made for', () => {
		const [shape, choice] = defaultMarks('prod', '0'.repeat(64)).map((template) => ring.add(template));
		const { commitment: _, ...template } = shape;
		const farm = ring.add(cohortMark(template, 'farm'));
		const facts = { generator: 'model-2', time: TIME, deployment: 'prod', marks: [shape, choice, farm] };
		const manifest = signTextManifest(TEXT, facts, ring);
		expect(verifyTextManifest(manifest, TEXT, [key]).says?.marks).toEqual([markId(shape), markId(choice)]);
		expect(JSON.stringify(payloadOf(manifest))).not.toMatch(/farm/);
	});

	it('cannot be made of what is no text, or with facts that it cannot state', () => {
		const facts = { generator: 'model-2', time: TIME };
		expect(() => signTextManifest('half \ud800', facts, ring)).toThrow(/lone surrogates/);
		expect(() => signTextManifest(TEXT, { ...facts, generator: 'two\nlines' }, ring)).toThrow(/generator/);
		expect(() => signTextManifest(TEXT, { ...facts, time: 'yesterday' }, ring)).toThrow(/time/);
	});
});

describe('a manifest that was changed', () => {
	it('is refused for every single bit of it', () => {
		const bytes = Buffer.from(line, 'utf8');
		const codes = new Set<string>();
		for (let bit = 0; bit < 8 * bytes.length; bit++) {
			const flipped = Buffer.from(bytes);
			flipped[bit >> 3] ^= 1 << (bit & 7);
			const { status, code } = verifyTextManifest(flipped.toString('utf8'), TEXT, [key]);
			codes.add(code);
			if (status !== 'invalid') throw new Error(`bit ${bit} of ${bytes.length} bytes: ${status}`);
		}
		expect([...codes].sort()).toEqual(['malformed-envelope', 'signature-invalid', 'wrong-payload-type']);
	});

	it('is refused for every single bit of its text', () => {
		const bytes = Buffer.from(TEXT, 'utf8');
		for (let bit = 0; bit < 8 * bytes.length; bit++) {
			const flipped = Buffer.from(bytes);
			flipped[bit >> 3] ^= 1 << (bit & 7);
			expect(verifyTextManifest(line, flipped.toString('utf8'), [key]).code).toBe('subject-differs');
		}
	});

	it('is refused in any other form of the same JSON', () => {
		const envelope = JSON.parse(line);
		const { payload, payloadType, signatures } = envelope;
		// A payload whose length is a multiple of three has no padding to take away.
		for (const [text, code] of [
			[` ${line}`, 'envelope-not-canonical'],
			[JSON.stringify(envelope, null, 1), 'envelope-not-canonical'],
			[JSON.stringify({ signatures, payloadType, payload }), 'envelope-not-canonical'],
			[line.replace('"payload"', '"p\\u0061yload"'), 'envelope-not-canonical'],
			[line.replace('{"payload"', '{"payload":"","payload"'), 'envelope-not-canonical'],
			[JSON.stringify({ ...envelope, more: 1 }), 'malformed-envelope'],
			[JSON.stringify({ ...envelope, payload: `${payload}=` }), 'malformed-envelope'],
			[JSON.stringify({ ...envelope, payload: payload.replace(/=*$/, '') }), 'malformed-envelope'],
			[JSON.stringify({ ...envelope, signatures: [] }), 'malformed-envelope'],
			[JSON.stringify({ ...envelope, payloadType: 'text/plain' }), 'wrong-payload-type'],
			[`${line}${' '.repeat(MAX_MANIFEST)}`, 'malformed-envelope'],
		])
			if (text !== line) expect([text, verifyTextManifest(text, TEXT, [key]).code]).toEqual([text, code]);
	});

	it('is refused when it is of another statement, whoever signed that', () => {
		// The cases of in-toto/attestation, go/v1/statement_test.go at 051624ce (Apache-2.0), made of ours.
		const statement = payloadOf(line);
		for (const changed of [
			{ ...statement, _type: 'https://not-in-toto.io/Statement/v1' },
			{ ...statement, _type: 'https://in-toto.io/Statement/v2' },
			{ ...statement, _type: 'https://in-toto.io/Statement/v0.2' },
			{ ...statement, subject: [] },
			{ ...statement, subject: [{ downloadLocation: 'https://example.com/test.zip' }] },
			{ ...statement, subject: [{ name: 'theSub', downloadLocation: 'https://example.com/test.zip' }] },
			{ ...statement, predicateType: '' },
			{ ...statement, predicateType: 'https://in-toto.io/attestation/test-result/v0.1' },
			{ ...statement, predicate: { ...statement.predicate, account: 'alice' } },
			{ ...statement, predicate: { ...statement.predicate, version: 2 } },
		])
			expect(verifyTextManifest(signed(changed), TEXT, [key]).code).toBe('malformed-statement');
		expect(verifyTextManifest(signed(statement), TEXT, [key]).code).toBe('ok');
		const spaced = signEnvelope(PAYLOAD_TYPE, Buffer.from(JSON.stringify(statement, null, 1)), ring);
		const envelope = Buffer.from(canonicalBytes(spaced)).toString('utf8');
		expect(verifyTextManifest(envelope, TEXT, [key]).code).toBe('statement-not-canonical');
	});

	it('never crashes and never passes', () => {
		const bytes = Buffer.from(line, 'utf8');
		fc.assert(
			fc.property(fc.nat(bytes.length - 1), fc.nat(64), fc.uint8Array({ maxLength: 64 }), (at, cut, put) => {
				const changed = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]).toString(
					'utf8',
				);
				const { status, code } = verifyTextManifest(changed, TEXT, [key]);
				return ManifestCode.safeParse(code).success && (changed === line || status === 'invalid');
			}),
			{ numRuns: 2000, seed: 9 },
		);
		fc.assert(
			fc.property(fc.json(), (text) => verifyTextManifest(text, TEXT, [key]).status === 'invalid'),
			{ numRuns: 500, seed: 9 },
		);
	});
});

it('the schema of the predicate is published', () => {
	const published = JSON.parse(readFileSync('docs/schemas/manifest-v1.json', 'utf8'));
	const { $id, title, description, ...schema } = published;
	expect($id).toBe(MANIFEST_TYPE);
	expect(title).toBeTypeOf('string');
	expect(description).toBeTypeOf('string');
	expect(schema).toEqual(JSON.parse(JSON.stringify(z.toJSONSchema(TextManifest))));
});
