/**
 * Makes a bundle: runs the tests of a plan, and seals what they printed with digests of what they read, the marks, and the
 * proof that their keys were committed beforehand.
 *
 * @module
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { badInput, TouchmarkError } from '../errors.js';
import { checked } from '../input.js';
import type { OpenedMark } from '../keys/opened-mark.js';
import { openProver } from '../ledger/prove.js';
import { visitLog } from '../ledger/read-log.js';
import { canonicalBytes, type MarkSpec, markId } from '../marks/mark-spec.js';
import { LOCKFILE, VERSION } from '../version.js';
import { type Argument, checkArguments, TEST_COMMANDS, type TestCommandName } from './commands.js';
import { type Envelope, type Signer, signEnvelope } from './dsse.js';
import { headlinesOf } from './findings.js';
import { digestFile } from './inputs.js';
import {
	EvidencePredicate,
	type EvidenceTest,
	type LogEvidence,
	PAYLOAD_TYPE,
	statementOf,
} from './statement.js';
import { bundleText, verifyBundle } from './verify.js';

/** What is to be tested, as a file: commands of the command line, their files named as such. */
export const EvidencePlan = z.strictObject({
	title: z.string().min(1).max(256),
	suspects: z
		.array(
			z.strictObject({
				name: z.string().min(1).max(256),
				released: z.iso.datetime().nullable().default(null),
			}),
		)
		.min(1),
	tests: z
		.array(
			z.strictObject({
				suspect: z.string().min(1),
				command: z.enum(Object.keys(TEST_COMMANDS) as [TestCommandName, ...TestCommandName[]]),
				args: z.array(
					z.union([z.string(), z.strictObject({ file: z.string().min(1), prefix: z.string().optional() })]),
				),
			}),
		)
		.min(1),
});
export type EvidencePlan = z.infer<typeof EvidencePlan>;

/** What a bundle is made of. */
export interface BuildOptions {
	readonly plan: EvidencePlan;
	/** The plan's file; those that it names are beside or below it. */
	readonly path: string;
	/** Opened marks that tests may look for. */
	readonly keys: readonly OpenedMark[];
	/** Folder of the log that holds their commitments. */
	readonly log?: string;
	readonly signer: Signer;
	/** Runs a test on the files below a folder; gives what it prints. */
	run(
		test: Omit<EvidenceTest, 'result'>,
		inputs: readonly { readonly name: string }[],
		folder: string,
	): Promise<EvidenceTest['result']>;
	/** Called before each test with its number and how many there are. */
	progress?(number: number, of: number): void;
}

/** Makes a bundle. @throws TouchmarkError `bad-input` for a plan that cannot be run, or results that no bundle may hold */
export async function buildBundle(options: BuildOptions): Promise<Envelope> {
	const { plan, path, keys, log, signer } = options;
	const folder = dirname(resolve(path));
	const names: string[] = [];
	const planned = plan.tests.map(({ suspect, command, args }, i) => {
		const where = `${path}: test ${i + 1}`;
		checkArguments(command, args, where);
		return { suspect, command, args: args.map((one) => argumentOf(one, folder, names, where)) };
	});
	const inputs: EvidencePredicate['inputs'] = [];
	for (const name of names) inputs.push({ name, ...(await digestFile(join(folder, name))) });
	const tests: EvidenceTest[] = [];
	for (const [i, test] of planned.entries()) {
		options.progress?.(i + 1, planned.length);
		tests.push({ ...test, result: await options.run(test, inputs, folder) });
	}
	const marks = marksOf(tests, keys);
	const predicate = checked(
		EvidencePredicate,
		{
			...{ version: 1, title: plan.title, made: new Date().toISOString() },
			software: { name: 'touchmark', version: VERSION, lockfile: LOCKFILE, node: process.versions.node },
			...{ suspects: plan.suspects, inputs, marks, tests },
			log: log === undefined ? null : logEvidence(log, marks, keys),
		},
		path,
	);
	const envelope = signEnvelope(PAYLOAD_TYPE, canonicalBytes(statementOf(predicate)), signer);
	const { checks } = await verifyBundle(Buffer.from(bundleText(envelope)));
	const wrong = checks.find(({ status }) => status === 'failed');
	if (wrong !== undefined) throw badInput(`${path}: no valid evidence: ${wrong.name}: ${wrong.detail}`);
	return envelope;
}

function argumentOf(
	argument: EvidencePlan['tests'][number]['args'][number],
	folder: string,
	names: string[],
	where: string,
): Argument {
	if (typeof argument === 'string') return argument;
	const { file, prefix } = argument;
	const full = resolve(folder, file);
	if (!existsSync(full)) throw badInput(`${where}: ${file} is not there`);
	if (statSync(full).isDirectory()) throw badInput(`${where}: ${file} is a folder; name its files`);
	const name = relative(folder, full).replaceAll('\\', '/');
	if (!names.includes(name)) names.push(name);
	return { input: names.indexOf(name), ...(prefix === undefined ? {} : { prefix }) };
}

/** Marks that the results speak of. @throws TouchmarkError `failed` for results that are not those of the tests */
function marksOf(
	tests: readonly EvidenceTest[],
	keys: readonly OpenedMark[],
): { id: string; spec: MarkSpec }[] {
	const headlines = headlinesOf(tests);
	if (headlines === null) throw new TouchmarkError('failed', 'a test prints what evidence cannot hold');
	const tested = new Set(headlines.flatMap((one) => one.marks.map(({ mark }) => mark)));
	return keys.map(({ spec }) => ({ id: markId(spec), spec })).filter(({ id }) => tested.has(id));
}

/** Proofs out of a log. @throws TouchmarkError `failed` for a log that does not hold a commitment where the key says */
function logEvidence(
	folder: string,
	marks: readonly { id: string; spec: MarkSpec }[],
	keys: readonly OpenedMark[],
): LogEvidence {
	const prover = openProver(folder);
	const at = new Map(keys.map(({ spec, logged }) => [markId(spec), logged]));
	const commitments = marks.map(({ id }) => {
		const logged = at.get(id) ?? null;
		if (logged === null) return null;
		const proof = prover.inclusion(logged.index);
		if (proof.entry.type !== 'key-commitment' || proof.entry.markId !== id)
			throw new TouchmarkError(
				'failed',
				`${folder}: entry ${logged.index} is not the commitment of mark ${id.slice(0, 16)}…; give the log that it was committed to`,
			);
		return proof;
	});
	const stamps: LogEvidence['stamps'] = [];
	visitLog(folder, ['timestamp'], ({ head }, index) => {
		const { proof: consistency } = prover.consistency(head.size, prover.head.size);
		stamps.push({ proof: prover.inclusion(index), consistency });
	});
	return { head: prover.head, commitments, stamps };
}
