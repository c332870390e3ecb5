/**
 * What the first look of a scan passes over: half of a record's pairs are scored, and the rest only where these are promising.
 *
 * @module
 */
import type { BoundGroup } from '../src/scan/plan.js';
import { newShardScan } from '../src/scan/shard-scan.js';
import { newJudge } from '../src/scan/verdicts.js';
import { randomSource } from '../test/stats/random.js';
import { freshMark } from './fresh-marks.js';
import type { Bench, Row } from './rows.js';

/** Tokens to choose from, each as likely: four bits of entropy a token. */
const VOCABULARY = 16;
/** What a token that the key drew scores above the mean, by and large: ln V + γ − 1. */
const EXCESS = Math.log(VOCABULARY) - 0.42;
const LENGTHS = [32, 64, 128, 256, 1024];
/** Standard deviations above the mean that the marked records of a length have, by and large. */
const STRENGTHS = [6, 7, 9];
/** Evidence that counts: it is reported among a million records where a few hundred others are. */
const LEAST = 1e5;

export const bench: Bench = {
	about:
		'Records of as many pairs as the name says, tokens of 4 bits, of which the key (`gumbel`, context width 4) drew a share that puts a record so many ' +
		'standard deviations above the mean, as the name says. Of those whose evidence is e ≥ 100,000 the share that the first look lets through; peer: all, ' +
		'which scoring each pair gives. `unmarked`: share of unmarked records that it lets through; peer: that have a conspicuous span, and are let through ' +
		'where each pair is scored.',
	async run({ quick }) {
		const count = quick ? 200 : 5000;
		const mark = freshMark('gumbel', 4, new Uint8Array(32).fill(11));
		const judged = { mark, searchBits: 0, shape: 0 };
		const groups: BoundGroup[] = [
			{
				...{ number: 0, tokenizer: null, fingerprint: null, marks: [judged], judges: [judged] },
				shapes: [{ contextWidth: 4, start: 'skip', narrow: false }],
			},
		];
		const judge = newJudge(groups, () => false);
		const uniform = randomSource(29);
		const logits = new Float32Array(VOCABULARY);
		const any = () => Math.floor(uniform() * VOCABULARY);
		function text(pairs: number, share: number): number[] {
			const ids = Array.from({ length: 4 }, any);
			while (ids.length < pairs + 4)
				ids.push(
					uniform() < share
						? (mark.scheme.draw?.(ids.slice(-4), logits.fill(0), { next: uniform }) ?? 0)
						: any(),
				);
			return ids;
		}
		function lookedAt(texts: readonly number[][]): ReadonlySet<string> {
			const through = new Set<string>();
			const scan = newShardScan(groups, {
				candidate: ({ record }) => through.add(record),
				tooLarge: () => undefined,
				cells: () => undefined,
			});
			scan.add(texts.map((tokens, i) => ({ id: String(i), tokens })));
			scan.finish();
			return through;
		}
		const evidenceOf = (tokens: number[]) => judge.judge({ group: 0, first: 0, tokens, left: [] }).logE;

		const rows: Row[] = [];
		const notes: string[] = [];
		for (const pairs of LENGTHS) {
			for (const strength of STRENGTHS) {
				const share = Math.min(1, strength / (EXCESS * Math.sqrt(pairs)));
				const texts = Array.from({ length: count }, () => text(pairs, share));
				const through = lookedAt(texts);
				const strong = texts.flatMap((tokens, i) =>
					evidenceOf(tokens) >= Math.log(LEAST) ? [String(i)] : [],
				);
				const kept = strong.filter((id) => through.has(id)).length / strong.length;
				rows.push({
					...{ case: `${pairs}-pairs-${strength}-deviations`, ours: kept, peer: 1, ratio: kept },
					...{ peerName: `all ${strong.length}`, unit: 'share let through' },
				});
			}
			const texts = Array.from({ length: 4 * count }, () => text(pairs, 0));
			const through = lookedAt(texts).size / texts.length;
			const conspicuous = texts.filter((tokens) => evidenceOf(tokens) > -Infinity).length / texts.length;
			rows.push({
				...{
					case: `${pairs}-pairs-unmarked`,
					ours: through,
					peer: conspicuous,
					ratio: conspicuous / through,
				},
				...{ peerName: 'a conspicuous span', unit: 'share let through' },
			});
		}
		return { rows, notes };
	},
};
