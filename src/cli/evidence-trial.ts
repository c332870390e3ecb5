/**
 * What an exposure trial shows: its first pairs, and how its evidence grew.
 *
 * @module
 */
import { valuesOf } from '../evidence/commands.js';
import type { Exhibits, ShownPair } from '../evidence/exhibits.js';
import { TOLERANCE } from '../evidence/findings.js';
import type { EvidenceTest } from '../evidence/statement.js';
import { OpenedCoin } from '../marks/arm.js';
import { newSignBets } from '../stats/index.js';
import { log10 } from '../stats/portable.js';
import { newExposure } from '../verify/exposure.js';
import { ExposureScore } from '../verify/exposure-data.js';
import { ExposureResult } from '../verify/exposure-result.js';
import { toLog10 } from '../verify/test-result.js';
import { exposureInput, readAll } from './exposure.js';

/** Pairs of a trial. */
const SHOWN = 3;

/**
 * Reads it.
 *
 * @param args of its command
 * @param paths files of a flag
 * @param rows of the bundle, which the level is corrected for
 */
export async function trialExhibits(
	{ suspect, result: [printed] }: EvidenceTest,
	args: readonly string[],
	paths: (flag: string) => string[],
	rows: number,
): Promise<Partial<Exhibits>> {
	const say = (reason: string) => `${suspect}, exposure: ${reason}`;
	const [scoreFiles, coinFiles] = [paths('--scores'), paths('--coins')];
	if (scoreFiles.length === 0)
		return {
			missing: [
				say(
					'its command measured the suspect itself; with --save-scores FILE it writes scores, and a trial of those (--scores) has pairs to show.',
				),
			],
		};
	const [rule] = valuesOf(args, '--rule');
	const controls = new Set(valuesOf(args, '--control-account'));
	const input = await exposureInput({
		...{ pairs: paths('--pairs'), servedElsewhere: paths('--served-elsewhere') },
		...(rule === undefined ? {} : { rule }),
		retrospective: args.includes('--retrospective'),
	});
	const trial = newExposure(input);
	const scored = trial.record(await readAll(ExposureScore, scoreFiles));
	const tossed = scored.toss(await readAll(OpenedCoin, coinFiles));
	// Ties are pairs of equal texts or scores; no test counts them.
	const tested = trial.pairs.flatMap((pair, i) => {
		const { served, signed, account } = tossed.pairs[i];
		const counts = signed !== null && (account === null || !controls.has(account));
		return counts ? [{ ...pair, scores: scored.scores[i], served, signed }] : [];
	});
	const pairs = tested.slice(0, SHOWN).map((pair): ShownPair => {
		const answer = (side: 'a' | 'b') => ({ text: pair[side], score: pair.scores[side] });
		return {
			...{ suspect, id: pair.id, prompt: pair.prompt },
			served: answer(pair.served),
			unserved: answer(pair.served === 'a' ? 'b' : 'a'),
		};
	});

	const { missing, rule: ruled, hypotheses, level, withheld, log10E } = ExposureResult.parse(printed);
	if (withheld.length > 0)
		return { pairs, missing: [say(`no curve: the verdict is withheld (${withheld.join(', ')}).`)] };
	if (missing > 0 && ruled === null)
		return {
			pairs,
			missing: [say(`no curve: ${missing} requests have no pair, and are counted as lost all at once.`)],
		};
	const bets = newSignBets(tested.map(({ signed }) => signed.magnitude));
	const points = tested.map(({ signed }, i) => ({ count: i + 1, log10E: toLog10(bets.add(signed)) }));
	// Nothing was run again for this page.
	if (Math.abs(toLog10(bets.logE) - log10E) > TOLERANCE)
		return { pairs, missing: [say('no curve: its files give another e-value than the table has.')] };
	const threshold = log10(hypotheses * rows) - log10(level);
	return {
		pairs,
		curves: [{ suspect, of: 'trial', threshold, points: [{ count: 0, log10E: 0 }, ...points] }],
	};
}
