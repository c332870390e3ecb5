/** The built command line as a process of its own. What it prints and writes is looked at for secrets of its keys. */
import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { expectNoSecrets } from './secrets.js';

/** The file that Node runs. */
export const MAIN = resolve('dist/cli/main.js');

/** How a process ended, and what it printed. */
export interface Ended {
	/** Null where it was killed. */
	readonly code: number | null;
	readonly out: string;
	readonly err: string;
}

/** Around a command. */
export interface Surroundings {
	/** Where it runs. */
	readonly folder?: string;
	/** What comes on standard input. */
	readonly input?: Uint8Array;
	/** Kills it (SIGKILL) when this is aborted. */
	readonly kill?: AbortSignal;
}

/** Runs it. */
export async function runBuilt(
	args: readonly string[],
	{ folder, input, kill }: Surroundings = {},
): Promise<Ended> {
	const child = spawn(process.execPath, [MAIN, ...args], {
		cwd: folder,
		signal: kill,
		killSignal: 'SIGKILL',
	});
	const out: Buffer[] = [];
	const err: Buffer[] = [];
	child.stdout.on('data', (data: Buffer) => out.push(data));
	child.stderr.on('data', (data: Buffer) => err.push(data));
	child.stdin.end(input);
	const code = await new Promise<number | null>((done, failed) => {
		child.on('error', (error) => {
			if (kill?.aborted !== true) failed(error);
		});
		child.on('close', done);
	});
	const [printed, said] = [Buffer.concat(out), Buffer.concat(err)];
	expectNoSecrets({
		args,
		printed: [printed.toString('latin1'), said.toString('latin1')],
		...(folder === undefined ? {} : { folder }),
	});
	return { code, out: printed.toString('utf8'), err: said.toString('utf8') };
}
