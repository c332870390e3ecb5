/**
 * Checks a bundle of evidence, offline: with nothing else signatures, proofs, times and whether it agrees with itself; with
 * the files and the opened keys every number in it.
 *
 * A check that cannot be made is said to be so, and never counts as passed.
 *
 * @module
 */
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import { bindOpenedMark, type OpenedMark } from '../keys/opened-mark.js';
import { canonicalBytes, markId } from '../marks/mark-spec.js';
import { VERSION } from '../version.js';
import { readCanonicalJson } from './canonical-json.js';
import { type Check, CheckName, failed, notCheckable, passed, sentenceOf } from './checks.js';
import { checkArguments, TEST_COMMANDS } from './commands.js';
import { Envelope, payloadOf, signersOf } from './dsse.js';
import { contradictionIn, type Finding, findingsOf, type Headline, headlinesOf } from './findings.js';
import { type InputDigest, isRecordOf, type RecordProof } from './inputs.js';
import { checkCommitments, checkLog, checkOrder, checkStamps } from './log-checks.js';
import type { Policy } from './policy.js';
import {
	EvidencePredicate,
	type EvidenceTest,
	PAYLOAD_TYPE,
	PREDICATE_TYPE,
	Statement,
	subjectsOf,
} from './statement.js';
import type { Trust } from './trust.js';

/** Longest bundle, bytes. */
export const MAX_BUNDLE = 64 * 2 ** 20;

/** What a verifier has besides the bundle. */
export interface VerifyOptions {
	readonly trust?: Trust;
	readonly policy?: Policy;
	/** A record that is shown without the rest of its file. */
	readonly record?: RecordProof;
	/** Digests of a file that was tested, by its name; null when it is not there. */
	digestOf?(name: string): Promise<InputDigest | null>;
	readonly keys?: readonly OpenedMark[];
	/** Runs a test on the files again, with all opened keys; gives what it prints, as {@link EvidenceTest.result}. */
	rerun?(test: EvidenceTest, predicate: EvidencePredicate): Promise<unknown[]>;
}

/** What was checked. */
export interface Verification {
	/** No check failed. */
	readonly valid: boolean;
	readonly checks: readonly Check[];
	/** Keys whose signatures verify. */
	readonly signers: readonly string[];
	/** Null where the statement could not be read. */
	readonly predicate: EvidencePredicate | null;
	/** What the bundle says of its suspects; empty unless it agrees with itself. */
	readonly findings: readonly Finding[];
}

/** An envelope in the one form that its file may have: canonical JSON and a line feed. */
export function bundleText(envelope: Envelope): string {
	return `${Buffer.from(canonicalBytes(envelope)).toString('utf8')}\n`;
}

/** Checks a bundle. Whatever its bytes, it gives checks and does not throw. */
export async function verifyBundle(bytes: Uint8Array, options: VerifyOptions = {}): Promise<Verification> {
	const checks: Check[] = [];
	const result = (rest: Partial<Verification> = {}): Verification => ({
		...{ signers: [], predicate: null, findings: [], ...rest },
		...{ valid: checks.every(({ status }) => status !== 'failed'), checks: withRest(checks) },
	});
	const envelope = openEnvelope(bytes);
	if ('status' in envelope) {
		checks.push(envelope);
		return result();
	}
	checks.push(passed('envelope', `${bytes.length} bytes, ${envelope.signatures.length} signatures`));
	const { valid: signers, invalid } = signersOf(envelope);
	if (invalid.length > 0) {
		checks.push(
			failed(
				'signatures',
				'signature-invalid',
				`the payload, its type, the key id or the signature of ${invalid.join(', ')} is not what was signed`,
			),
		);
		return result({ signers });
	}
	checks.push(passed('signatures', `by ${signers.join(', ')}`), checkSigners(signers, options.trust));
	const predicate = openStatement(envelope);
	if ('status' in predicate) {
		checks.push(predicate);
		return result({ signers });
	}
	const { title, tests, inputs } = predicate;
	checks.push(passed('statement', `“${title}”: ${tests.length} tests of ${inputs.length} files`));
	checks.push(checkMarks(predicate), checkCommitments(predicate), checkLog(predicate, options.trust));
	const stamps = await checkStamps(predicate, options.trust);
	const commands = checkCommands(predicate);
	const headlines = headlinesOf(tests);
	const results = checkResults(predicate, headlines);
	checks.push(stamps.check, checkOrder(predicate, stamps.times), commands, results);
	checks.push(checkRecord(predicate, options.record));
	const files = await checkFiles(predicate, options);
	const keys = checkKeys(predicate, options.keys);
	checks.push(files, keys);
	checks.push(await checkAgain(predicate, options, [commands, results, files, keys]));
	const findings =
		headlines !== null && results.status === 'passed' ? findingsOf(headlines, tests.length) : [];
	checks.push(checkPolicy(predicate, signers, findings, options.policy));
	return result({ signers, predicate, findings });
}

