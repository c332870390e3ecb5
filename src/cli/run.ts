/**
 * Runs one command: arguments in, exit code out.
 *
 * @module
 */
import { Command, CommanderError } from 'commander';
import { TouchmarkError } from '../errors.js';
import { VERSION } from '../version.js';
import { addAccounts } from './accounts.js';
import { addApiKeys } from './api-keys.js';
import { addBench } from './bench.js';
import { addCollect } from './collect.js';
import { addDemo } from './demo.js';
import { addDetect } from './detect.js';
import { type Edge, EXIT } from './edge.js';
import { addEvidence } from './evidence.js';
import { addExposure } from './exposure.js';
import { addGenerate } from './generate.js';
import { addKeys } from './keys.js';
import { addLog } from './log.js';
import { addManifest } from './manifest.js';
import { addNetworks } from './networks.js';
import { addPower } from './power.js';
import { addRadioactivity } from './radioactivity.js';
import { addScan } from './scan.js';
import { addScanMerge } from './scan-merge.js';
import { addScanWorker } from './scan-worker.js';
import { addServe } from './serve.js';
import { addTrace } from './trace.js';
import { addTranscript } from './transcript.js';

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
	addDemo(program, edge);
	addKeys(program, edge);
	addAccounts(program, edge);
	addLog(program, edge, exit);
	addGenerate(program, edge);
	addDetect(program, edge, exit);
	addManifest(program, edge, exit);
	addCollect(program, edge, exit);
	addTranscript(program, edge);
	addRadioactivity(program, edge, exit);
	addExposure(program, edge, exit);
	addTrace(program, edge, exit);
	addServe(program, edge);
	addApiKeys(program, edge);
	addScan(program, edge, exit);
	addScanWorker(program, edge);
	addScanMerge(program, edge, exit);
	addBench(program, edge);
	addNetworks(program, edge, exit);
	addEvidence(program, edge, exit);
	addPower(program, edge);
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
