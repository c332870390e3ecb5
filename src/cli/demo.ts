/**
 * `touchmark demo`: the whole story on the embedded models.
 *
 * @module
 */
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { DEMO_SEED, type DemoResults, LOG, runDemo, scoresFile, transcriptFile } from '../demo/run-demo.js';
import { buildBundle, type EvidencePlan } from '../evidence/build.js';
import { bundleText } from '../evidence/verify.js';
import { openEpoch } from '../keys/epochs.js';
import { writeWhole } from '../output.js';
import type { CommonOptions, Edge } from './edge.js';
import { runTest } from './evidence-run.js';
import { ringFromFlags } from './marks.js';
import { type Bar, progressBar } from './progress.js';
import { tableText } from './table-text.js';

const FOLDER = 'touchmark-demo';

/** Adds the command. */
export function addDemo(program: Command, edge: Edge): void {
	program
		.command('demo')
		.description(
			'the whole story in two minutes: keys, marked text, students trained with and without it, tests',
		)
		.option('--seed <text>', 'makes keys and texts', DEMO_SEED)
		.action(async (options: CommonOptions & { seed: string }) => {
			const results = await runDemo(FOLDER, options.seed, (label, total) =>
				progressBar(edge, options, label, total),
			);
			await seal(edge, results, progressBar(edge, options, 'evidence', SEALED.length * 2));
			edge.out(options.json ? `${JSON.stringify(results)}\n` : describe(results));
		});
}

/** Suspects that were trained in this run, and so with keys of this run. */
const SEALED = ['n-gram student, marked', 'n-gram student, unmarked'] as const;

/** Seals what was found of them: runs the tests again, as commands, on the files that the demo wrote. */
async function seal(edge: Edge, { level }: DemoResults, bar: Bar): Promise<void> {
	const file = (name: string) => join(FOLDER, name);
	const ring = await ringFromFlags(edge, { keyring: file('keyring.json') });
	const keys = openEpoch(ring, 0);
	writeWhole(file('keys.json'), `${JSON.stringify(keys, null, 1)}\n`, 0o600);
	const levels = ['--level', String(level)];
	const plan: EvidencePlan = {
		title: 'Touchmark demo',
		suspects: SEALED.map((name) => ({ name, released: null })),
		tests: SEALED.flatMap((suspect) => [
			{
				...{ suspect, command: 'radioactivity' as const },
				args: ['--suspect', { file: transcriptFile(suspect) }, ...levels],
			},
			{
				...{ suspect, command: 'exposure' as const },
				args: [
					...['--pairs', { file: 'exposure-served-pairs.jsonl' }],
					...['--coins', { file: 'exposure-served-coins.jsonl' }],
					...['--scores', { file: scoresFile(suspect) }, ...levels],
				],
			},
		]),
	};
	const envelope = await buildBundle({
		...{ plan, path: file('plan.json'), keys, log: file(LOG), signer: ring },
		run: ({ command, args }, inputs, folder) =>
			runTest({ command, args, inputs }, folder, resolve(file('keys.json'))),
		progress: () => bar.add(1),
	}).finally(() => bar.stop());
	writeWhole(file('plan.json'), `${JSON.stringify(plan, null, 1)}\n`);
	writeWhole(file('bundle.json'), bundleText(envelope));
}

function describe(results: DemoResults): string {
	const rows = results.suspects.map((row) => [
		row.suspect,
		String(row.scored),
		(row.score / Math.max(1, row.scored)).toFixed(4),
		row.log10P.toFixed(1),
		`${row.heldOut.rank} of ${row.heldOut.count + 1}`,
		row.verdict,
	]);
	const lines = tableText(
		[['suspect', 'tokens scored', 'mean score', 'log10 p', 'rank', 'verdict'], ...rows],
		[0, 5],
	);
	const exposure = tableText(
		[
			['trained on served answers?', 'truth', 'pairs', 'served preferred', 'log10 p', 'verdict'],
			...results.exposure.map((row) => [
				row.suspect,
				row.trainedOnServed ? 'yes' : 'no',
				String(row.pairs),
				String(row.servedPreferred),
				row.log10P.toFixed(1),
				row.verdict,
			]),
		],
		[0, 1, 5],
	);
	const { detected, texts } = results.markedTexts;
	const enough = results.suspects.flatMap(({ suspect, enough }) =>
		enough === null ? [] : [`${enough} tokens (${suspect})`],
	);
	return (
		`${lines}\n\n${exposure}\n\n` +
		`${detected} of ${texts} marked texts are recognised one by one (detect, level ${results.level}).\n` +
		(enough.length > 0
			? `With these mean scores e reaches a million from ${enough.join(', ')}, as \`touchmark power\` plans it.\n`
			: '') +
		`The n-gram students were trained now, from counts of token pairs; the transformers ship with the package.\n` +
		`${results.seconds} s. Page: ${FOLDER}/report.html  Transcripts and results: ${FOLDER}/\n` +
		`Evidence, sealed: touchmark evidence verify ${FOLDER}/bundle.json --corpus ${FOLDER} --key ${FOLDER}/keys.json\n`
	);
}
