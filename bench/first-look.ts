/**
 * What the first look of a scan passes over: half of a record's pairs are scored, and the rest only where these are promising.
 *
 * @module
 */
import { randomSource } from '../test/stats/random.js';
import { lookedAt, MUCH, VOCABULARY, withEvidence } from './first-look-trial.js';
import { freshMark } from './fresh-marks.js';
import type { Bench, Row } from './rows.js';

/** What a token that the key drew scores above the mean, by and large: ln V + γ − 1. */
const EXCESS = Math.log(VOCABULARY) - 0.42;
const LENGTHS = [32, 64, 128, 256, 1024];
/** Standard deviations above the mean that the marked records of a length have, by and large. */
const STRENGTHS = [6, 7, 9];

export const bench: Bench = {
	about:
		'Records of as many pairs as the name says, tokens of 4 bits, of which the key (`gumbel`, context width 4) drew a share that puts a record so many ' +
		'standard deviations above the mean, as the name says. Of those whose evidence is e ≥ 100,000 the share that the first look lets through; peer: all, ' +
		'which scoring each pair gives. `unmarked`: share of unmarked records that it lets through; peer: that have a conspicuous span, and are let through ' +
		'where each pair is scored.',
	async run({ quick }) {
		const count = quick ? 200 : 5000;
		const mark = freshMark('gumbel', 4, new Uint8Array(32).fill(11));
		const uniform = randomSource(29);
		const rows: Row[] = [];
		for (const pairs of LENGTHS) {
			for (const strength of STRENGTHS) {
				const share = Math.min(1, strength / (EXCESS * Math.sqrt(pairs)));
				const { through, logE } = lookedAt(mark, pairs, share, count, uniform);
				const strong = withEvidence(logE, MUCH);
				const kept = strong.filter((i) => through.has(i)).length / strong.length;
				rows.push({
					...{ case: `${pairs}-pairs-${strength}-deviations`, ours: kept, peer: 1, ratio: kept },
					...{ peerName: `all ${strong.length}`, unit: 'share let through' },
				});
			}
			const { through: some, logE } = lookedAt(mark, pairs, 0, 4 * count, uniform);
			const through = some.size / logE.length;
			const conspicuous = logE.filter((one) => one > -Infinity).length / logE.length;
			rows.push({
				...{
					case: `${pairs}-pairs-unmarked`,
					ours: through,
					peer: conspicuous,
					ratio: through > 0 ? conspicuous / through : 1,
				},
				...{ peerName: 'a conspicuous span', unit: 'share let through' },
			});
		}
		return { rows };
	},
};
