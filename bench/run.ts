/**
 * Runs one bench: `npm run bench -- NAME [--quick] [--out FILE] [--corpus DIR] [--peers PYTHON]`.
 *
 * Writes `bench/results/NAME.json` and the section of `docs/benchmarks.md` made from it; with `--out` only FILE, which
 * `--record FILE` makes the record later, without running anything.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Bench, Row } from './rows.js';

const BENCHES: Record<string, () => Promise<{ bench: Bench }>> = {
	attribution: () => import('./attribution.js'),
	accounts: () => import('./accounts.js'),
	'common-pairs': () => import('./common-pairs.js'),
	calibration: () => import('./calibration.js'),
	demo: () => import('./demo.js'),
	'first-look': () => import('./first-look.js'),
	fleet: () => import('./fleet.js'),
	trace: () => import('./trace.js'),
	'hard-students': () => import('./hard-students.js'),
	inheritance: () => import('./inheritance.js'),
	exposure: () => import('./exposure.js'),
	interop: () => import('./interop.js'),
	model: () => import('./model.js'),
	'near-verbatim': () => import('./near-verbatim.js'),
	networks: () => import('./networks.js'),
	nulls: () => import('./nulls.js'),
	planted: () => import('./planted.js'),
	power: () => import('./power.js'),
	prf: () => import('./prf.js'),
	quality: () => import('./quality.js'),
	receipts: () => import('./receipts.js'),
	robustness: () => import('./robustness.js'),
	retokenize: () => import('./retokenize.js'),
	scan: () => import('./scan.js'),
	'scan-memory': () => import('./scan-memory.js'),
	'scan-records': () => import('./scan-records.js'),
	select: () => import('./select.js'),
	serve: () => import('./serve.js'),
	speed: () => import('./speed.js'),
	stealing: () => import('./stealing.js'),
	spread: () => import('./spread.js'),
	tokenize: () => import('./tokenize.js'),
	unkeyed: () => import('./unkeyed.js'),
	until: () => import('./until.js'),
	variety: () => import('./variety.js'),
	weights: () => import('./weights.js'),
};

interface Results {
	readonly name: string;
	readonly machine: string;
	readonly command: string;
	readonly date: string;
	readonly commit: string;
	readonly rows: readonly Row[];
	readonly notes: readonly string[];
}

const DOCS = 'docs/benchmarks.md';

function machine(): string {
	const memory = Math.round(totalmem() / 2 ** 30);
	return `${availableParallelism()} cores (${cpus()[0].model}), ${memory} GiB, Node ${process.versions.node}, ${process.platform} ${process.arch}`;
}

function commit(): string {
	try {
		return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
	} catch {
		return 'unknown';
	}
}

/** Four significant digits, small numbers in exponent form. */
function show(value: number): string {
	return value !== 0 && Math.abs(value) < 1e-3
		? value.toExponential(2)
		: String(Number(value.toPrecision(4)));
}

function section(results: Results, about: string): string {
	const lines = results.rows.map(
		(row) =>
			`| \`${row.case}\` | ${show(row.ours)} | ${show(row.peer)} | ${row.peerName} | ${row.unit} | ${show(row.ratio)} |`,
	);
	const notes = results.notes.length > 0 ? `\n${results.notes.map((note) => `- ${note}`).join('\n')}\n` : '';
	return (
		`<!-- bench:${results.name} -->\n## ${results.name}\n\n${about}\n\n` +
		`\`${results.command}\`, ${results.date.slice(0, 10)}, ${results.machine}. Raw: \`bench/results/${results.name}.json\`.\n\n` +
		`| case | ours | peer | peer is | unit | ratio (> 1: ours better) |\n|---|---|---|---|---|---|\n${lines.join('\n')}\n${notes}` +
		`<!-- /bench:${results.name} -->`
	);
}

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		quick: { type: 'boolean', default: false },
		out: { type: 'string' },
		record: { type: 'string' },
		corpus: { type: 'string' },
		peers: { type: 'string' },
	},
});
const name = positionals[0];
const load = BENCHES[name];
if (load === undefined) {
	console.error(`name a bench: ${Object.keys(BENCHES).join(', ')}`);
	process.exit(2);
}
const { bench } = await load();

async function measure(): Promise<Results> {
	const { corpus, peers, quick } = values;
	const { rows, notes = [] } = await bench.run({
		quick,
		...(corpus === undefined ? {} : { corpus }),
		...(peers === undefined ? {} : { peers }),
	});
	console.table(rows);
	for (const note of notes) console.log(note);
	const flags = [quick ? '--quick' : '', corpus ? '--corpus DIR' : '', peers ? '--peers PYTHON' : ''];
	return {
		name,
		machine: machine(),
		command: ['npm run bench --', name, ...flags].filter(Boolean).join(' '),
		date: new Date().toISOString(),
		commit: commit(),
		rows,
		notes,
	};
}

function record(results: Results): void {
	mkdirSync('bench/results', { recursive: true });
	writeFileSync(`bench/results/${name}.json`, `${JSON.stringify(results, null, 1)}\n`);
	const docs = existsSync(DOCS) ? readFileSync(DOCS, 'utf8') : '# Benchmarks\n';
	const text = section(results, bench.about);
	const old = new RegExp(`<!-- bench:${name} -->[\\s\\S]*?<!-- /bench:${name} -->`);
	writeFileSync(DOCS, old.test(docs) ? docs.replace(old, () => text) : `${docs.trimEnd()}\n\n${text}\n`);
}

if (values.record !== undefined) record(JSON.parse(readFileSync(values.record, 'utf8')) as Results);
else {
	const results = await measure();
	if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(results, null, 1)}\n`);
	else record(results);
}
process.exit(0);
