/**
 * Signed manifests of texts: who says that a text was made by a model, when, and with which marks in it.
 *
 * A manifest is detached: a line of JSON that lies beside its text and names it by digest. It is a DSSE envelope around an
 * in-toto Statement v1 with a predicate of ours. A mark survives copying and editing and can be read by whoever has the
 * key; a manifest can be read by everybody, and stands for the very bytes that were signed and for no others.
 *
 * @module
 */
import { z } from 'zod';
import { textDigest } from '../corpus/text-digest.js';
import { badInput } from '../errors.js';
import { checked, hexOf } from '../input.js';
import { canonicalBytes, type MarkSpec, markId, Name } from '../marks/mark-spec.js';
import { readCanonicalJson } from './canonical-json.js';
import { Envelope, payloadOf, type Signer, signEnvelope, signersOf } from './dsse.js';
import { PAYLOAD_TYPE } from './statement.js';

/** The type of our predicate; its JSON schema is `docs/schemas/manifest-v1.json`. */
export const MANIFEST_TYPE = 'https://touchmark.dev/manifest/v1';
/** The term of the IPTC, which C2PA uses too, for what a trained model made. */
export const TRAINED_ALGORITHMIC_MEDIA =
	'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia';

/** Longest manifest, characters. */
export const MAX_MANIFEST = 2 ** 16;

const Words = z
	.string()
	.min(1)
	.max(256)
	.regex(/^[^\p{Cc}\p{Cs}]+$/u, 'must be a line of plain text');

/** What a manifest says of its text. It never says for whom the text was made. */
export const TextManifest = z.strictObject({
	version: z.literal(1),
	/** Where the text comes from, for machines. */
	digitalSourceType: z.literal(TRAINED_ALGORITHMIC_MEDIA),
	/** What made the text, as its provider calls it. */
	generator: Words,
	/** Name of the deployment, as in the marks. */
	deployment: Name.optional(),
	/** When it was made. */
	time: z.iso.datetime(),
	/** Ids of the marks in the text that stand for the whole deployment. */
	marks: z.array(hexOf(32)).max(64),
	/** Id of its receipt in the provider's log. */
	receipt: Words.optional(),
});
export type TextManifest = z.infer<typeof TextManifest>;

/** The statement that is signed. */
const Statement = z.strictObject({
	_type: z.literal('https://in-toto.io/Statement/v1'),
	subject: z.tuple([
		z.strictObject({ name: Words.optional(), digest: z.strictObject({ sha256: hexOf(32) }) }),
	]),
	predicateType: z.literal(MANIFEST_TYPE),
	predicate: TextManifest,
});
type Statement = z.infer<typeof Statement>;

/** What the provider knows of a text. */
export interface TextFacts {
	/** What made the text: the name of a model or service. */
	readonly generator: string;
	readonly deployment?: string;
	/** ISO 8601, UTC. */
	readonly time: string;
	/**
	 * The marks in the text. Those of cohorts and accounts are left out of the manifest: which of them a text carries says
	 * something of whom it was made for.
	 */
	readonly marks?: readonly MarkSpec[];
	/** Id of the receipt. */
	readonly receipt?: string;
	/** What the text is called, to find its manifest by. */
	readonly name?: string;
}

/**
 * Signs a text.
 *
 * @param text byte by byte as it will be served
 * @param signer a key ring
 * @returns a line of canonical JSON (RFC 8785), without its line feed: the manifest
 * @throws TouchmarkError `bad-input` for facts that a manifest cannot state, and a text with lone surrogates
 * @example
 * const line = signTextManifest(answer, { generator: 'our-model-2', time: receipt.time, receipt: receipt.id }, ring);
 */
export function signTextManifest(text: string, facts: TextFacts, signer: Signer): string {
	const sha256 = textDigest(text);
	if (sha256 === null)
		throw badInput('the text has lone surrogates; it cannot be signed, for it has no UTF-8');
	return signDigest(sha256, facts, signer);
}

/** {@link signTextManifest} by the digest of the text alone. */
export function signDigest(sha256: string, facts: TextFacts, signer: Signer): string {
	const { generator, deployment, time, receipt, name } = facts;
	const marks = (facts.marks ?? []).filter(({ layer }) => layer === 'deployment').map(markId);
	const statement: Statement = {
		_type: 'https://in-toto.io/Statement/v1',
		subject: [{ ...(name === undefined ? {} : { name }), digest: { sha256 } }],
		predicateType: MANIFEST_TYPE,
		predicate: {
			version: 1,
			digitalSourceType: TRAINED_ALGORITHMIC_MEDIA,
			generator,
			...(deployment === undefined ? {} : { deployment }),
			time,
			marks,
			...(receipt === undefined ? {} : { receipt }),
		},
	};
	const payload = canonicalBytes(checked(Statement, statement, 'manifest'));
	return Buffer.from(canonicalBytes(signEnvelope(PAYLOAD_TYPE, payload, signer))).toString('utf8');
}

