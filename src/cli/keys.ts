/**
 * `touchmark keys`: create a key ring, add marks, commit their keys to a log, list and export them.
 *
 * @module
 */

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { openTokenizer } from '../corpus/open-tokenizer.js';
import { badInput } from '../errors.js';
import { embeddedTokenizer } from '../generate/embedded.js';
import { currentMarks, openEpoch, rotateKeys } from '../keys/epochs.js';
import { bindOpenedSalt, openSalt } from '../keys/fingerprint-salt.js';
import { createKeyring, type Keyring } from '../keys/keyring.js';
import { readArmRecords } from '../ledger/arm-records.js';
import { commitMarks } from '../ledger/commit-marks.js';
import { armId, openCoins } from '../marks/arm.js';
import { COMPATIBLE, type Compatible, cohortMark, defaultMarks, tracingMarks } from '../marks/defaults.js';
import type { GeneratorName } from '../marks/generators.js';
import { markId } from '../marks/mark-spec.js';
import { PURPOSES } from '../marks/purposes.js';
import { UNRELEASED } from '../marks/vllm-config.js';
import { writeWhole } from '../output.js';
import { type CommonOptions, type Edge, warn } from './edge.js';
import { addCompatible, exportMark, type Target } from './keys-export.js';
import { ringFromFlags } from './marks.js';
import { parseInteger } from './numbers.js';
import { passphraseSource } from './passphrase.js';

/** What `export` adds to a ring that has no mark for the target. */
const ADDED_BY_EXPORT: Readonly<Record<Target, Compatible | undefined>> = {
	vllm: 'vllm',
	hf: 'hf-synthid',
	spec: undefined,
};
const FOREIGN: Readonly<Record<Target, readonly GeneratorName[]>> = {
	vllm: ['philox4x32-10-v1', 'vllm-sbw-v1'],
	hf: ['transformers-kgw-v1', 'transformers-synthid-v1'],
	spec: [],
};

interface RingFlags extends CommonOptions {
	readonly keyring: string;
	readonly passphraseCommand?: string;
}

interface CreateFlags extends RingFlags {
	readonly deployment: string;
	readonly tokenizer?: string;
	readonly accountLayer?: boolean;
	readonly unsealed?: boolean;
}

interface AddFlags extends RingFlags {
	readonly for?: Compatible;
	readonly cohort?: string;
	readonly arm?: boolean;
	readonly deployment: string;
	readonly epoch: number;
	readonly width?: number;
	readonly vocabSize?: number;
}

/** A cohort's shape beside the deployment's current one. @throws TouchmarkError `bad-input` when there is none */
function addCohort(ring: Keyring, deployment: string, cohort: string): void {
	const shape = currentMarks(ring.marks).find(
		(spec) => spec.deployment === deployment && spec.layer === 'deployment' && spec.channel === 'shape',
	);
	if (shape === undefined)
		throw badInput(`--cohort: deployment "${deployment}" has no shape in this key ring`);
	const { commitment: _, ...template } = shape;
	ring.add(cohortMark(template, cohort));
}

/** Saves a ring; its file is readable by its owner only. */
export function saveRing(path: string, ring: Keyring): void {
	writeWhole(path, `${JSON.stringify(ring.toFile(), null, 1)}\n`, 0o600);
}