/** All checks: those that were not come to, because an earlier one failed, are not checkable. */
function withRest(checks: readonly Check[]): Check[] {
	const made = new Map(checks.map((check) => [check.name, check]));
	return CheckName.options.map(
		(name) =>
			made.get(name) ??
			notCheckable(name, 'not-reached', 'an earlier check failed, so that nothing is known of this'),
	);
}

/** Reads an envelope that need not be signed well. @throws TouchmarkError `bad-input` */
export function readEnvelope(bytes: Uint8Array, where: string): Envelope {
	const envelope = openEnvelope(bytes);
	if ('status' in envelope) throw badInput(`${where}: ${envelope.detail}`);
	return envelope;
}

function openEnvelope(bytes: Uint8Array): Envelope | Check {
	if (bytes.length > MAX_BUNDLE)
		return failed('envelope', 'malformed-envelope', `is longer than ${MAX_BUNDLE} bytes`);
	if (bytes.at(-1) !== 10)
		return failed('envelope', 'envelope-not-canonical', 'the bundle: does not end in a line feed');
	const read = readCanonicalJson(Envelope, bytes.subarray(0, -1), 'the bundle');
	if ('wrong' in read) {
		const code = read.wrong === 'malformed' ? 'malformed-envelope' : 'envelope-not-canonical';
		return failed('envelope', code, read.detail);
	}
	const envelope = read.value;
	return envelope.payloadType === PAYLOAD_TYPE
		? envelope
		: failed('envelope', 'wrong-payload-type', `its payload is not "${PAYLOAD_TYPE}"`);
}

function checkSigners(signers: readonly string[], trust: Trust | undefined): Check {
	if (trust === undefined)
		return notCheckable('signers', 'no-trust-given', 'whose keys these are is not known; give --trust FILE');
	const known = trust.signers.filter(({ publicKey }) => signers.includes(publicKey));
	return known.length > 0
		? passed('signers', known.map(({ name }) => name).join(', '))
		: failed('signers', 'signer-not-trusted', `none of ${signers.join(', ')} is among the trusted signers`);
}

function openStatement(envelope: Envelope): EvidencePredicate | Check {
	const read = readCanonicalJson(Statement, payloadOf(envelope), 'the statement');
	if ('wrong' in read) {
		const code = read.wrong === 'malformed' ? 'malformed-statement' : 'statement-not-canonical';
		return failed('statement', code, read.detail);
	}
	const malformed = (detail: string) => failed('statement', 'malformed-statement', detail);
	const { predicateType, subject } = read.value;
	if (predicateType !== PREDICATE_TYPE) return malformed(`its predicate is not "${PREDICATE_TYPE}"`);
	let predicate: EvidencePredicate;
	try {
		predicate = checked(EvidencePredicate, read.value.predicate, 'the predicate');
	} catch (error) {
		return malformed(sentenceOf(error));
	}
	const names = predicate.inputs.map(({ name }) => name);
	if (new Set(names).size < names.length) return malformed('two of its files have the same name');
	return Buffer.compare(canonicalBytes(subject), canonicalBytes(subjectsOf(predicate))) === 0
		? predicate
		: failed('statement', 'subject-differs', 'its subjects are not the files that it tests');
}

function checkMarks({ marks }: EvidencePredicate): Check {
	const wrong = marks.find(({ id, spec }) => markId(spec) !== id);
	if (wrong !== undefined)
		return failed('marks', 'mark-id-wrong', `mark ${wrong.id.slice(0, 16)}… has the id of another spec`);
	return marks.length === 0
		? notCheckable('marks', 'no-marks', 'no mark was tested')
		: passed('marks', `${marks.length} marks`);
}

function checkCommands({ tests, inputs }: EvidencePredicate): Check {
	for (const [i, { command, args }] of tests.entries())
		try {
			const where = `test ${i + 1}`;
			checkArguments(command, args, where);
			for (const argument of args)
				if (typeof argument !== 'string' && argument.input >= inputs.length)
					return failed(
						'commands',
						'command-not-allowed',
						`${where}: names a file that the bundle does not hold`,
					);
		} catch (error) {
			return failed('commands', 'command-not-allowed', sentenceOf(error));
		}
	return passed('commands', `${tests.length} tests`);
}

function checkResults(predicate: EvidencePredicate, headlines: readonly Headline[] | null): Check {
	if (headlines === null)
		return failed('results', 'results-contradict', 'a result is not what its command prints');
	const committed = new Set(
		(predicate.log?.commitments ?? []).flatMap((proof, i) =>
			proof === null ? [] : (predicate.marks[i]?.id ?? []),
		),
	);
	const wrong = contradictionIn(headlines, predicate, committed);
	return wrong === null
		? passed('results', 'agree with themselves; whether they are right, only running the tests again shows')
		: failed('results', 'results-contradict', wrong);
}

function checkRecord({ inputs }: EvidencePredicate, record: RecordProof | undefined): Check {
	if (record === undefined) return notCheckable('record', 'no-record-given', 'no record is shown');
	const input = inputs.find(({ name }) => name === record.input);
	return input !== undefined && isRecordOf(record, input)
		? passed('record', `record ${record.record} of ${record.input}`)
		: failed(
				'record',
				'record-not-in-file',
				`record ${record.record} is not in the file "${record.input}" that was tested`,
			);
}

