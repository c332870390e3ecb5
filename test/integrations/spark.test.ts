/**
 * The Spark job on a real Spark, where TOUCHMARK_SPARK_PYTHON is an interpreter with pyspark: in local mode from Parquet, and
 * on a cluster of two workers from JSON while one of its processes is killed. The same state and verdicts as `scan`.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN, runBuilt } from '../cli/built-cli.js';
import { COPIED, corpusRecords, SPEC } from '../cli/cluster-corpus.js';
import { newFolder } from '../cli/run-cli.js';
import { expectNoSecrets } from '../cli/secrets.js';
import { JVM_FLAGS, type SparkCluster, sparkEnvironment, startCluster } from './spark-cluster.js';

const python = process.env.TOUCHMARK_SPARK_PYTHON ?? '';
const JOB = resolve('integrations/spark/touchmark_scan.py');
/** A program of Spark's. What it prints and writes holds no key. */
async function run(
	file: string,
	args: readonly string[],
	options: { env: NodeJS.ProcessEnv; signal: AbortSignal },
): Promise<{ stdout: string; stderr: string }> {
	const { stdout, stderr } = await promisify(execFile)(file, args, options);
	expectNoSecrets({ args, printed: [stdout, stderr] });
	return { stdout, stderr };
}

/** Makes Parquet of the rows, then runs the job on it, and once more so that it must fail. */
const IN_ONE_SESSION = `
import sys, touchmark_scan
from pyspark.sql import SparkSession
records, background, folder, *arguments = sys.argv[1:]
spark = SparkSession.builder.getOrCreate()
spark.read.json(records).repartition(3).write.parquet(folder + "/records")
spark.read.json(background).write.parquet(folder + "/background")
arguments = [folder + "/records", "--background", folder + "/background", *arguments]
touchmark_scan.main(arguments)
try:
    touchmark_scan.main([*arguments, "--strict"])
except SystemExit as ended:
    print(ended.code)
`;

/** Ends the first worker that has printed a candidate, in the middle of its work. */
const killing = (once: string) => `
import { mkdirSync } from 'node:fs';
if (process.argv.includes('scan-worker') && !process.argv.includes('--count')) {
	const write = process.stdout.write;
	process.stdout.write = function (chunk, ...rest) {
		const room = write.call(this, chunk, ...rest);
		if (!chunk.startsWith('{"shard":')) return room;
		try {
			mkdirSync(${JSON.stringify(once)});
		} catch {
			return room;
		}
		process.kill(process.pid, 'SIGKILL');
	};
}
`;

describe.skipIf(python === '')('with TOUCHMARK_SPARK_PYTHON: the Spark job', () => {
	const folder = newFolder();
	const path = (name: string) => join(folder, name);
	const corpus = [path('records.jsonl'), path('background.jsonl')];
	const lines = (name: string) => readFileSync(path(name), 'utf8').trimEnd().split('\n');
	const found = (name: string) =>
		lines(name)
			.map((line) => JSON.parse(line))
			.map(({ shard: _, ...record }) => JSON.stringify(record))
			.sort();
	const flags = (out: string, touchmark: string) => [
		...['--spec', SPEC, '--touchmark', touchmark],
		...['--out', path(out), '--merge-at-once', '2', '--name', 'corpus'],
	];
	const settings = {
		'spark.ui.enabled': 'false',
		'spark.driver.host': '127.0.0.1',
		'spark.local.dir': folder,
		'spark.executor.memory': '512m',
		'spark.sql.files.openCostInBytes': '1',
		'spark.sql.files.maxPartitionBytes': '30000',
		'spark.log.level': 'WARN',
		'spark.sql.codegen.wholeStage': 'false',
		'spark.driver.extraJavaOptions': JVM_FLAGS,
		'spark.executor.extraJavaOptions': JVM_FLAGS,
	};
	const conf = Object.entries(settings).flatMap(([key, value]) => ['--conf', `${key}=${value}`]);
	let cluster: SparkCluster | undefined;
	let local: Record<string, unknown> = {};

	beforeAll(async () => {
		const records = corpusRecords(120).map(({ id, text, prompt }) => ({ id, text, prompt }));
		const jsonLines = [...records, { id: 'without text' }].map((record) => `${JSON.stringify(record)}\n`);
		writeFileSync(corpus[0], jsonLines.join(''));
		const known = JSON.stringify({ text: records.find(({ id }) => id === 'marked 1')?.text });
		writeFileSync(corpus[1], `${known}\n`.repeat(11));
		const scan = ['scan', corpus[0], '--background', corpus[1]];
		expect(await runBuilt([...scan, '--spec', SPEC, '--out', path('local'), '--quiet'])).toMatchObject({
			code: 0,
		});
		const { digest: _, ...result } = JSON.parse(lines('local/result.json')[0]);
		local = result;
	});
	afterAll(() => cluster?.stop());

	const same = (out: string) => {
		expect(JSON.parse(lines(`${out}/result.json`)[0])).toEqual(local);
		expect(found(`${out}/flagged.jsonl`)).toEqual(found('local/flagged.jsonl'));
		const { shards } = JSON.parse(lines(`${out}/state.json`)[0]);
		expect(shards.length).toBeGreaterThan(2);
		return lines(`${out}/flagged.jsonl`).map((line) => JSON.parse(line).shard);
	};

	test('in local mode says what `scan` says, of Parquet', { timeout: 300_000 }, async ({ signal }) => {
		const env = {
			...sparkEnvironment(python),
			PYTHONPATH: resolve('integrations/spark'),
			PYSPARK_SUBMIT_ARGS: ['--master', 'local[2]', ...conf.map((word) => `'${word}'`), 'pyspark-shell'].join(
				' ',
			),
		};
		const main = `${process.execPath} ${MAIN}`;
		const args = ['-c', IN_ONE_SESSION, ...corpus, path('parquet'), ...flags('spark', main)];
		const { stdout } = await run(python, args, { env, signal });
		expect(JSON.parse(stdout.split('\n')[0])).toEqual(local);
		const shards = same('spark');
		expect(shards).toEqual([...shards].sort());
		expect(stdout.split('\n')[1]).toMatch(
			/^error: touchmark: standard input:\d+: field "text": must be a string$/,
		);
		expect(local).toMatchObject({ skipped: 1, judged: 120 + 32 + COPIED.copies, verdict: 'marked' });
		expect(local.flagged).toBe(30);
	});

	test('on a cluster too, when a worker is killed half-way and its task runs again', {
		timeout: 300_000,
	}, async ({ signal }) => {
		cluster = await startCluster(python, 2, path('cluster'));
		const once = path('killed');
		writeFileSync(path('killing.mjs'), killing(once));
		const main = `${process.execPath} --import ${path('killing.mjs')} ${MAIN}`;
		const submit = join(sparkEnvironment(python).SPARK_HOME, 'bin/spark-submit');
		const args = ['--master', cluster.url, ...conf, JOB, corpus[0], '--background', corpus[1]];
		const { stderr } = await run(submit, args.concat('--format', 'json', flags('cluster-out', main)), {
			...{ env: sparkEnvironment(python), signal },
		});
		expect(existsSync(once)).toBe(true);
		expect(stderr).toMatch(/WorkerError: touchmark: its process was killed by signal 9/);
		same('cluster-out');
	});
});
