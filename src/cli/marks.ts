/**
 * The marks and the tokenizer that a command works with, from its flags.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { loadTokenizer, type Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { embeddedTokenizer } from '../generate/embedded.js';
import { checked, parseJson } from '../input.js';
import { type Keyring, openKeyring } from '../keys/keyring.js';
import type { Mark } from '../marks/mark.js';
import { VLLM_KEY_BITS, VllmConfig, vllmMark } from '../marks/vllm-config.js';
import { PRFS } from '../prf/prf.js';
import { type CommonOptions, type Edge, warn } from './edge.js';
import { passphraseSource } from './passphrase.js';

/** Flags that name marks. */
export interface MarkFlags extends CommonOptions {
	readonly keyring?: string;
	readonly passphraseCommand?: string;
	readonly vllmConfig?: string;
	readonly tokenizer?: string;
}

/** Adds them to a command. */
export function withMarkFlags(command: Command): Command {
	return command
		.option('--keyring <file>', 'key ring that holds the marks')
		.option('--passphrase-command <command>', 'prints the passphrase of a sealed key ring')
		.option('--vllm-config <json>', "vLLM's --watermark-config, as JSON or a file that holds it")
		.option('--tokenizer <path>', 'tokenizer.json of the marked model, or its folder');
}

/** Marks with what a verdict must know about their keys. */
export interface ChosenMarks {
	readonly marks: readonly [Mark, ...Mark[]];
	/** Bits of key space to pay for: 0 when every key was committed to a log. */
	readonly searchBits: number;
	/** Present when the marks are vLLM's: its own numbers are then reported too. */
	readonly vllm?: VllmConfig;
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
export async function ringFromFlags(edge: Edge, flags: MarkFlags): Promise<Keyring> {
	const path = flags.keyring;
	if (path === undefined) throw badInput('give --keyring FILE');
	const file = parseJson(readText(path), path);
	return openKeyring(file, passphraseSource(edge, flags.passphraseCommand), path);
}

/** The marks to verify. @throws TouchmarkError `bad-input` unless exactly one source is given */
export async function marksFromFlags(edge: Edge, flags: MarkFlags): Promise<ChosenMarks> {
	if ((flags.keyring === undefined) === (flags.vllmConfig === undefined))
		throw badInput('say which mark to look for: give either --keyring FILE or --vllm-config JSON');
	const chosen =
		flags.vllmConfig === undefined ? await marksOfRing(edge, flags) : marksOfVllm(flags.vllmConfig);
	for (const name of new Set(chosen.marks.map((mark) => mark.spec.prf)))
		if (!PRFS[name].hardened)
			warn(
				edge,
				flags,
				`${name} is supported for compatibility only: it does not protect against forgery or key recovery`,
			);
	if (chosen.searchBits > 0)
		warn(
			edge,
			flags,
			`the key was not committed beforehand; verdicts pay for a search over ${chosen.searchBits} bits of keys`,
		);
	return chosen;
}

async function marksOfRing(edge: Edge, flags: MarkFlags): Promise<ChosenMarks> {
	const ring = await ringFromFlags(edge, flags);
	const [first, ...rest] = ring.marks.map((spec) => ring.bind(spec, 'verify'));
	if (first === undefined)
		throw badInput(`${flags.keyring}: holds no marks; create one with \`touchmark keys create\``);
	const uncommitted = ring.marks.filter((spec) => ring.logged(spec) === null);
	const searchBits = Math.max(0, ...uncommitted.map((spec) => 8 * PRFS[spec.prf].keyBytes));
	return { marks: [first, ...rest], searchBits };
}

function marksOfVllm(flag: string): ChosenMarks {
	const inline = flag.trimStart().startsWith('{');
	if (!inline && !existsSync(flag)) throw badInput('--vllm-config: is neither JSON nor a file that exists');
	const where = inline ? '--vllm-config' : flag;
	const vllm = checked(VllmConfig, parseJson(inline ? flag : readText(flag), where), where);
	return { marks: [vllmMark(vllm)], searchBits: VLLM_KEY_BITS, vllm };
}

/**
 * The tokenizer for these marks: the one that `--tokenizer` names, or the embedded one if the marks are its.
 *
 * @throws TouchmarkError `bad-input` when marks and tokenizer do not belong together
 */
export function tokenizerFor(marks: readonly Mark[], flags: MarkFlags): Tokenizer {
	const wanted = new Set(marks.map((mark) => mark.spec.tokenizer));
	const tokenizer = flags.tokenizer === undefined ? embeddedTokenizer() : loadTokenizer(flags.tokenizer);
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
