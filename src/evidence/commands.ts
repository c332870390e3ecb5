/**
 * Which commands evidence may hold. A stranger's bundle says what is run to recompute it, so nothing is run but tests,
 * with flags that read what the bundle names and write nothing.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';

/** What follows a flag: nothing, a text, or files that the evidence holds digests of. */
type Kind = 'nothing' | 'text' | 'files';

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
			'--tokenizer': 'files',
		},
	},
	radioactivity: {
		files: false,
		keyed: true,
		flags: {
			...TEXTS,
			'--suspect': 'files',
			'--control': 'files',
			'--mode': 'text',
			'--reference': 'files',
			'--traffic': 'files',
			'--probe': 'files',
			'--held-out-keys': 'text',
			'--weights-digest': 'text',
			'--hypotheses': 'text',
			'--fdr': 'text',
			'--control-cohort': 'text',
			'--tokenizer': 'files',
		},
	},
	exposure: {
		files: false,
		keyed: false,
		flags: {
			'--level': 'text',
			'--pairs': 'files',
			'--coins': 'files',
			'--scores': 'files',
			'--suspect': 'files',
			'--access': 'text',
			'--reference': 'files',
			'--per': 'text',
			'--clip': 'text',
			'--similarity': 'text',
			'--served-elsewhere': 'files',
			'--control-account': 'text',
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
			'--tokenizer': 'files',
		},
	},
	trace: {
		files: true,
		keyed: true,
		flags: {
			...TEXTS,
			'--tokens': 'nothing',
			'--accounts': 'files',
			'--fdr': 'text',
			'--gate': 'text',
			'--tokenizer': 'files',
		},
	},
} as const satisfies Record<string, TestCommand>;
export type TestCommandName = keyof typeof TEST_COMMANDS;

/** An argument: a text, or an input of the evidence, maybe with a name before it (`NAME=`). */
export const Argument = z.union([
	z.string().max(1024),
	z.strictObject({ input: z.int().min(0), prefix: z.string().max(256).optional() }),
]);
export type Argument = z.infer<typeof Argument>;

/**
 * Whether a command may be run with these arguments.
 *
 * @throws TouchmarkError `bad-input` that names the first that may not be there
 */
export function checkArguments(
	name: TestCommandName,
	args: readonly (string | object)[],
	where: string,
): void {
	const { files, flags }: TestCommand = TEST_COMMANDS[name];
	const isFile = (argument: string | object) => typeof argument !== 'string';
	let i = 0;
	while (files && i < args.length && isFile(args[i])) i++;
	while (i < args.length) {
		const flag = args[i++];
		if (typeof flag !== 'string' || !Object.hasOwn(flags, flag))
			throw badInput(
				`${where}: ${typeof flag === 'string' ? `"${flag.slice(0, 60)}"` : 'a file'} has no place in a test of ${name}`,
			);
		const kind = flags[flag];
		if (kind === 'nothing') continue;
		const first = i;
		while (i < args.length && isFile(args[i]) === (kind === 'files') && !isFlag(args[i])) i++;
		if (i === first)
			throw badInput(
				`${where}: ${flag} needs ${kind === 'files' ? 'a file that the evidence names' : 'a value'}`,
			);
	}
}

function isFlag(argument: string | object): boolean {
	return typeof argument === 'string' && argument.startsWith('-');
}

/** The values of a flag, where it is given; of `null`, what comes before all flags. */
export function valuesOf(args: readonly string[], flag: string | null): string[] {
	const from = flag === null ? 0 : args.indexOf(flag) + 1;
	if (flag !== null && from === 0) return [];
	const end = args.findIndex((one, i) => i >= from && isFlag(one));
	return args.slice(from, end < 0 ? undefined : end);
}
