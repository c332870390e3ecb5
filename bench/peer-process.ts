/**
 * Other systems' code, timed in a process of its own beside ours: `bench/peers/serve.py`.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A peer that stays ready between runs. */
export interface Peer {
	/** Prepares a case; the parameters are those of `bench/peers/serve.py`. */
	setup(id: string, request: object): Promise<PeerCase>;
	stop(): void;
}

/** A prepared case. */
export interface PeerCase {
	/** What the peer said of the first text. */
	readonly first: unknown;
	/** What it said of each text, where the request asks for `all`. */
	readonly all: readonly Readonly<Record<string, number>>[];
	/** Runs it once: seconds, and what was counted (tokens, or steps). */
	run(): Promise<{ seconds: number; tokens: number }>;
	drop(): Promise<void>;
}

interface Answer {
	readonly id: string;
	readonly error?: string;
	readonly first?: unknown;
	readonly all?: readonly Readonly<Record<string, number>>[];
	readonly seconds?: number;
	readonly tokens?: number;
	readonly versions?: Readonly<Record<string, string>>;
}

/** Versions of the packages that answered. */
export const versions: Record<string, string> = {};

/** Starts the peers. @param python the interpreter of the environment that `bench/peers/README.md` describes */
export function startPeers(python: string): Peer {
	const child = spawn(python, ['bench/peers/serve.py'], { stdio: ['pipe', 'pipe', 'inherit'] });
	const waiting: ((answer: Answer) => void)[] = [];
	createInterface({ input: child.stdout }).on('line', (line) =>
		waiting.shift()?.(JSON.parse(line) as Answer),
	);
	child.on('exit', (code) => {
		for (const answer of waiting.splice(0)) answer({ id: '', error: `the peer ended with code ${code}` });
	});
	const ask = (request: object): Promise<Answer> =>
		new Promise((resolve, reject) => {
			waiting.push((answer) =>
				answer.error === undefined ? resolve(answer) : reject(new Error(answer.error)),
			);
			child.stdin.write(`${JSON.stringify(request)}\n`);
		});
	return {
		async setup(id, request) {
			const ready = await ask({ op: 'setup', id, ...request });
			Object.assign(versions, ready.versions);
			return {
				first: ready.first,
				all: ready.all ?? [],
				async run() {
					const { seconds = Number.NaN, tokens = 0 } = await ask({ op: 'run', id });
					return { seconds, tokens };
				},
				async drop() {
					await ask({ op: 'drop', id });
				},
			};
		},
		stop: () => child.kill(),
	};
}