/** What is wrong with a manifest, or nothing (`ok`): a closed set. */
export const ManifestCode = z.enum([
	'ok',
	/** No manifest is of this text. */
	'no-manifest',
	/** Not a DSSE envelope, or one in another form than the canonical one. */
	'malformed-envelope',
	'envelope-not-canonical',
	/** An envelope around something else than an in-toto statement. */
	'wrong-payload-type',
	/** A signature does not verify under the key that it names: payload, type, key id or signature was changed. */
	'signature-invalid',
	/** Whoever signed it is not trusted. */
	'signer-not-trusted',
	/** Signed, but not a manifest of this version, or one in another form than the canonical one. */
	'malformed-statement',
	'statement-not-canonical',
	/** It is of another text. */
	'subject-differs',
]);
export type ManifestCode = z.infer<typeof ManifestCode>;

/** What a manifest says of a text. */
export const ManifestFinding = z.strictObject({
	status: z.enum(['valid', 'invalid', 'absent']),
	code: ManifestCode,
	/** Trusted keys that signed it; with what they say, only where it is valid. */
	signers: z.array(hexOf(32)).optional(),
	says: TextManifest.optional(),
});
export type ManifestFinding = z.infer<typeof ManifestFinding>;

/** A manifest that could be read; whether to believe it is another question. */
export interface OpenedManifest {
	readonly envelope: Envelope;
	/** Null where the payload is no statement that can be read; `problem` says why. */
	readonly statement: Statement | null;
	readonly problem: ManifestCode;
}

/** Reads the line of a manifest. Nothing is verified. @returns a code where it is no envelope */
export function openManifest(line: string): OpenedManifest | ManifestCode {
	if (line.length > MAX_MANIFEST) return 'malformed-envelope';
	const read = readCanonicalJson(Envelope, Buffer.from(line, 'utf8'), 'the manifest');
	if ('wrong' in read) return read.wrong === 'malformed' ? 'malformed-envelope' : 'envelope-not-canonical';
	const envelope = read.value;
	const unread = (problem: ManifestCode) => ({ envelope, statement: null, problem });
	if (envelope.payloadType !== PAYLOAD_TYPE) return unread('wrong-payload-type');
	const stated = readCanonicalJson(Statement, payloadOf(envelope), 'the statement');
	if ('wrong' in stated)
		return unread(stated.wrong === 'malformed' ? 'malformed-statement' : 'statement-not-canonical');
	return { envelope, statement: stated.value, problem: 'ok' };
}

/** What is held against a manifest. */
export interface ManifestSubject {
	/** SHA-256 of the text's UTF-8 bytes; null for what is no text (`textDigest`). */
	readonly digest: string | null;
	/** Public keys, hexadecimal, of those whose word is taken. */
	readonly trusted: ReadonlySet<string>;
}

/**
 * Whether a manifest is of this text and by somebody who is trusted.
 *
 * @param manifest as {@link openManifest} gives it
 */
export function checkManifest(
	manifest: OpenedManifest | ManifestCode,
	{ digest, trusted }: ManifestSubject,
): ManifestFinding {
	const invalid = (code: ManifestCode): ManifestFinding => ({ status: 'invalid', code });
	if (typeof manifest === 'string') return invalid(manifest);
	const { envelope, statement, problem } = manifest;
	if (problem === 'wrong-payload-type') return invalid(problem);
	const signers = signersOf(envelope);
	if (signers.invalid.length > 0) return invalid('signature-invalid');
	const known = signers.valid.filter((key) => trusted.has(key));
	if (known.length === 0) return invalid('signer-not-trusted');
	if (statement === null) return invalid(problem);
	if (statement.subject[0].digest.sha256 !== digest) return invalid('subject-differs');
	return { status: 'valid', code: 'ok', signers: known, says: statement.predicate };
}

/**
 * Whether the line of a manifest is of this text and by somebody who is trusted.
 *
 * @param trusted Ed25519 public keys, hexadecimal, of those whose word is taken
 * @example
 * verifyTextManifest(line, text, [providersKey]).status; // 'valid'
 */
export function verifyTextManifest(line: string, text: string, trusted: readonly string[]): ManifestFinding {
	return checkManifest(openManifest(line), { digest: textDigest(text), trusted: new Set(trusted) });
}
