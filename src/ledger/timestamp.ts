/**
 * Time stamps of tree heads by an authority (RFC 3161): a third party's word that a head, and with it every entry that
 * it covers, existed at a time.
 *
 * @module
 */
import { createHash, randomBytes } from 'node:crypto';
import type { Certificate, SignedData, TSTInfo } from 'pkijs';
import { badInput, TouchmarkError } from '../errors.js';
import { lineOf, type TimestampEntry } from './entry.js';
import { isSignedHead, type TreeHead } from './tree-head.js';

const SHA256 = '2.16.840.1.101.3.4.2.1';
/** Extended key usage, and the one that an authority's certificate must have. */
const EXTENDED_KEY_USAGE = '2.5.29.37';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
/** Longest response, bytes. */
const MAX_TOKEN = 48 * 1024;
const TIMEOUT = 30_000;

// Large, and most logs have no time stamp.
const pkijs = () => import('pkijs');
const asn1js = () => import('asn1js');

const messageOf = (head: TreeHead) => Buffer.from(lineOf(head));

/**
 * Asks an authority to stamp a head.
 *
 * @param authority its address
 * @returns the entry for the log
 * @throws TouchmarkError `failed` when it does not answer, declines, or answers something else
 */
export async function requestTimestamp(head: TreeHead, authority: string): Promise<TimestampEntry> {
	const { AlgorithmIdentifier, MessageImprint, TimeStampReq } = await pkijs();
	const { Integer, Null, OctetString } = await asn1js();
	const digest = createHash('sha256').update(messageOf(head)).digest();
	const nonce = randomBytes(16);
	nonce[0] = (nonce[0] & 0x7f) | 0x40;
	const request = new TimeStampReq({
		version: 1,
		messageImprint: new MessageImprint({
			hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA256, algorithmParams: new Null() }),
			hashedMessage: new OctetString({ valueHex: bufferOf(digest) }),
		}),
		nonce: new Integer({ valueHex: bufferOf(nonce) }),
		certReq: true,
	});
	const token = await post(authority, request.toSchema().toBER());
	const stamp = await verifyToken(token, messageOf(head), authority);
	if (stamp.nonce === undefined || !nonce.equals(Buffer.from(stamp.nonce.valueBlock.valueHexView)))
		throw new TouchmarkError('failed', `${authority}: answered another request; ask again`);
	const time = new Date().toISOString();
	return { type: 'timestamp', version: 1, time, authority, head, token: token.toString('base64') };
}

async function post(authority: string, body: ArrayBuffer): Promise<Buffer> {
	try {
		const response = await fetch(authority, {
			method: 'POST',
			headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
			body,
			signal: AbortSignal.timeout(TIMEOUT),
		});
		if (!response.ok) throw new TouchmarkError('failed', `${authority}: answered ${response.status}`);
		const answer = Buffer.from(await response.arrayBuffer());
		if (answer.length > MAX_TOKEN) throw new TouchmarkError('failed', `${authority}: its answer is too long`);
		return answer;
	} catch (error) {
		if (TouchmarkError.isInstance(error)) throw error;
		throw new TouchmarkError('failed', `${authority}: does not answer`, { cause: error });
	}
}

/** What an authority said. */
export interface Stamped {
	/** Size of the tree. */
	readonly size: number;
	/** When, by the authority's clock. */
	readonly time: string;
	/** Whether a certificate that was given vouches for the authority; without one, whoever made the token may be anybody. */
	readonly trusted: boolean;
}

/**
 * Checks a time stamp: it is of this head, and signed by the certificate that it names.
 *
 * @param where the entry, for messages
 * @param trusted certificates of authorities (PEM, one or several); their chain must have been valid at the stamp's time
 * @throws TouchmarkError `failed` that says what does not hold
 */
export async function checkTimestamp(
	{ head, token }: TimestampEntry,
	where: string,
	trusted?: string,
): Promise<Stamped> {
	if (!isSignedHead(head)) throw refused(where, 'the signature of its head does not verify');
	const { genTime } = await verifyToken(Buffer.from(token, 'base64'), messageOf(head), where, trusted);
	return { size: head.size, time: genTime.toISOString(), trusted: trusted !== undefined };
}

/** Checks an authority's response over any bytes. @returns what it states @throws TouchmarkError as {@link checkTimestamp} */
export async function verifyToken(
	token: Uint8Array,
	message: Uint8Array,
	where: string,
	trusted?: string,
): Promise<TSTInfo> {
	const { Certificate } = await pkijs();
	const { signed, stamp } = await readToken(token, where);
	const roots = certificatesOf(trusted ?? '').map((der) => Certificate.fromBER(bufferOf(der)));
	const embedded = (signed.certificates ?? []).filter(
		(found): found is Certificate => found instanceof Certificate,
	);
	signed.certificates = [...embedded, ...roots];
	const result = await signed
		.verify({
			signer: 0,
			data: bufferOf(message),
			trustedCerts: roots,
			checkChain: trusted !== undefined,
			checkDate: stamp.genTime,
			extendedMode: true,
		})
		.catch((error: unknown) => {
			throw refused(where, reasonOf(error));
		});
	if (!result.signatureVerified) throw refused(where, 'its signature does not verify');
	if (trusted !== undefined && !mayStamp(result.signerCertificate))
		throw refused(where, 'its certificate is not for time stamping');
	return stamp;
}

async function readToken(token: Uint8Array, where: string): Promise<{ signed: SignedData; stamp: TSTInfo }> {
	const { SignedData: Signed, TimeStampResp, TSTInfo: Stamp } = await pkijs();
	try {
		const { status, timeStampToken } = TimeStampResp.fromBER(bufferOf(token));
		if (status.status > 1 || timeStampToken === undefined)
			throw refused(where, `the authority declined (status ${status.status})`);
		const signed = new Signed({ schema: timeStampToken.content });
		const content = signed.encapContentInfo.eContent;
		if (content === undefined) throw refused(where, 'holds no time stamp');
		return { signed, stamp: Stamp.fromBER(content.getValue()) };
	} catch (error) {
		if (TouchmarkError.isInstance(error)) throw error;
		throw refused(where, 'is no answer of an authority');
	}
}

/** Whether the authority's certificate is for this use. */
function mayStamp(certificate: Certificate | null | undefined): boolean {
	const usage = certificate?.extensions?.find(({ extnID }) => extnID === EXTENDED_KEY_USAGE)?.parsedValue as
		| { keyPurposes?: string[] }
		| undefined;
	return usage?.keyPurposes?.includes(TIME_STAMPING) ?? false;
}

/** Certificates of a PEM file, DER. @throws TouchmarkError `bad-input` when there is none */
function certificatesOf(pem: string): Buffer[] {
	if (pem === '') return [];
	const found = [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END CERTIFICATE-----/g)];
	if (found.length === 0) throw badInput('the certificates of authorities: there is no PEM certificate');
	return found.map(([, base64]) => Buffer.from(base64, 'base64'));
}

function refused(where: string, what: string): TouchmarkError {
	return new TouchmarkError('failed', `${where}: time stamp: ${what}`);
}

function reasonOf(error: unknown): string {
	const message = error instanceof Error ? error.message : '';
	if (/TSTInfo/.test(message)) return 'is of something else than its head';
	if (/certificate/i.test(message)) return 'no certificate that is trusted vouches for the authority';
	return 'does not verify';
}

/** Exactly these bytes: a Buffer may be a part of a larger one. */
function bufferOf(bytes: Uint8Array): ArrayBuffer {
	return Uint8Array.from(bytes).buffer;
}
