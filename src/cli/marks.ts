/**
 * The marks and the tokenizer that a command works with, from its flags.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { z } from 'zod';
import { openTokenizer } from '../corpus/open-tokenizer.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { embeddedTokenizer } from '../generate/embedded.js';
import { checked, parseJson } from '../input.js';
import { type Keyring, openKeyring } from '../keys/keyring.js';
import { bindOpenedMark, type OpenedMark } from '../keys/opened-mark.js';
import { generatorOf } from '../marks/generators.js';
import { HfConfig, hfMark } from '../marks/hf-config.js';
import type { Mark } from '../marks/mark.js';
import type { MarkSpec } from '../marks/mark-spec.js';
import { VllmConfig, vllmMark } from '../marks/vllm-config.js';
import type { MarkSource } from '../scan/plan.js';
import { upstreamHf, upstreamVllm } from '../verify/upstream.js';
import { type CommonOptions, type Edge, warn } from './edge.js';
import { passphraseSource } from './passphrase.js';

/** Flags that name marks. */
export interface MarkFlags extends CommonOptions {
	readonly keyring?: string;
	readonly passphraseCommand?: string;
	readonly spec?: string;
	readonly vllmConfig?: string;
	readonly hfConfig?: string;
	readonly tokenizer?: string;
}

/** Adds them to a command. */
export function withMarkFlags(command: Command): Command {
	return withKeyFlags(command).option(
		'--tokenizer <path>',
		'tokenizer.json of the marked model, its folder, or tiktoken:NAME',
	);
}

/** Adds those that name marks and their keys. */
export function withKeyFlags(command: Command): Command {
	return command
		.option('--keyring <file>', 'key ring that holds the marks')
		.option('--passphrase-command <command>', 'prints the passphrase of a sealed key ring')
		.option(
			'--spec <file>',
			'an opened mark (`touchmark keys export --spec`), or an opened epoch (`touchmark keys open`)',
		)
		.option('--vllm-config <json>', "vLLM's --watermark-config, as JSON or a file that holds it")
		.option(
			'--hf-config <json>',
			"transformers' watermarking configuration, as JSON or a file that holds it; green lists need vocab_size",
		);
}

/** Marks with what a verdict must know about their keys. */
export interface ChosenMarks {
	readonly marks: readonly [Mark, ...Mark[]];
	/** Bits of key space to pay for: 0 for keys that were committed to a log. */
	readonly searchBits: (mark: Mark) => number;
	/** The marks with their keys as plain data, in the same order. Secrets. */
	readonly sources: readonly MarkSource[];
	/** Present when the configuration is another system's: what its own detector says of the tokens. */
	readonly upstream?: (tokens: ArrayLike<number>) => object;
}

/** Reads a file as text. @throws TouchmarkError `bad-input` */
export function readText(path: string): string {
	try {
		return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
	} catch (error) {
		const reason = error instanceof TypeError ? 'is not valid UTF-8' : `cannot be read (${codeOf(error)})`;
		throw badInput(`${path}: ${reason}`, error);
	}
}

function codeOf(error: unknown): string {
	return error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
}

/** Opens the ring that the flags name. */
export async function ringFromFlags(
	edge: Edge,
	flags: Pick<MarkFlags, 'keyring' | 'passphraseCommand'>,
): Promise<Keyring> {
	const path = flags.keyring;
	if (path === undefined) throw badInput('give --keyring FILE');
	const file = parseJson(readText(path), path);
	return openKeyring(file, passphraseSource(edge, flags.passphraseCommand), path);
}

/** All layers that a mark can be of. */
export const LAYERS = ['deployment', 'cohort', 'account'] as const satisfies readonly MarkSpec['layer'][];
/** Those whose marks have a score by themselves; an account's draws have none without its codeword (see `trace`). */
export const SCORED_LAYERS = ['deployment', 'cohort'] as const satisfies readonly MarkSpec['layer'][];

/**
 * The marks to verify.
 *
 * @param layers of a ring or an opened file, the marks of these; an account's has no statistic without its codeword
 * @throws TouchmarkError `bad-input` unless exactly one source is given
 */
export async function marksFromFlags(
	edge: Edge,
	flags: MarkFlags,
	layers: readonly MarkSpec['layer'][] = ['deployment'],
): Promise<ChosenMarks> {
	const { keyring, spec, vllmConfig, hfConfig } = flags;
	if ([keyring, spec, vllmConfig, hfConfig].filter((flag) => flag !== undefined).length !== 1)
		throw badInput(
			'say which mark to look for: give one of --keyring FILE, --spec FILE, --vllm-config JSON, --hf-config JSON',
		);
	const chosen =
		keyring !== undefined
			? await marksOfRing(edge, flags, layers)
			: spec !== undefined
				? marksOfSpec(spec, layers)
				: vllmConfig !== undefined
					? marksOfVllm(vllmConfig)
					: marksOfHf(hfConfig ?? '');
	for (const name of new Set(chosen.marks.map((mark) => mark.spec.prf)))
		if (!generatorOf(name).hardened)
			warn(
				edge,
				flags,
				`${name} is supported for compatibility only: it does not protect against forgery or key recovery`,
			);
	const paid = chosen.marks.map(chosen.searchBits).filter((bits) => bits > 0);
	if (paid.length > 0)
		warn(
			edge,
			flags,
			`${paid.length === chosen.marks.length ? 'the key' : `${paid.length} of ${chosen.marks.length} keys`} was not committed beforehand; verdicts pay for a search over ${Math.max(...paid)} bits of keys`,
		);
	return chosen;
}

