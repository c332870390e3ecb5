/**
 * Which commands evidence may hold. A stranger's bundle says what is run to recompute it, so nothing is run but tests,
 * with flags that read what the bundle names and write nothing.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';

/**
 * What follows a flag: nothing, one text or several, or files that the evidence holds digests of: one, several, or several that
 * may have a name before them.
 */
type Kind = 'nothing' | 'text' | 'texts' | 'file' | 'files' | 'named-files';

interface TestCommand {
	/** Whether files are given without a flag; they come first. */
	readonly files: boolean;
	/** Whether it takes the opened keys. */
	readonly keyed: boolean;
	readonly flags: Readonly<Record<string, Kind>>;
}

const TEXTS = { '--text-field': 'text', '--prompt-field': 'text', '--level': 'text' } as const;

/** The tests of the command line whose results evidence can hold. */
export const TEST_COMMANDS = {
	detect: {
		files: true,
		keyed: true,
		flags: {
			...TEXTS,
			'--tokens': 'nothing',
			'--edited': 'nothing',
			'--entropy-field': 'text',
			'--entropy-weighting': 'text',
			'--tokenizer': 'file',
		},
	},
	radioactivity: {
		files: false,
		keyed: true,
		flags: {
			...TEXTS,
			'--suspect': 'named-files',
			'--control': 'named-files',
			'--mode': 'text',
			'--reference': 'files',
			'--traffic': 'file',
			'--probe': 'files',
			'--held-out-keys': 'text',
			'--weights-digest': 'texts',
			'--hypotheses': 'text',
			'--fdr': 'text',
			'--control-cohort': 'texts',
			'--tokenizer': 'file',
		},
	},
	exposure: {
		files: false,
		keyed: false,
		flags: {
			'--level': 'text',
			'--pairs': 'files',
			'--coins': 'file',
			'--scores': 'file',
			'--suspect': 'files',
			'--access': 'text',
			'--reference': 'files',
			'--per': 'text',
			'--clip': 'text',
			'--similarity': 'text',
			'--served-elsewhere': 'files',
			'--control-account': 'texts',
			'--control-model': 'files',
			'--retrospective': 'nothing',
			'--rule': 'text',
			'--scores-digest': 'text',
			'--hypotheses': 'text',
			'--fdr': 'text',
		},
	},
	scan: {
		files: true,
		keyed: true,
		flags: {
			...TEXTS,
			'--tokens': 'nothing',
			'--fdr': 'text',
			'--held-out-keys': 'text',
			'--count-memory': 'text',
			'--strict': 'nothing',
			'--exact': 'nothing',
			'--background': 'files',
			'--served-sample': 'files',
			'--tokenizer': 'file',
		},
	},
	trace: {
		files: true,
		keyed: true,
		flags: {
			...TEXTS,
			'--tokens': 'nothing',
			'--accounts': 'file',
			'--fdr': 'text',
			'--gate': 'text',
			'--strict': 'nothing',
			'--tokenizer': 'file',
		},
	},
} as const satisfies Record<string, TestCommand>;
export type TestCommandName = keyof typeof TEST_COMMANDS;

/** A name before a file: nothing that could be a flag, or a path. */
const PREFIX = /^[^-=/\\\p{Cc}][^=/\\\p{Cc}]*=$/u;

/** An argument: a text, or an input of the evidence, maybe with a name before it (`NAME=`). */
export const Argument = z.union([
	z.string().max(1024),
	z.strictObject({ input: z.int().min(0), prefix: z.string().max(256).optional() }),
]);
export type Argument = z.infer<typeof Argument>;

/** A file among arguments, in a plan or in the evidence. */
interface GivenFile {
	readonly prefix?: string | undefined;
}

/**
 * Whether a command may be run with these arguments.
 *
 * @throws TouchmarkError `bad-input` that names the first that may not be there
 */
export function checkArguments(
	name: TestCommandName,
	args: readonly (string | GivenFile)[],
	where: string,
): void {
	const { files, flags }: TestCommand = TEST_COMMANDS[name];
	const isFile = (argument: string | GivenFile) => typeof argument !== 'string';
	const prefixOf = (argument: string | GivenFile) =>
		typeof argument === 'string' ? undefined : argument.prefix;
	const given = new Set<string>();
	let i = 0;
	while (files && i < args.length && isFile(args[i]) && prefixOf(args[i]) === undefined) i++;
	while (i < args.length) {
		const flag = args[i++];
		if (typeof flag !== 'string' || !Object.hasOwn(flags, flag))
			throw badInput(
				`${where}: ${typeof flag === 'string' ? `"${flag.slice(0, 60)}"` : 'a file'} has no place in a test of ${name}`,
			);
		// A command takes the first of two, the last, or both, as the flag has it; who reads the evidence cannot tell.
		if (given.has(flag)) throw badInput(`${where}: ${flag} is given twice; give its values together`);
		given.add(flag);
		const kind = flags[flag];
		if (kind === 'nothing') continue;
		const wantsFiles = kind === 'file' || kind === 'files' || kind === 'named-files';
		const most = kind === 'text' || kind === 'file' ? 1 : Infinity;
		const first = i;
		while (i < args.length && i - first < most && isFile(args[i]) === wantsFiles && !isFlag(args[i])) {
			const prefix = prefixOf(args[i++]);
			if (prefix !== undefined && !(kind === 'named-files' && PREFIX.test(prefix)))
				throw badInput(
					`${where}: ${flag} has a file with "${prefix.slice(0, 60)}" before it, which has no place there`,
				);
		}
		if (i === first)
			throw badInput(`${where}: ${flag} needs ${wantsFiles ? 'a file that the evidence names' : 'a value'}`);
	}
}

function isFlag(argument: string | GivenFile): boolean {
	return typeof argument === 'string' && argument.startsWith('-');
}

/** The values of a flag, where it is given; of `null`, what comes before all flags. */
export function valuesOf(args: readonly string[], flag: string | null): string[] {
	const from = flag === null ? 0 : args.indexOf(flag) + 1;
	if (flag !== null && from === 0) return [];
	const end = args.findIndex((one, i) => i >= from && isFlag(one));
	return args.slice(from, end < 0 ? undefined : end);
}
