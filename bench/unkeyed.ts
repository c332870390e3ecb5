/**
 * What it costs detection to leave a share of the steps to chance, and what it buys in variety.
 *
 * @module
 */
import { createMarker } from '../src/embed/marker.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { sampleTexts } from '../src/generate/sample.js';
import { detect } from '../src/verify/detect.js';
import { freshMark } from './fresh-marks.js';
import { type Bench, median } from './rows.js';

const SHARES = [0, 0.05, 0.1, 0.2, 0.4];

export const bench: Bench = {
	about:
		'The choice channel (gumbel, width 4, embedded teacher, 112 tokens) with a share of steps left unkeyed: evidence a ' +
		'text, −log10 p, median. Peer: every step keyed. The notes say how alike repeated answers to one prompt are.',
	async run({ quick }) {
		const model = embeddedModel('teacher');
		const tokenizer = embeddedTokenizer();
		const choice = freshMark('gumbel', 4, new Uint8Array(32).fill(9));
		const texts = quick ? 32 : 256;
		const evidence: number[] = [];
		const notes: string[] = [];
		for (const share of SHARES) {
			const marker = createMarker({
				marks: [choice],
				vocabSize: model.vocabSize,
				specialTokens: tokenizer.specialTokens,
				unkeyedShare: share,
			});
			const common = { model, tokenizer, marker, maxTokens: 112 };
			const samples = [
				...sampleTexts({ ...common, prompts: embeddedPrompts().slice(0, texts), seed: 'unkeyed' }),
			];
			evidence.push(median(samples.map((sample) => -detect('', sample.tokens, [choice]).log10P)));
			const prompt = embeddedPrompts()[0];
			const repeated = [
				...sampleTexts({ ...common, prompts: new Array<string>(64).fill(prompt), seed: 'repeat' }),
			];
			const grams = repeated.flatMap(({ tokens }) =>
				tokens.slice(4).map((_, i) => tokens.slice(i, i + 5).join()),
			);
			notes.push(
				`Share ${share}: ${((100 * new Set(grams).size) / grams.length).toFixed(1)} % of the 5-grams of 64 answers to one prompt are distinct.`,
			);
		}
		return {
			rows: SHARES.map((share, i) => ({
				case: `share ${share}`,
				ours: evidence[i],
				peer: evidence[0],
				peerName: 'share 0',
				unit: '−log10 p a text',
				ratio: evidence[i] / evidence[0],
			})),
			notes,
		};
	},
};
