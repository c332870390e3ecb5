/**
 * Runs one command: arguments in, exit code out.
 *
 * @module
 */
import { Command, CommanderError } from 'commander';
import { TouchmarkError } from '../errors.js';
import { VERSION } from '../version.js';
import { type Edge, EXIT } from './edge.js';

/** Adds a command. @param exit sets the exit code of a command that ends well */
type AddCommand = (program: Command, edge: Edge, exit: (code: number) => void) => void;

/** Commands in the order of the help. A command loads what it needs and no other's: to start takes most of a short one's time. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
	demo: async () => (await import('./demo.js')).addDemo,
	keys: async () => (await import('./keys.js')).addKeys,
	accounts: async () => (await import('./accounts.js')).addAccounts,
	log: async () => (await import('./log.js')).addLog,
	generate: async () => (await import('./generate.js')).addGenerate,
	detect: async () => (await import('./detect.js')).addDetect,
	manifest: async () => (await import('./manifest.js')).addManifest,
	collect: async () => (await import('./collect.js')).addCollect,
	transcript: async () => (await import('./transcript.js')).addTranscript,
	radioactivity: async () => (await import('./radioactivity.js')).addRadioactivity,
	exposure: async () => (await import('./exposure.js')).addExposure,
	trace: async () => (await import('./trace.js')).addTrace,
	serve: async () => (await import('./serve.js')).addServe,
	'api-keys': async () => (await import('./api-keys.js')).addApiKeys,
	scan: async () => (await import('./scan.js')).addScan,
	'scan-worker': async () => (await import('./scan-worker.js')).addScanWorker,
	'scan-merge': async () => (await import('./scan-merge.js')).addScanMerge,
	bench: async () => (await import('./bench.js')).addBench,
	networks: async () => (await import('./networks.js')).addNetworks,
	evidence: async () => (await import('./evidence.js')).addEvidence,
	power: async () => (await import('./power.js')).addPower,
};

/**
 * @param args without node and script
 * @returns the exit code: 0 ran (whatever the verdict), 1 the operation failed, 2 bad usage or bad input,
 *   3 a positive verdict under --fail-on-detect
 */
export async function run(args: readonly string[], edge: Edge): Promise<number> {
	let code: number = EXIT.ran;
	const exit = (wanted: number) => {
		code = wanted;
	};
	const program = new Command('touchmark')
		.description(
			"Put detectable marks into a language model's outputs, and prove whether another model was trained on them.",
		)
		.version(VERSION)
		.addHelpText(
			'after',
			'\nExit codes: 0 ran (whatever the verdict), 1 the operation failed, 2 bad usage or bad input,\n3 a positive verdict under --fail-on-detect.',
		);
	const name = args.find((one) => !one.startsWith('-'));
	const wanted = name !== undefined && Object.hasOwn(COMMANDS, name) ? [name] : Object.keys(COMMANDS);
	for (const add of await Promise.all(wanted.map((one) => COMMANDS[one]()))) add(program, edge, exit);
	for (const command of allCommands(program)) {
		command.exitOverride().configureOutput({
			writeOut: edge.out,
			writeErr: () => undefined,
		});
		if (command.commands.length === 0)
			command
				.option('--json', 'print results as JSON')
				.option('--quiet', 'no progress and no warnings')
				.option('--debug', 'print the stack of an error');
	}
	try {
		await program.parseAsync([...args], { from: 'user' });
		return code;
	} catch (error) {
		if (error instanceof CommanderError) {
			if (error.exitCode === 0) return EXIT.ran;
			if (error.code === 'commander.help') {
				edge.err(`error: name a command; \`touchmark --help\` lists them\n`);
				return EXIT.badInput;
			}
			edge.err(`${oneLine(error.message)}\n`);
			return EXIT.badInput;
		}
		if (args.includes('--debug') && error instanceof Error) edge.err(`${error.stack}\n`);
		const known = TouchmarkError.isInstance(error);
		edge.err(
			`error: ${known ? error.message : `unexpected: ${oneLine((error as Error).message)} (--debug shows where)`}\n`,
		);
		return known && error.code !== 'failed' ? EXIT.badInput : EXIT.failed;
	}
}

function allCommands(command: Command): Command[] {
	return [command, ...command.commands.flatMap((child) => allCommands(child as Command))];
}

function oneLine(message: string): string {
	return message.replace(/\s+/g, ' ').trim();
}
