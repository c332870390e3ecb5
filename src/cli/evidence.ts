/**
 * `touchmark evidence`: seal what tests found, check it, show it.
 *
 * @module
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { badInput } from '../errors.js';
import { buildBundle, EvidencePlan } from '../evidence/build.js';
import { addSignature } from '../evidence/dsse.js';
import { renderEvidence } from '../evidence/evidence-report.js';
import { digestFile, proveRecord, RecordProof } from '../evidence/inputs.js';
import { Policy } from '../evidence/policy.js';
import { Trust } from '../evidence/trust.js';
import {
	bundleText,
	MAX_BUNDLE,
	readEnvelope,
	type Verification,
	type VerifyOptions,
	verifyBundle,
} from '../evidence/verify.js';
import { checked, parseJson } from '../input.js';
import { OpenedMark } from '../keys/opened-mark.js';
import { writeWhole } from '../output.js';
import { type CommonOptions, type Edge, EXIT } from './edge.js';
import { exhibitsOf } from './evidence-exhibits.js';
import { argumentsOf, runTest } from './evidence-run.js';
import { readText, ringFromFlags } from './marks.js';
import { parseInteger } from './numbers.js';
import { progressBar } from './progress.js';

interface SignFlags extends CommonOptions {
	readonly keyring: string;
	readonly passphraseCommand?: string;
	readonly out: string;
}

interface BuildFlags extends SignFlags {
	readonly key?: string;
	readonly log?: string;
}

interface VerifyFlags extends CommonOptions {
	readonly corpus?: string;
	readonly key?: string;
	readonly trust?: string;
	readonly policy?: string;
	readonly record?: string;
}

type ReportFlags = CommonOptions & Pick<VerifyFlags, 'corpus' | 'key' | 'trust'> & { readonly out: string };

/** Adds the commands. */
export function addEvidence(program: Command, edge: Edge, exit: (code: number) => void): void {
	const evidence = program
		.command('evidence')
		.description('bundles of evidence: build, sign, verify, report, show');

	evidence
		.command('build')
		.description('run the tests of a plan and seal what they print, signed')
		.argument('<plan>', 'JSON: title, suspects, and tests as commands of which files are named {"file"}')
		.requiredOption('--keyring <file>', 'key ring of who signs')
		.option('--passphrase-command <command>', 'prints the passphrase of a sealed key ring')
		.option(
			'--key <file>',
			'the opened keys (`touchmark keys open`), for tests of marks; they are not sealed',
		)
		.option('--log <folder>', 'log that holds their commitments')
		.requiredOption('--out <file>', 'where to write the bundle')
		.action(async (path: string, flags: BuildFlags) => {
			const plan = checked(EvidencePlan, parseJson(readText(path), path), path);
			const signer = await ringFromFlags(edge, flags);
			const keyFile = flags.key === undefined ? undefined : resolve(flags.key);
			let bar: ReturnType<typeof progressBar> | undefined;
			const envelope = await buildBundle({
				...{ plan, path, signer, keys: keysOf(flags.key) },
				...(flags.log === undefined ? {} : { log: flags.log }),
				run: ({ command, args }, inputs, folder) => runTest({ command, args, inputs }, folder, keyFile),
				progress(number, of) {
					bar ??= progressBar(edge, flags, 'tests', of);
					if (number > 1) bar.add(1);
				},
			}).finally(() => bar?.stop());
			const text = bundleText(envelope);
			writeWhole(flags.out, text);
			printVerification(await verifyBundle(Buffer.from(text)), flags);
		});

	evidence
		.command('sign')
		.description('add a signature to a bundle: of a provider, or of a laboratory that has checked it')
		.argument('<bundle>', 'the bundle')
		.requiredOption('--keyring <file>', 'key ring of who signs')
		.option('--passphrase-command <command>', 'prints the passphrase of a sealed key ring')
		.requiredOption('--out <file>', 'where to write the bundle')
		.action(async (path: string, flags: SignFlags) => {
			const envelope = readEnvelope(bytesOf(path), path);
			const text = bundleText(addSignature(envelope, await ringFromFlags(edge, flags)));
			const verification = await verifyBundle(Buffer.from(text));
			if (!verification.valid) return fail(verification, flags);
			writeWhole(flags.out, text);
			printVerification(verification, flags);
		});

	evidence
		.command('verify')
		.description('check a bundle, offline; with the files and the opened keys compute every number again')
		.argument('<bundle>', 'the bundle')
		.option('--corpus <folder>', 'folder of the files that were tested')
		.option('--key <file>', 'the opened keys')
		.option('--trust <file>', 'whose signatures, logs and time stamps are believed (`touchmark-trust`)')
		.option('--policy <file>', 'what is required of the evidence (`touchmark-policy`)')
		.option('--record <file>', 'a record that `show` printed: is it in a file that was tested?')
		.action(async (path: string, flags: VerifyFlags) => {
			const { corpus, key, trust, policy, record } = flags;
			const keyFile = key === undefined ? undefined : resolve(key);
			const verification = await verifyBundle(bytesOf(path), {
				...trustOf(trust),
				...(policy === undefined
					? {}
					: { policy: checked(Policy, parseJson(readText(policy), policy), policy) }),
				...(record === undefined
					? {}
					: { record: checked(RecordProof, parseJson(readText(record), record), record) }),
				...(key === undefined ? {} : { keys: keysOf(key) }),
				...(corpus === undefined
					? {}
					: {
							digestOf: digestBelow(corpus),
							rerun: ({ command, args }, { inputs }) => runTest({ command, args, inputs }, corpus, keyFile),
						}),
			});
			if (!verification.valid) return fail(verification, flags);
			printVerification(verification, flags);
		});

	evidence
		.command('report')
		.description('one HTML page that shows a bundle to people; only a valid bundle has one')
		.argument('<bundle>', 'the bundle')
		.option('--trust <file>', 'whose signatures, logs and time stamps are believed (`touchmark-trust`)')
		.option('--corpus <folder>', 'folder of the files that were tested: with the keys, examples are shown')
		.option('--key <file>', 'the opened keys; the page then says what they score on the passages shown')
		.requiredOption('--out <file>', 'where to write the page')
		.action(async (path: string, flags: ReportFlags) => {
			const { trust, corpus, key } = flags;
			const keys = keysOf(key);
			const verification = await verifyBundle(bytesOf(path), {
				...trustOf(trust),
				...(key === undefined ? {} : { keys }),
				...(corpus === undefined ? {} : { digestOf: digestBelow(corpus) }),
			});
			const { predicate, findings } = verification;
			if (!verification.valid || predicate === null) return fail(verification, flags);
			const commands = predicate.tests.map((test) =>
				['touchmark', ...argumentsOf({ ...test, inputs: predicate.inputs })].join(' '),
			);
			const exhibits =
				corpus === undefined || (key === undefined && predicate.marks.length > 0)
					? null
					: await exhibitsOf({ predicate, findings, corpus, keys });
			writeWhole(flags.out, renderEvidence(verification, predicate, commands, exhibits));
			edge.out(flags.json ? `${JSON.stringify({ file: flags.out })}\n` : `${flags.out}\n`);
		});

	evidence
		.command('show')
		.description('one record of a file that was tested, with the proof that it is in it')
		.argument('<file>', 'the file, below --corpus')
		.requiredOption('--corpus <folder>', 'folder of the files that were tested')
		.requiredOption(
			'--record <n>',
			'number of the record, counted from 0',
			parseInteger('--record', 0, 2 ** 40),
		)
		.action(async (name: string, flags: CommonOptions & { corpus: string; record: number }) => {
			const proof = await proveRecord(join(mustBeFolder(flags.corpus), name), name, flags.record);
			edge.out(`${JSON.stringify(proof)}\n`);
		});

	function printVerification({ valid, checks, signers, findings }: Verification, flags: CommonOptions): void {
		if (flags.json) {
			const rows = findings.map(({ tests: _, nulls: __, ...row }) => row);
			edge.out(`${JSON.stringify({ valid, checks, signers, findings: rows })}\n`);
			return;
		}
		const lines = checks.map(({ name, status, code, detail }) =>
			`${status.padEnd(13)}  ${name.padEnd(13)}  ${status === 'passed' ? '' : `${code}: `}${detail}`.trimEnd(),
		);
		const rows = findings.map(
			({ suspect, command, verdict, log10PCorrected, alternatives }) =>
				`${suspect}: ${verdict} (${command}, log10 p ${log10PCorrected.toFixed(1)} corrected for everything in the bundle)` +
				(alternatives.length > 0 ? `; cannot rule out: ${alternatives.join(', ')}` : ''),
		);
		edge.out(`${[valid ? 'valid' : 'NOT VALID', ...lines, ...rows].join('\n')}\n`);
	}

	function fail(verification: Verification, flags: CommonOptions): void {
		printVerification(verification, flags);
		exit(EXIT.failed);
	}
}

