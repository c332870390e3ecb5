/**
 * What is checked of a bundle, and the codes that say what is wrong: a closed set, which programs may rely on.
 *
 * @module
 */
import { z } from 'zod';
import { TouchmarkError } from '../errors.js';

/** The checks, in their order. */
export const CheckName = z.enum([
	/** The file is an envelope in its one canonical form. */
	'envelope',
	/** Every signature verifies under the key that it names. */
	'signatures',
	/** A trusted signer signed. */
	'signers',
	/** The payload is a statement of ours in its one canonical form, about the files that it names. */
	'statement',
	/** Ids are those of the specs. */
	'marks',
	/** Commitments of all keys are in the log. */
	'commitments',
	/** The log's head is signed, by a trusted log. */
	'log',
	/** Authorities stamped heads that the log goes on from. */
	'timestamps',
	/** Keys were committed before each suspect was released. */
	'order',
	/** Commands are tests that may be run, of files that the bundle names. */
	'commands',
	/** Results agree with themselves. */
	'results',
	/** A record that is shown is in a file that the bundle names. */
	'record',
	/** The files are those that were tested. */
	'files',
	/** The opened keys are those that were committed. */
	'keys',
	/** The tests, run again, print the same. */
	'recomputation',
	/** What a policy requires. */
	'policy',
]);
export type CheckName = z.infer<typeof CheckName>;

/** Why a check failed, or could not be made. */
export const CheckCode = z.enum([
	'ok',
	'malformed-envelope',
	'envelope-not-canonical',
	'wrong-payload-type',
	'signature-invalid',
	'no-trust-given',
	'signer-not-trusted',
	'malformed-statement',
	'statement-not-canonical',
	'subject-differs',
	'mark-id-wrong',
	'no-marks',
	'not-committed',
	'inclusion-proof-invalid',
	'commitment-of-other-mark',
	'no-log',
	'head-signature-invalid',
	'log-not-trusted',
	'timestamp-invalid',
	'timestamp-not-of-log',
	'no-timestamp',
	'authority-not-trusted',
	'release-unknown',
	'committed-after-release',
	'command-not-allowed',
	'results-contradict',
	'no-record-given',
	'record-not-in-file',
	'no-files-given',
	'file-missing',
	'file-differs',
	'no-keys-given',
	'key-missing',
	'key-wrong',
	'other-software',
	'test-failed',
	'result-differs',
	'no-policy-given',
	'policy-not-met',
	'not-reached',
]);
export type CheckCode = z.infer<typeof CheckCode>;

/** One check. */
export const Check = z.strictObject({
	name: CheckName,
	status: z.enum(['passed', 'failed', 'not-checkable']),
	code: CheckCode,
	/** One sentence that names the part. */
	detail: z.string(),
});
export type Check = z.infer<typeof Check>;

/** Short forms. */
export const passed = (name: CheckName, detail: string): Check => ({
	name,
	status: 'passed',
	code: 'ok',
	detail,
});
export const failed = (name: CheckName, code: CheckCode, detail: string): Check => ({
	...{ name, status: 'failed', code, detail },
});
export const notCheckable = (name: CheckName, code: CheckCode, detail: string): Check => ({
	...{ name, status: 'not-checkable', code, detail },
});

/** Whatever went wrong with bytes from outside, in a sentence. */
export function sentenceOf(error: unknown): string {
	return TouchmarkError.isInstance(error) ? error.message : 'cannot be read as JSON of the expected form';
}
