/**
 * Fresh coins over students that saw no trial: how often the test of exposure errs.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { loadTransformer } from '../../src/model/transformer.js';
import { newExposure } from '../../src/verify/exposure.js';
import { type Measure, similarityMeasure } from '../../src/verify/exposure-measures.js';
import type { Cell } from './cells.js';
import { ownAnswers, probeOf, trainReferences } from './exposure-probes.js';
import { folderOf, keep, say, student } from './students.js';
import { armOf, coinsOf, trialOf } from './trials.js';

/** Pairs of the trial that nobody was trained on. */
export const INNOCENT_PAIRS = 200;

/** Keys, so coins of all pairs, that each student is tested under. */
export const COINS = 170;

/** The level at which rejections are counted. */
export const LEVEL = 1e-2;

/** Ways in. */
export const INNOCENT_WAYS = ['open', 'grey', 'closed'] as const;

/** How often one student was found to prefer what coins called served. */
const Count = z.object({
	tests: z.int(),
	/** Pairs that are no ties. */
	trials: z.int(),
	/** Tests with p ≤ {@link LEVEL}, by statistic. */
	rejected: z.record(z.string(), z.int()),
	e20: z.int(),
	e100: z.int(),
	exposed: z.int(),
});
export type InnocentCount = z.infer<typeof Count>;
const Counts = z.record(z.enum(INNOCENT_WAYS), Count);
export type InnocentCounts = z.infer<typeof Counts>;

function countsFile(work: string, cell: Cell): string {
	return join(work, 'exposure', `innocent-${cell.name}.json`);
}

/** What was counted of a student; undefined where it was not yet. */
export function measuredInnocent(work: string, cell: Cell): InnocentCounts | undefined {
	const path = countsFile(work, cell);
	return existsSync(path) ? Counts.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
}

/** Tests an innocent student under fresh keys, unless that is done; trains it where it is not there. */
export function measureInnocent(work: string, cell: Cell): InnocentCounts {
	const done = measuredInnocent(work, cell);
	if (done !== undefined) return done;
	trainReferences(work);
	student(work, cell);
	const begun = performance.now();
	const exchanges = trialOf(work, 'innocent', INNOCENT_PAIRS);
	const pairs = exchanges.map(({ pair }) => pair);
	const tokenizer = embeddedTokenizer();
	const model = loadTransformer(folderOf(work, cell.name));
	const probe = probeOf(work, 'innocent', pairs, tokenizer);
	const measures: Record<(typeof INNOCENT_WAYS)[number], Measure> = {
		open: probe.measureOf(model, 'open'),
		grey: probe.measureOf(model, 'grey'),
		closed: similarityMeasure(ownAnswers(model, tokenizer, pairs, cell.name), 'levenshtein'),
	};
	const trial = newExposure({ pairs });
	const scored = INNOCENT_WAYS.map((way) => trial.measure(measures[way]));
	const counts = INNOCENT_WAYS.map(
		(): InnocentCount => ({ tests: 0, trials: 0, rejected: {}, e20: 0, e100: 0, exposed: 0 }),
	);
	for (let i = 0; i < COINS; i++) {
		const arm = armOf(`${cell.name}/${i}`);
		const coins = coinsOf(arm, exchanges);
		for (const [w, count] of counts.entries()) {
			const result = scored[w].open(coins);
			count.tests++;
			count.trials = result.pairs - result.ties;
			for (const { statistic, log10P } of result.tests)
				count.rejected[statistic] = (count.rejected[statistic] ?? 0) + (log10P <= Math.log10(LEVEL) ? 1 : 0);
			if (result.log10E >= Math.log10(20)) count.e20++;
			if (result.log10E >= 2) count.e100++;
			if (result.verdict === 'exposed') count.exposed++;
		}
	}
	const found = Object.fromEntries(INNOCENT_WAYS.map((way, w) => [way, counts[w]])) as InnocentCounts;
	keep(countsFile(work, cell), `${JSON.stringify(found)}\n`);
	say(`${cell.name}: ${COINS} fresh coins, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
	return found;
}
