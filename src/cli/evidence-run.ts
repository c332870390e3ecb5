/**
 * Runs a test of a bundle as its own process in the folder of its files: the very command that anybody can run.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TouchmarkError } from '../errors.js';
import { type Argument, TEST_COMMANDS, type TestCommandName } from '../evidence/commands.js';
import { parseJson } from '../input.js';

/** A test, and the files that its arguments number. */
export interface TestRun {
	readonly command: TestCommandName;
	readonly args: readonly Argument[];
	readonly inputs: readonly { readonly name: string }[];
}

/** What a test prints of itself, and would print otherwise the next time. */
const VOLATILE = new Set(['seconds', 'peakRssBytes']);
/** Longest output, bytes. */
const MOST = 2 ** 28;

/** The arguments as they are typed; a file is one wherever it stands, whatever else its name could mean. */
export function argumentsOf({ command, args, inputs }: TestRun): string[] {
	const texts = args.map((one) =>
		typeof one === 'string' ? one : `${one.prefix ?? ''}./${inputs[one.input].name}`,
	);
	return [command, ...texts];
}

/**
 * Runs it.
 *
 * @param folder of the files
 * @param keys file of the opened keys, an absolute path; for tests that take keys
 * @returns what it prints, a value a line
 * @throws TouchmarkError `failed` with its own sentence
 */
export async function runTest(
	test: TestRun,
	folder: string,
	keys: string | undefined,
): Promise<Record<string, unknown>[]> {
	const keyed = TEST_COMMANDS[test.command].keyed && keys !== undefined ? ['--spec', keys] : [];
	const main = fileURLToPath(new URL('./main.js', import.meta.url));
	const args = [main, ...argumentsOf(test), ...keyed, '--json', '--quiet'];
	const printed = await new Promise<string>((resolve, reject) => {
		execFile(process.execPath, args, { cwd: folder, maxBuffer: MOST }, (error, stdout, stderr) => {
			if (error === null) resolve(stdout);
			else
				reject(
					new TouchmarkError('failed', stderr.trim().replace(/^error: /, '') || 'did not end', {
						cause: error,
					}),
				);
		});
	});
	return printed
		.trimEnd()
		.split('\n')
		.map((line, i) => {
			const value = parseJson(line, `${test.command}: line ${i + 1} of its output`) as object;
			return Object.fromEntries(Object.entries(value).filter(([name]) => !VOLATILE.has(name)));
		});
}