async function marksOfRing(
	edge: Edge,
	flags: MarkFlags,
	layers: readonly MarkSpec['layer'][],
): Promise<ChosenMarks> {
	const ring = await ringFromFlags(edge, flags);
	const specs = ring.marks.filter(({ layer }) => layers.includes(layer));
	const [first, ...rest] = specs.map((spec) => ring.bind(spec, 'verify'));
	if (first === undefined)
		throw badInput(`${flags.keyring}: holds no marks; create one with \`touchmark keys create\``);
	const searchBits = ({ spec }: Mark) =>
		ring.logged(spec) === null ? generatorOf(spec.prf).searchBits(spec.scheme) : 0;
	const sources = specs.map((spec): MarkSource => ({ kind: 'opened', opened: ring.open(spec) }));
	return { marks: [first, ...rest], searchBits, sources };
}

/** One opened mark (`keys export --spec`), or a list of them (`keys open`). */
function marksOfSpec(path: string, layers: readonly MarkSpec['layer'][]): ChosenMarks {
	const file = parseJson(readText(path), path);
	const opened = (Array.isArray(file) ? file : [file])
		.map((one: unknown, i) => ({
			...bindOpenedMark(one, Array.isArray(file) ? `${path}: mark ${i + 1}` : path),
			source: { kind: 'opened', opened: one as OpenedMark } as const,
		}))
		.filter(({ mark }) => layers.includes(mark.spec.layer));
	const bits = new Map(opened.map(({ mark, searchBits }) => [mark, searchBits]));
	const [first, ...rest] = bits.keys();
	if (first === undefined) throw badInput(`${path}: holds no mark of the ${layers.join(' or ')} layer`);
	return {
		marks: [first, ...rest],
		searchBits: (mark) => bits.get(mark) ?? 0,
		sources: opened.map(({ source }) => source),
	};
}

/** The value of a flag that is JSON, or a file that holds it. */
function configOf<T extends z.ZodType>(schema: T, name: string, flag: string): z.output<T> {
	const inline = flag.trimStart().startsWith('{');
	if (!inline && !existsSync(flag)) throw badInput(`${name}: is neither JSON nor a file that exists`);
	const where = inline ? name : flag;
	return checked(schema, parseJson(inline ? flag : readText(flag), where), where);
}

function marksOfVllm(flag: string): ChosenMarks {
	const config = configOf(VllmConfig, '--vllm-config', flag);
	// The key is a 64-bit number whatever PRF it is given to.
	return {
		marks: [vllmMark(config)],
		searchBits: () => 64,
		sources: [{ kind: 'vllm', config }],
		upstream: (tokens) => upstreamVllm(tokens, config),
	};
}

function marksOfHf(flag: string): ChosenMarks {
	const config = configOf(HfConfig, '--hf-config', flag);
	const mark = hfMark(config);
	return {
		marks: [mark],
		sources: [{ kind: 'hf', config }],
		searchBits: ({ spec }) => generatorOf(spec.prf).searchBits(spec.scheme),
		upstream: (tokens) => upstreamHf(tokens, config),
	};
}

/**
 * The tokenizer for these marks: the one that `--tokenizer` names, or the embedded one if the marks are its.
 *
 * @throws TouchmarkError `bad-input` when marks and tokenizer do not belong together
 */
export async function tokenizerFor(marks: readonly Mark[], flags: MarkFlags): Promise<Tokenizer> {
	const wanted = new Set(marks.map((mark) => mark.spec.tokenizer));
	const tokenizer =
		flags.tokenizer === undefined ? embeddedTokenizer() : await openTokenizer(flags.tokenizer);
	const other = [...wanted].find((fingerprint) => fingerprint !== tokenizer.fingerprint);
	if (other === undefined || (other === null && flags.tokenizer !== undefined)) return tokenizer;
	if (flags.tokenizer === undefined)
		throw badInput(
			'give --tokenizer PATH: the tokenizer.json of the marked model (or --tokens with token ids)',
		);
	throw badInput(
		`${flags.tokenizer}: has fingerprint ${tokenizer.fingerprint.slice(0, 16)}…, but the mark was made for ${other?.slice(0, 16)}…`,
	);
}
