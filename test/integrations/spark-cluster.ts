/**
 * A Spark cluster on this machine, for tests: a master and workers on loopback, as the pyspark package has them.
 *
 * @module
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where pyspark is installed. @param python an interpreter that has it */
export function sparkHome(python: string): string {
	const code = 'import os, pyspark; print(os.path.dirname(pyspark.__file__))';
	return execFileSync(python, ['-c', code], { encoding: 'utf8' }).trim();
}

/** JVMs that start fast: what a test runs is over before more of a compiler would pay. */
export const JVM_FLAGS = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';

/** What Spark's programs need to know, beside the environment. */
export function sparkEnvironment(python: string): NodeJS.ProcessEnv & { readonly SPARK_HOME: string } {
	return {
		...process.env,
		SPARK_HOME: sparkHome(python),
		SPARK_LOCAL_IP: '127.0.0.1',
		PYSPARK_PYTHON: python,
		PYSPARK_DRIVER_PYTHON: python,
		// A test's own, where others might be set.
		PYSPARK_SUBMIT_ARGS: '',
		SPARK_CONF_DIR: '',
		SPARK_DAEMON_JAVA_OPTS: JVM_FLAGS,
	};
}

/** A cluster that runs. */
export interface SparkCluster {
	/** Address of its master. */
	readonly url: string;
	stop(): Promise<void>;
}

/** Starts a master, and workers of one core each. @param folder for what they write */
export async function startCluster(python: string, workers: number, folder: string): Promise<SparkCluster> {
	mkdirSync(folder, { recursive: true });
	const env = {
		...sparkEnvironment(python),
		SPARK_WORKER_DIR: join(folder, 'work'),
		SPARK_LOCAL_DIRS: folder,
	};
	const running: ChildProcess[] = [];
	const start = (name: string, args: readonly string[], ready: RegExp) =>
		new Promise<string>((resolve, reject) => {
			const flags = ['--host', '127.0.0.1', '--port', '0', '--webui-port', '0'];
			const child = spawn(
				join(env.SPARK_HOME, 'bin/spark-class'),
				[`org.apache.spark.deploy.${name}`, ...flags, ...args],
				{ env, stdio: ['ignore', 'ignore', 'pipe'] },
			);
			running.push(child);
			let told = '';
			child.stderr.setEncoding('utf8').on('data', (text: string) => {
				told = (told + text).slice(-20_000);
				const match = ready.exec(told);
				if (match !== null) resolve(match[1]);
			});
			child.on('error', reject);
			child.on('exit', (code) => reject(new Error(`${name} ended (${code}): ${told}`)));
		});
	async function stop(): Promise<void> {
		// Workers first: they end their executors.
		for (const child of running.reverse()) {
			if (child.exitCode !== null || child.signalCode !== null) continue;
			const ended = new Promise((done) => child.on('exit', done));
			child.kill();
			await ended;
		}
	}
	try {
		const url = await start('master.Master', [], /Starting Spark master at (spark:\/\/[\d.:]+)/);
		const args = ['--cores', '1', '--memory', '600m', url];
		for (let i = 0; i < workers; i++)
			await start('worker.Worker', args, /Successfully registered with master (\S+)/);
		return { url, stop };
	} catch (error) {
		await stop();
		throw error;
	}
}