function bytesOf(path: string): Uint8Array {
	if (!existsSync(path) || !statSync(path).isFile())
		throw badInput(`${path}: cannot be read; give the file of a bundle`);
	if (statSync(path).size > MAX_BUNDLE)
		throw badInput(`${path}: is longer than ${MAX_BUNDLE} bytes; it is no bundle`);
	return readFileSync(path);
}

/** Digests of the files in a folder; null for one that is not there. */
function digestBelow(folder: string): NonNullable<VerifyOptions['digestOf']> {
	return async (name) => {
		const file = join(mustBeFolder(folder), name);
		return existsSync(file) && statSync(file).isFile() ? digestFile(file) : null;
	};
}

function mustBeFolder(path: string): string {
	if (!existsSync(path) || !statSync(path).isDirectory()) throw badInput(`${path}: is not a folder`);
	return path;
}

function trustOf(path: string | undefined): { trust?: Trust } {
	return path === undefined ? {} : { trust: checked(Trust, parseJson(readText(path), path), path) };
}

/** Opened keys: one mark, or a list. */
function keysOf(path: string | undefined): OpenedMark[] {
	if (path === undefined) return [];
	const file = parseJson(readText(path), path);
	return (Array.isArray(file) ? file : [file]).map((one) => checked(OpenedMark, one, path));
}
