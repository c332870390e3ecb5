/**
 * `touchmark demo`: the whole story on the embedded models.
 *
 * @module
 */
import type { Command } from 'commander';
import { DEMO_SEED, type DemoResults, runDemo } from '../demo/run-demo.js';
import type { CommonOptions, Edge } from './edge.js';
import { progressBar } from './progress.js';
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
			edge.out(options.json ? `${JSON.stringify(results)}\n` : describe(results));
		});
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
		`${results.seconds} s. Page: ${FOLDER}/report.html  Transcripts and results: ${FOLDER}/\n`
	);
}
