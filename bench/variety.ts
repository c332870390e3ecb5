/**
 * What a context width costs the answers in variety, and what strength a text shows for it.
 *
 * @module
 */
import { createMarker } from '../src/embed/marker.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { sampleTexts } from '../src/generate/sample.js';
import type { Mark } from '../src/marks/mark.js';
import { bindMark } from '../src/marks/mark.js';
import { detect } from '../src/verify/detect.js';
import { specOf } from './fresh-marks.js';
import { type Bench, median, type Row } from './rows.js';

const key = new Uint8Array(32).fill(9);
const choice = (width: number) =>
	bindMark(specOf({ scheme: { name: 'gumbel' }, prf: 'chacha8-v1', contextWidth: width }), key);
const shape = (width: number) =>
	bindMark(
		specOf({ scheme: { name: 'kgw', gamma: 0.25, delta: 2 }, prf: 'chacha8-v1', contextWidth: width }),
		key,
	);
const tournament = (width: number) =>
	bindMark(
		specOf({
			scheme: { name: 'synthid', depth: 4 },
			channel: 'shape',
			prf: 'chacha8-v1',
			contextWidth: width,
		}),
		key,
	);

const CASES: readonly [string, Mark][] = [
	...[1, 2, 4].map((width): [string, Mark] => [`gumbel h${width}`, choice(width)]),
	...[1, 2].map((width): [string, Mark] => [`kgw h${width}`, shape(width)]),
	...[1, 2].map((width): [string, Mark] => [`synthid-4-shape h${width}`, tournament(width)]),
];

export const bench: Bench = {
	about:
		'Share of distinct 3-grams over texts of 112 tokens by the embedded teacher under one key (default unkeyed share). Peer: the ' +
		'same without a mark. A keyed draw on a narrow context repeats itself; a tilt hardly does.',
	async run({ quick }) {
		const model = embeddedModel('teacher');
		const tokenizer = embeddedTokenizer();
		const prompts = embeddedPrompts().slice(0, quick ? 32 : 256);
		const textsUnder = (marks: readonly Mark[]) => {
			const marker = createMarker({
				marks,
				vocabSize: model.vocabSize,
				specialTokens: tokenizer.specialTokens,
			});
			return [...sampleTexts({ model, tokenizer, marker, prompts, maxTokens: 112, seed: 'variety' })].map(
				({ tokens }) => tokens,
			);
		};
		const distinct = (texts: readonly (readonly number[])[]): number => {
			const grams = texts.flatMap((tokens) => tokens.slice(2).map((_, i) => tokens.slice(i, i + 3).join()));
			return new Set(grams).size / grams.length;
		};
		const plain = distinct(textsUnder([]));
		const notes: string[] = [];
		const rows = CASES.map(([name, mark]): Row => {
			const texts = textsUnder([mark]);
			const evidence = median(texts.map((tokens) => -detect('', tokens, [mark]).log10P));
			notes.push(`${name}: −log10 p of a text, median ${evidence.toFixed(1)}.`);
			const ours = distinct(texts);
			return {
				case: name,
				ours,
				peer: plain,
				peerName: 'no mark',
				unit: 'distinct 3-grams',
				ratio: ours / plain,
			};
		});
		return { rows, notes };
	},
};
