/**
 * What selection among n candidates is worth, beside marking every token.
 *
 * @module
 */
import { createMarker } from '../src/embed/marker.js';
import { selectCandidate } from '../src/embed/select.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { type Sample, sampleTexts } from '../src/generate/sample.js';
import type { Mark } from '../src/marks/mark.js';
import { detect } from '../src/verify/detect.js';
import { newPairSet } from '../src/verify/pairs.js';
import { tallyPairs } from '../src/verify/tally.js';
import { testTally } from '../src/verify/test-result.js';
import { freshMark } from './fresh-marks.js';
import { type Bench, median } from './rows.js';

const COUNTS = [2, 4, 8, 16];
const DECISION = { level: 1e-6, hypotheses: 1, searchBits: 0 };

/** How strong the evidence of some texts is. */
interface Strength {
	/** −log10 p a text, median. */
	readonly perText: number;
	/** Texts that together reach p < 1e-6, median over `series` disjoint series; NaN when none did. */
	readonly needed: number;
	readonly series: number;
}

function strength(samples: readonly Sample[], mark: Mark): Strength {
	const perText = median(
		samples.map(({ tokens, promptTokens }) => -detect('', tokens, [mark], { given: promptTokens }).log10P),
	);
	const series: number[] = [];
	let pairs = newPairSet(mark.spec);
	let count = 0;
	for (const { tokens, promptTokens } of samples) {
		pairs.add(tokens, promptTokens);
		count++;
		if (testTally(tallyPairs(pairs, mark), mark, DECISION, 'marked-text').log10P > -6) continue;
		series.push(count);
		pairs = newPairSet(mark.spec);
		count = 0;
	}
	return { perText, needed: median(series), series: series.length };
}

export const bench: Bench = {
	about:
		'Best of n candidates by mark score (embedded teacher, about 112 tokens, temperature 1), for models that show no ' +
		'logits: evidence a text, −log10 p, median, and texts that together reach p < 1e-6 (median over series). It ' +
		'costs n generations a text. Peer: the same mark, every token, one generation.',
	async run({ quick }) {
		const model = embeddedModel('teacher');
		const tokenizer = embeddedTokenizer();
		const prompts = embeddedPrompts().slice(0, quick ? 16 : 256);
		const key = new Uint8Array(32).fill(9);
		const generate = (marks: readonly Mark[], seed: string): Sample[] => {
			const { specialTokens } = tokenizer;
			const marker = createMarker({ marks, vocabSize: model.vocabSize, specialTokens });
			return [...sampleTexts({ model, tokenizer, marker, maxTokens: 112, prompts, seed })];
		};
		const most = COUNTS[COUNTS.length - 1];
		const candidates = Array.from({ length: most }, (_, i) => generate([], `select/${i}`));
		const rows = [];
		const notes = [];
		for (const [name, mark] of [
			['kgw, width 1', freshMark('kgw', 1, key)],
			['gumbel, width 4', freshMark('gumbel', 4, key)],
		] as const) {
			const peer = strength(generate([mark], 'select/peer'), mark);
			for (const n of COUNTS) {
				const picked = prompts.map((_, at) => {
					const among = candidates.slice(0, n).map((texts) => texts[at]);
					const given = among[0].promptTokens;
					const { index } = selectCandidate(
						among.map(({ tokens }) => tokens),
						mark,
						{ given },
					);
					return among[index];
				});
				const ours = strength(picked, mark);
				rows.push({
					case: `${name}, best of ${n}`,
					ours: ours.perText,
					peer: peer.perText,
					peerName: 'every token',
					unit: '−log10 p a text',
					ratio: ours.perText / peer.perText,
				});
				const cost =
					ours.series === 0
						? `not within ${prompts.length} texts`
						: `after ${ours.needed} texts, ${ours.needed * n} generated (median of ${ours.series})`;
				notes.push(`${name}, best of ${n}: p < 1e-6 ${cost}; every token marked: ${peer.needed}.`);
			}
		}
		return { rows, notes };
	},
};
