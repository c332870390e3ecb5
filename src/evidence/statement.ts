/**
 * What a bundle of evidence states: an in-toto Statement v1 (https://github.com/in-toto/attestation) about the files that
 * were tested, with a predicate of ours.
 *
 * @module
 */
import { z } from 'zod';
import { hexOf } from '../input.js';
import { InclusionProof } from '../ledger/prove.js';
import { TreeHead } from '../ledger/tree-head.js';
import { MarkSpec } from '../marks/mark-spec.js';
import { Argument, TEST_COMMANDS, type TestCommandName } from './commands.js';
import { InputDigest } from './inputs.js';

/** The payload type of in-toto statements. */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
/** The type of our predicate; its JSON schema is in docs/schemas/evidence-v1.json. */
export const PREDICATE_TYPE = 'https://touchmark.dev/evidence/v1';

/** Any in-toto statement. */
export const Statement = z.looseObject({
	_type: z.literal('https://in-toto.io/Statement/v1'),
	subject: z
		.array(
			z.looseObject({
				digest: z.record(z.string(), z.string()).refine((all) => Object.keys(all).length > 0),
			}),
		)
		.min(1),
	predicateType: z.string().min(1),
	predicate: z.record(z.string(), z.unknown()),
});
export type Statement = z.infer<typeof Statement>;

/** A path below the folder of a bundle's files. */
const SafePath = z
	.string()
	.min(1)
	.max(512)
	.refine(
		(path) =>
			!/^[/~]|[\\:\p{Cc}]|^-/u.test(path) && !path.split('/').some((part) => part === '..' || part === ''),
		'must be a plain path below the folder of the files',
	);

const Name = z.string().min(1).max(256);

/** One run of a test. */
export const EvidenceTest = z.strictObject({
	suspect: Name,
	command: z.enum(Object.keys(TEST_COMMANDS) as [TestCommandName, ...TestCommandName[]]),
	args: z.array(Argument).max(256),
	/** What it printed with `--json`, a value a line; how long it took, and in how much memory, left out. */
	result: z.array(z.looseObject({})).min(1).max(100_000),
});
export type EvidenceTest = z.infer<typeof EvidenceTest>;

/** That keys were committed before they were used, and when. */
export const LogEvidence = z.strictObject({
	/** The newest head; all proofs are to it. */
	head: TreeHead,
	/** Of each mark, in the order of `marks`; null for one that was not committed. */
	commitments: z.array(InclusionProof.nullable()).max(1024),
	/** Entries that hold what authorities said of older heads, with proofs that the log goes on from those. */
	stamps: z
		.array(z.strictObject({ proof: InclusionProof, consistency: z.array(hexOf(32)).max(64) }))
		.max(256),
});
export type LogEvidence = z.infer<typeof LogEvidence>;

/** The predicate. */
export const EvidencePredicate = z.strictObject({
	version: z.literal(1),
	title: Name,
	made: z.iso.datetime(),
	software: z.strictObject({
		name: z.literal('touchmark'),
		version: z.string().max(64),
		/** SHA-256 of the lock file that it was built with; null when run from source. */
		lockfile: hexOf(32).nullable(),
		node: z.string().max(64),
	}),
	suspects: z
		.array(
			z.strictObject({
				name: Name,
				/** When it was released; null where that is not known. */
				released: z.iso.datetime().nullable(),
			}),
		)
		.min(1)
		.max(1024),
	inputs: z
		.array(InputDigest.extend({ name: SafePath }))
		.min(1)
		.max(4096),
	/** Specs of the marks whose opened keys were tested, by id. Keys are not here. */
	marks: z.array(z.strictObject({ id: hexOf(32), spec: MarkSpec })).max(1024),
	log: LogEvidence.nullable(),
	tests: z.array(EvidenceTest).min(1).max(1024),
});
export type EvidencePredicate = z.infer<typeof EvidencePredicate>;

/** A statement about these inputs. */
export function statementOf(predicate: EvidencePredicate): Statement {
	return {
		_type: 'https://in-toto.io/Statement/v1',
		subject: subjectsOf(predicate),
		predicateType: PREDICATE_TYPE,
		predicate,
	};
}

/** What a statement is about. */
export function subjectsOf({ inputs }: EvidencePredicate): Statement['subject'] {
	return inputs.map(({ name, sha256 }) => ({ name, digest: { sha256 } }));
}

/** JSON schema (draft 2020-12) of the predicate, as docs/schemas/evidence-v1.json publishes it. */
export function evidenceSchema(): object {
	return { $id: PREDICATE_TYPE, title: 'Evidence', ...z.toJSONSchema(EvidencePredicate) };
}
