/**
 * `touchmark manifest`: signs texts, and checks who signed them. Checking needs no key of a mark, so anybody can.
 *
 * @module
 */
import type { Command } from 'commander';
import { DEFAULT_FIELDS, readTextDocuments } from '../corpus/documents.js';
import { badInput } from '../errors.js';
import { signDigest } from '../evidence/text-manifest.js';
import { currentMarks } from '../keys/epochs.js';
import { writeWhole } from '../output.js';
import { type CommonOptions, type Edge, EXIT } from './edge.js';
import { describeFinding, digestOf, readManifests, type TrustFlags } from './manifests.js';
import { ringFromFlags } from './marks.js';

interface SignFlags extends CommonOptions {
	readonly keyring: string;
	readonly passphraseCommand?: string;
	readonly generator: string;
	readonly deployment?: string;
	readonly textField: string;
	readonly out: string;
}

interface VerifyFlags extends TrustFlags {
	readonly manifest: readonly string[];
	readonly textField: string;
}

/** Adds the commands. */
export function addManifest(program: Command, edge: Edge, exit: (code: number) => void): void {
	const manifest = program
		.command('manifest')
		.description('signed statements that texts were made by a model: sign, verify');

	manifest
		.command('sign')
		.description('a manifest for each text: one JSON object a line')
		.argument('<files...>', 'text files, or JSONL with a text field')
		.requiredOption('--keyring <file>', 'key ring that signs')
		.option('--passphrase-command <command>', 'prints the passphrase of a sealed key ring')
		.requiredOption('--generator <name>', 'what made the texts: a model or service')
		.option('--deployment <name>', 'states that the current marks of this deployment are in the texts')
		.option('--text-field <name>', 'field of a JSONL record that holds the text', 'text')
		.requiredOption('--out <file>', 'where to write the manifests')
		.action(async (files: string[], flags: SignFlags) => {
			const ring = await ringFromFlags(edge, flags);
			const { generator, deployment } = flags;
			const marks = currentMarks(ring.marks).filter((spec) => spec.deployment === deployment);
			if (deployment !== undefined && marks.length === 0)
				throw badInput(`--deployment: ${flags.keyring} has no mark of "${deployment}"`);
			const time = new Date().toISOString();
			const facts = { generator, ...(deployment === undefined ? {} : { deployment }), time, marks };
			const lines: string[] = [];
			for (const path of files)
				for await (const { id, text } of readTextDocuments(path, {
					...DEFAULT_FIELDS,
					text: flags.textField,
				})) {
					const digest = await digestOf({ path, text });
					if (digest === null) throw badInput(`${path}: text "${id}" has lone surrogates; it has no UTF-8`);
					lines.push(signDigest(digest, { ...facts, name: id }, ring));
				}
			writeWhole(flags.out, lines.map((line) => `${line}\n`).join(''));
			const summary = {
				manifests: lines.length,
				file: flags.out,
				publicKey: Buffer.from(ring.publicKey).toString('hex'),
			};
			edge.out(
				flags.json
					? `${JSON.stringify(summary)}\n`
					: `${flags.out}: ${lines.length} manifests signed by ${summary.publicKey}\n`,
			);
		});

	manifest
		.command('verify')
		.description('are these texts signed, by whom, and as what? One result a text; 1 when one is not')
		.argument('<files...>', 'text files, or JSONL with a text field')
		.requiredOption('--manifest <files...>', 'manifests, one a line')
		.option('--trust <file>', 'whose signatures are believed (`touchmark-trust`)')
		.option('--keyring <file>', 'key ring whose signatures are believed; it is not opened')
		.option('--text-field <name>', 'field of a JSONL record that holds the text', 'text')
		.action(async (files: string[], flags: VerifyFlags) => {
			const manifests = await readManifests(edge, flags, files);
			let valid = true;
			for (const path of files)
				for await (const { id, text } of readTextDocuments(path, {
					...DEFAULT_FIELDS,
					text: flags.textField,
				})) {
					const found = await manifests.of(id, { path, text });
					valid &&= found.status === 'valid';
					edge.out(
						flags.json
							? `${JSON.stringify({ id, manifest: found })}\n`
							: `${id}: ${describeFinding(found)}\n`,
					);
				}
			if (!valid) exit(EXIT.failed);
		});
}
