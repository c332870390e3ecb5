/** Signed JSON has one form; any other is refused, by the same code in bundles and in manifests. */
import { expect, test } from 'vitest';
import { z } from 'zod';
import { readCanonicalJson } from '../../src/evidence/canonical-json.js';
import { signEnvelope } from '../../src/evidence/dsse.js';
import { PAYLOAD_TYPE } from '../../src/evidence/statement.js';
import { verifyTextManifest } from '../../src/evidence/text-manifest.js';
import { bundleText, verifyBundle } from '../../src/evidence/verify.js';
import { createKeyring } from '../../src/keys/keyring.js';

const Pair = z.strictObject({ a: z.number(), b: z.string() });
const read = (bytes: string | Uint8Array) => readCanonicalJson(Pair, Buffer.from(bytes), 'it');

test('the one form is read', () => {
	expect(read('{"a":1,"b":"é"}')).toEqual({ value: { a: 1, b: 'é' } });
});
test.each([
	['another order', '{"b":"é","a":1}', 'not-canonical'],
	['spaces', '{"a": 1,"b":"é"}', 'not-canonical'],
	['a number written otherwise', '{"a":1.0,"b":"é"}', 'not-canonical'],
	['an escape', '{"a":1,"b":"\\u00e9"}', 'not-canonical'],
	['a name twice', '{"a":1,"a":1,"b":"é"}', 'not-canonical'],
	['another schema', '{"a":1}', 'malformed'],
	['no JSON', '{"a":1', 'malformed'],
	['a byte order mark', '\ufeff{"a":1,"b":"é"}', 'malformed'],
	['nested beyond all bounds', '['.repeat(1e6), 'malformed'],
	['bytes that are not UTF-8', Buffer.from('{"a":1,"b":"é"}', 'latin1'), 'malformed'],
])('%s is not', (_, bytes, wrong) => {
	expect(read(bytes)).toEqual({ wrong, detail: expect.stringMatching(/^it: |^cannot be read/) });
});

test('a statement that is not UTF-8 is malformed, in a bundle and in a manifest', async () => {
	const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(5));
	const text = bundleText(signEnvelope(PAYLOAD_TYPE, Buffer.from('{"a":"\xe9"}', 'latin1'), ring));
	const { checks } = await verifyBundle(Buffer.from(text));
	expect(checks.filter(({ status }) => status === 'failed')).toMatchObject([{ code: 'malformed-statement' }]);
	const publicKey = Buffer.from(ring.publicKey).toString('hex');
	expect(verifyTextManifest(text.trimEnd(), 'a text', [publicKey]).code).toBe('malformed-statement');
});