async function checkFiles({ inputs }: EvidencePredicate, { digestOf }: VerifyOptions): Promise<Check> {
	if (digestOf === undefined)
		return notCheckable('files', 'no-files-given', 'the files were not given; give --corpus DIR');
	for (const { name, ...digest } of inputs) {
		const found = await digestOf(name);
		if (found === null) return failed('files', 'file-missing', `${name}: is not there`);
		if (Buffer.compare(canonicalBytes(found), canonicalBytes(digest)) !== 0)
			return failed('files', 'file-differs', `${name}: is not the file that was tested`);
	}
	return passed('files', `${inputs.length} files`);
}

function checkKeys({ marks }: EvidencePredicate, keys: readonly OpenedMark[] | undefined): Check {
	if (marks.length === 0) return notCheckable('keys', 'no-marks', 'no mark was tested');
	if (keys === undefined)
		return notCheckable('keys', 'no-keys-given', 'the keys were not opened; give --key FILE');
	const opened = new Set<string>();
	for (const key of keys)
		try {
			opened.add(bindOpenedMark(key, 'the opened keys').mark.id);
		} catch (error) {
			return failed('keys', 'key-wrong', sentenceOf(error));
		}
	const missing = marks.find(({ id }) => !opened.has(id));
	return missing === undefined
		? passed('keys', `${marks.length} keys open their commitments`)
		: failed('keys', 'key-missing', `no key of mark ${missing.id.slice(0, 16)}… is given`);
}

async function checkAgain(
	predicate: EvidencePredicate,
	{ rerun, keys, digestOf }: VerifyOptions,
	needed: readonly Check[],
): Promise<Check> {
	const name = 'recomputation';
	const keyed = predicate.tests.some(({ command }) => TEST_COMMANDS[command].keyed);
	if (rerun === undefined || digestOf === undefined)
		return notCheckable(name, 'no-files-given', 'the files were not given');
	if (keyed && keys === undefined) return notCheckable(name, 'no-keys-given', 'the keys were not opened');
	const broken = needed.find(({ status }) => status === 'failed');
	if (broken !== undefined) return notCheckable(name, 'not-reached', `the check of ${broken.name} failed`);
	for (const [i, test] of predicate.tests.entries()) {
		const where = `test ${i + 1} (${test.command} of "${test.suspect}")`;
		let again: unknown[];
		try {
			again = await rerun(test, predicate);
		} catch (error) {
			return failed(name, 'test-failed', `${where}: ${sentenceOf(error)}`);
		}
		if (Buffer.compare(canonicalBytes(again), canonicalBytes(test.result)) === 0) continue;
		const { version } = predicate.software;
		return version === VERSION
			? failed(name, 'result-differs', `${where}: prints something else`)
			: notCheckable(
					name,
					'other-software',
					`${where}: prints something else in version ${VERSION}; use ${version}`,
				);
	}
	return passed(name, `${predicate.tests.length} tests print the same again`);
}

function checkPolicy(
	{ tests, inputs, made }: EvidencePredicate,
	signers: readonly string[],
	findings: readonly Finding[],
	policy: Policy | undefined,
): Check {
	if (policy === undefined) return notCheckable('policy', 'no-policy-given', 'no policy was given');
	const unmet = (what: string) => failed('policy', 'policy-not-met', what);
	const signed = policy.signers.keys.filter((key) => signers.includes(key)).length;
	if (signed < policy.signers.least)
		return unmet(`${signed} of ${policy.signers.least} required signers signed`);
	for (const { command, marks } of policy.tests) {
		// A file that the bundle names and no test read says nothing.
		const read = new Set(
			tests
				.filter((test) => test.command === command)
				.flatMap(({ args }) =>
					args.flatMap((one) => (typeof one === 'string' ? [] : (inputs[one.input]?.sha256 ?? []))),
				),
		);
		const unread = policy.subjects.find((subject) => !read.has(subject));
		if (unread !== undefined) return unmet(`no test of ${command} was run on ${unread}`);
		const scored = new Set(
			findings.filter((one) => one.command === command).flatMap((one) => one.marks.map(({ mark }) => mark)),
		);
		const absent = marks.find((id) => !scored.has(id));
		if (absent !== undefined) return unmet(`no test of ${command} looked for mark ${absent.slice(0, 16)}…`);
	}
	const refused = findings.find(({ verdict }) => !policy.verdicts.includes(verdict));
	if (findings.length === 0 || refused !== undefined)
		return unmet(
			refused === undefined
				? 'the results cannot be used'
				: `${refused.command} of "${refused.suspect}" says "${refused.verdict}"`,
		);
	if (policy.notBefore !== undefined && Date.parse(made) < Date.parse(policy.notBefore))
		return unmet(`it was made at ${made}, before ${policy.notBefore}`);
	return passed('policy', 'everything that it requires is so');
}