/** Adds the commands. */
export function addKeys(program: Command, edge: Edge): void {
	const keys = program.command('keys').description('key ring: create, add, commit, list, export');
	const ringCommand = (name: string, description: string) =>
		keys
			.command(name)
			.description(description)
			.requiredOption('--keyring <file>', 'the key ring')
			.option('--passphrase-command <command>', 'prints the passphrase of a sealed key ring');

	ringCommand('create', 'a new key ring with a shape and a choice mark for one deployment')
		.option('--deployment <name>', 'name of the deployment', 'default')
		.option('--tokenizer <path>', "tokenizer.json of the model to be marked (default: the embedded model's)")
		.option(
			'--account-layer',
			'mark accounts too: half of the keyed draws are turned by the codeword of the account that is served',
		)
		.option('--unsealed', 'no passphrase: the secret lies in the file in plain form (tests and trials only)')
		.action(async (flags: CreateFlags) => {
			if (existsSync(flags.keyring))
				throw badInput(`${flags.keyring}: exists already; key rings are never overwritten`);
			const tokenizer =
				flags.tokenizer === undefined ? embeddedTokenizer() : await openTokenizer(flags.tokenizer);
			const passphrase = passphraseSource(edge, flags.passphraseCommand);
			const ring = createKeyring(flags.unsealed ? { unsealed: true } : { passphrase: await passphrase() });
			const marks = flags.accountLayer ? tracingMarks : defaultMarks;
			for (const template of marks(flags.deployment, tokenizer.fingerprint)) ring.add(template);
			saveRing(flags.keyring, ring);
			if (flags.unsealed)
				warn(edge, flags, `${flags.keyring}: the secret is not sealed; use it for trials only`);
			report(ring, flags);
		});

	ringCommand('commit', 'log the commitment of every key that is in no log yet; do this before first use')
		.requiredOption('--log <folder>', 'the append-only log; begun if it is not there')
		.action(async (flags: RingFlags & { log: string }) => {
			const ring = await ringFromFlags(edge, flags);
			await commitMarks(flags.log, ring);
			saveRing(flags.keyring, ring);
			report(ring, flags);
		});

	ringCommand('list', 'the marks of a key ring').action(async (flags: RingFlags) => {
		report(await ringFromFlags(edge, flags), flags);
	});

	ringCommand(
		'add',
		"a cohort's mark, a mark that another system's own code embeds, or an arm for controlled exposure",
	)
		.option('--cohort <name>', "a shape of a cohort's own beside the deployment's, in its latest epoch")
		.option('--arm', 'the key of coins that choose between two answers; one for each deployment and epoch')
		.option('--deployment <name>', 'with --arm and --cohort: name of the deployment', 'default')
		.option(
			'--epoch <n>',
			'with --arm: the period that the key is used in',
			parseInteger('--epoch', 0, 1e9),
			0,
		)
		.option('--for <system>', `${COMPATIBLE.join(', ')}`, (value: string): Compatible => {
			if (!COMPATIBLE.includes(value as Compatible))
				throw badInput(`--for: must be one of ${COMPATIBLE.join(', ')}`);
			return value as Compatible;
		})
		.option('--width <n>', "ids of context (default: the system's own)", parseInteger('--width', 1, 16))
		.option(
			'--vocab-size <n>',
			"the model's vocabulary (hf-kgw, hf-selfhash)",
			parseInteger('--vocab-size', 2, 2 ** 21),
		)
		.action(async (flags: AddFlags) => {
			if ([flags.for, flags.cohort, flags.arm].filter((flag) => flag !== undefined).length !== 1)
				throw badInput('give one of --for, --cohort, --arm');
			const ring = await ringFromFlags(edge, flags);
			if (flags.cohort !== undefined) addCohort(ring, flags.deployment, flags.cohort);
			else if (flags.for === undefined) ring.addArm(flags.deployment, flags.epoch);
			else
				addCompatible(ring, flags.for, {
					...(flags.width === undefined ? {} : { contextWidth: flags.width }),
					...(flags.vocabSize === undefined ? {} : { vocabSize: flags.vocabSize }),
				});
			saveRing(flags.keyring, ring);
			report(ring, flags);
		});

	ringCommand(
		'rotate',
		'keys of the next epoch for every mark and arm of the latest; commit them before first use',
	).action(async (flags: RingFlags) => {
		const ring = await ringFromFlags(edge, flags);
		rotateKeys(ring);
		saveRing(flags.keyring, ring);
		report(ring, flags);
	});

	ringCommand('open', 'the keys of one epoch for an investigator, for `--spec`; they give no other key')
		.requiredOption('--epoch <n>', 'the epoch', parseInteger('--epoch', 0, 1e9))
		.requiredOption('--out <file>', 'where to write them, readable by its owner only')
		.action(async (flags: RingFlags & { epoch: number; out: string }) => {
			const opened = openEpoch(await ringFromFlags(edge, flags), flags.epoch);
			writeWhole(flags.out, `${JSON.stringify(opened, null, 1)}\n`, 0o600);
			const marks = opened.map(({ spec }) => markId(spec));
			edge.out(
				flags.json
					? `${JSON.stringify({ epoch: flags.epoch, marks, file: flags.out })}\n`
					: `${flags.out}: ${marks.length} marks of epoch ${flags.epoch}\n`,
			);
		});

	ringCommand(
		'open-salt',
		"the salt of one epoch's fingerprints, for `touchmark scan --served`; whoever has it can confirm guesses of that epoch's texts",
	)
		.requiredOption('--epoch <n>', 'the epoch', parseInteger('--epoch', 0, 1e9))
		.requiredOption('--out <file>', 'where to write it, readable by its owner only')
		.action(async (flags: RingFlags & { epoch: number; out: string }) => {
			const opened = openSalt(await ringFromFlags(edge, flags), flags.epoch);
			const { id } = bindOpenedSalt(opened, flags.out);
			writeWhole(flags.out, `${JSON.stringify(opened, null, 1)}\n`, 0o600);
			edge.out(
				flags.json
					? `${JSON.stringify({ epoch: flags.epoch, salt: id, file: flags.out })}\n`
					: `${flags.out}: salt ${id.slice(0, 16)} of epoch ${flags.epoch}\n`,
			);
		});

	ringCommand('open-coins', 'open the coins of a trial, and nothing else, for `touchmark exposure --coins`')
		.requiredOption('--records <path>', 'log of the trial, or a file of its records, one a line')
		.requiredOption('--out <file>', 'where to write them; scores should be recorded before')
		.action(async (flags: RingFlags & { records: string; out: string }) => {
			const ring = await ringFromFlags(edge, flags);
			const arms = new Map(ring.arms.map((spec) => [armId(spec), ring.bindArm(spec, 'verify')]));
			const records = new Map(readArmRecords(flags.records).map((record) => [record.receipt, record]));
			const coins = [...records.values()].flatMap((record) => {
				const arm = arms.get(record.arm);
				if (arm === undefined)
					throw badInput(`receipt "${record.receipt}": its arm is not in ${flags.keyring}`);
				return openCoins(arm, [record]);
			});
			writeWhole(flags.out, coins.map((coin) => `${JSON.stringify(coin)}\n`).join(''), 0o600);
			edge.out(
				flags.json ? `${JSON.stringify({ coins: coins.length })}\n` : `${coins.length} coins opened\n`,
			);
		});

	ringCommand('export', "a mark's key as another system's configuration, or opened for another verifier")
		.option('--vllm', 'for `vllm serve --watermark-config`')
		.option('--hf', "for transformers' WatermarkingConfig or SynthIDTextWatermarkingConfig")
		.option('--spec', 'the mark with its key, for `touchmark detect --spec`')
		.option('--mark <id>', 'which mark (default: the only one that the target can express)')
		.option('--out <file>', 'where to write it, readable by its owner only (default: touchmark-TARGET.json)')
		.option('--reveal', 'print the configuration, key included, on the screen')
		.action(
			async (
				flags: RingFlags & {
					vllm?: boolean;
					hf?: boolean;
					spec?: boolean;
					mark?: string;
					out?: string;
					reveal?: boolean;
				},
			) => {
				const targets = (['vllm', 'hf', 'spec'] as const).filter((target) => flags[target]);
				if (targets.length !== 1) throw badInput('give one of --vllm, --hf, --spec');
				const [target] = targets;
				const ring = await ringFromFlags(edge, flags);
				const kind = ADDED_BY_EXPORT[target];
				if (
					kind !== undefined &&
					flags.mark === undefined &&
					!ring.marks.some(({ prf }) => FOREIGN[target].includes(prf))
				) {
					// A new ring has our own marks only; the fleet's gets its key from the same ring.
					const added = addCompatible(ring, kind, {});
					saveRing(flags.keyring, ring);
					warn(edge, flags, `${flags.keyring}: mark ${markId(added).slice(0, 16)} was added for ${target}`);
				}
				const { spec, config, purposes } = exportMark(ring, target, flags.mark);
				const text = `${JSON.stringify(config, null, 1)}\n`;
				const out = flags.out ?? `touchmark-${target}.json`;
				if (flags.reveal) edge.out(text);
				else writeWhole(out, text, 0o600);
				const algorithm = String(config.algorithm);
				if (target === 'vllm' && UNRELEASED.has(algorithm))
					warn(edge, flags, `${algorithm} is in review upstream; vLLM 0.33 does not know it yet`);
				if (ring.logged(spec) === null)
					warn(
						edge,
						flags,
						`mark ${markId(spec).slice(0, 16)} is in no log yet; run \`touchmark keys commit\` before the first marked token`,
					);
				const summary = { mark: markId(spec), target, ...(flags.reveal ? {} : { file: out }), purposes };
				if (flags.json && !flags.reveal) edge.out(`${JSON.stringify(summary)}\n`);
				else if (!flags.json)
					(flags.reveal ? edge.err : edge.out)(
						`${flags.reveal ? '' : `${out}: mark ${markId(spec).slice(0, 16)} for ${target}\n`}${PURPOSES.map(
							(purpose) =>
								`  ${purpose}: ${purposes[purpose].served ? 'yes' : 'no'}, ${purposes[purpose].why}\n`,
						).join('')}`,
					);
			},
		);

	function report(ring: Keyring, flags: CommonOptions): void {
		for (const spec of ring.marks) {
			const row = { id: markId(spec), spec, logged: ring.logged(spec) };
			const { scheme, channel, contextWidth, layer, member, deployment, epoch } = spec;
			edge.out(
				flags.json
					? `${JSON.stringify(row)}\n`
					: `${row.id.slice(0, 16)}  ${channel.padEnd(6)}  ${scheme.name.padEnd(6)}  width ${contextWidth}  ${deployment}/${layer}${member === null ? '' : ` ${member}`} epoch ${epoch}  ` +
							`${row.logged === null ? 'not committed' : `committed ${row.logged.time}`}\n`,
			);
		}
		for (const spec of ring.arms) {
			const row = { id: armId(spec), spec, logged: ring.logged(spec) };
			edge.out(
				flags.json
					? `${JSON.stringify(row)}\n`
					: `${row.id.slice(0, 16)}  arm     ${spec.deployment} epoch ${spec.epoch}  ` +
							`${row.logged === null ? 'not committed' : `committed ${row.logged.time}`}\n`,
			);
		}
	}
}
