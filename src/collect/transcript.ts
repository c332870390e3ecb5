/**
 * The transcript of a collection: records in the order of the questions, and a signed statement of what was asked, of
 * whom, when, and what came of it. Records do not depend on timing, failures or interruptions; the statement tells them.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { readLines } from '../corpus/lines.js';
import { digestOfFile } from '../corpus/text-digest.js';
import { badInput, TouchmarkError } from '../errors.js';
import { checked, hexOf, parseJson } from '../input.js';
import { isSignedBy } from '../keys/ed25519.js';
import type { Keyring } from '../keys/keyring.js';
import { leafHash, rootHash } from '../ledger/merkle.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { writePieces, writeWhole } from '../output.js';
import { VERSION } from '../version.js';
import type { Collected } from './collect.js';
import type { Inquiry, LeftOut } from './inquiry.js';
import { Plan } from './plan.js';

const Count = z.int().min(0);
const Named = z.array(z.strictObject({ id: z.string(), reason: z.string() }));

/** What the investigator states. */
export const Statement = z.strictObject({
	format: z.literal('touchmark-transcript'),
	version: z.literal(1),
	/** Name and version of the program. */
	tool: z.string(),
	plan: Plan,
	/** The model that was asked for, and every name under which answers came. */
	model: z.strictObject({ asked: z.string().nullable(), answered: z.array(z.string()) }),
	/** First request and last answer. */
	time: z.strictObject({ first: z.iso.datetime().nullable(), last: z.iso.datetime().nullable() }),
	/** Requests over all runs: answered, failed by reason, or interrupted (no outcome is known). */
	requests: z.strictObject({
		sent: Count,
		answered: Count,
		failed: z.record(z.string(), Count),
		interrupted: Count,
	}),
	/** Tokens that the endpoint says it billed. */
	billed: z.strictObject({ input: Count, output: Count }),
	/** Bytes of each line of the journal that a crash left unfinished. */
	tornLines: z.array(Count),
	/** Questions that the suspect declined, in the endpoint's words. Their records are among the others. */
	refusals: Named,
	/** Answers that give no record, questions that could not be asked, questions whose attempts all failed. */
	leftOut: Named,
	unasked: Named,
	unanswered: Named,
	/** Questions that were not reached: the budget was spent, or it was enough. */
	notReached: Count,
	/** Number of records, and the root of the Merkle tree (RFC 9162) over their lines. */
	records: z.strictObject({ count: Count, root: hexOf(32) }),
	/** SHA-256 of the journal: every exchange, with its time. */
	journal: hexOf(32),
	/** Ed25519 key of who states this; null when nobody signed. */
	publicKey: hexOf(32).nullable(),
	signature: hexOf(64).nullable(),
});
export type Statement = z.infer<typeof Statement>;

/** Files of a collection. */
export const FILES = {
	journal: 'journal.jsonl',
	records: 'records.jsonl',
	statement: 'statement.json',
} as const;

/** The bytes that are signed. */
function messageOf({ signature: _, ...statement }: Statement): Uint8Array {
	return canonicalBytes({ domain: 'touchmark/v1/transcript', ...statement });
}

/**
 * Writes records and statement.
 *
 * @param folder that holds the journal
 * @param signer signs the statement
 */
export async function writeTranscript(
	folder: string,
	plan: Plan,
	inquiry: Inquiry,
	{ account, failed }: Collected,
	signer?: Pick<Keyring, 'publicKey' | 'sign'>,
): Promise<Statement> {
	const refusals: LeftOut[] = [];
	const leftOut: LeftOut[] = [];
	const models = new Set<string>();
	const leaves: Uint8Array[] = [];
	function* lines() {
		for (const [index, { id }] of inquiry.questions.entries()) {
			const answer = account.answers.get(id);
			if (answer === undefined) continue;
			if (answer.model !== null) models.add(answer.model);
			if (answer.refusal !== null) refusals.push({ id, reason: answer.refusal });
			const record = inquiry.record(index, answer, account.answers);
			if (record === null) continue;
			if (typeof record === 'string') {
				leftOut.push({ id, reason: record });
				continue;
			}
			const line = canonicalBytes(record);
			leaves.push(leafHash(line));
			yield line;
			yield '\n';
		}
	}
	writePieces(join(folder, FILES.records), lines());
	const answered = account.answers.size;
	const { model } = plan.parameters;
	const unsigned: Statement = {
		format: 'touchmark-transcript',
		version: 1,
		tool: `touchmark ${VERSION}`,
		plan,
		model: { asked: typeof model === 'string' ? model : null, answered: [...models].sort() },
		time: { first: account.first, last: account.last },
		requests: {
			sent: account.requests,
			answered,
			failed: account.failures,
			interrupted: account.open,
		},
		billed: account.billed,
		tornLines: [...account.tornBytes],
		refusals,
		leftOut,
		unasked: [...inquiry.unasked],
		unanswered: [...failed],
		notReached: inquiry.questions.length - answered - failed.length,
		records: { count: leaves.length, root: bytesToHex(rootHash(leaves)) },
		journal: await digestOfFile(join(folder, FILES.journal)),
		publicKey: signer === undefined ? null : bytesToHex(signer.publicKey),
		signature: null,
	};
	const signature = signer === undefined ? null : bytesToHex(signer.sign(messageOf(unsigned)));
	const statement = { ...unsigned, signature };
	writeWhole(join(folder, FILES.statement), `${JSON.stringify(statement, null, '\t')}\n`);
	return statement;
}

/**
 * Checks a transcript: the records are those of the statement, the journal (where it is kept) is the one that it was made
 * from, and the signature is of the key that it names. Whose key that is must be known from elsewhere: compare
 * `publicKey`.
 *
 * @throws TouchmarkError `failed` that says what does not agree; `bad-input` for a folder that holds no transcript
 */
export async function verifyTranscript(folder: string): Promise<Statement> {
	const [path, records, journal] = [FILES.statement, FILES.records, FILES.journal].map((name) =>
		join(folder, name),
	);
	if (!existsSync(path)) throw badInput(`${path}: does not exist; is this the folder of a collection?`);
	const statement = checked(Statement, parseJson(await readFile(path, 'utf8'), path), path);
	const leaves: Uint8Array[] = [];
	for await (const { text } of readLines(records)) leaves.push(leafHash(utf8ToBytes(text)));
	const { count, root } = statement.records;
	const refuse = (what: string) => {
		throw new TouchmarkError('failed', what);
	};
	if (leaves.length !== count)
		refuse(`${records}: holds ${leaves.length} records, but the statement says ${count}`);
	if (bytesToHex(rootHash(leaves)) !== root)
		refuse(`${records}: a record was changed after the statement was made`);
	if (existsSync(journal) && (await digestOfFile(journal)) !== statement.journal)
		refuse(`${journal}: is not the journal that the statement was made from`);
	if (!isSigned(statement)) refuse(`${path}: field "signature" does not verify`);
	return statement;
}

/** Whether the signature is of the key that is named; true where neither is there. */
function isSigned(statement: Statement): boolean {
	const { publicKey, signature } = statement;
	if (publicKey === null || signature === null) return publicKey === signature;
	return isSignedBy(hexToBytes(publicKey), messageOf(statement), hexToBytes(signature));
}
