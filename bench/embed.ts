/**
 * What marking costs a sampling step.
 *
 * @module
 */
import { createMarker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import { bindMark, type Mark } from '../src/marks/mark.js';
import { freshMark } from './fresh-marks.js';
import { type Bench, interleave } from './rows.js';

/** Logits with the spread of a language model's: a few likely tokens, a long tail. */
function logitsLike(vocabSize: number, seed: string): Float32Array {
	const random = randomStream(seed);
	return Float32Array.from({ length: vocabSize }, () => {
		const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
		return 2.5 * normal;
	});
}

const key = new Uint8Array(32).fill(7);
const shape = freshMark('kgw', 1, key);
const choice = freshMark('gumbel', 4, key);
const half: Mark = bindMark({ ...shape.spec, scheme: { name: 'kgw', gamma: 0.5, delta: 2 } }, key);

const CASES: readonly { name: string; vocabSize: number; marks: readonly Mark[] }[] = [
	{ name: 'kgw@32000', vocabSize: 32_000, marks: [shape] },
	{ name: 'kgw@128256', vocabSize: 128_256, marks: [shape] },
	{ name: 'kgw-half@128256', vocabSize: 128_256, marks: [half] },
	{ name: 'gumbel@128256', vocabSize: 128_256, marks: [choice] },
	{ name: 'both@128256', vocabSize: 128_256, marks: [shape, choice] },
];

export const bench: Bench = {
	about:
		'Time of one sampling step (temperature 1, whole vocabulary) through the embed session, batch 1, one core. ' +
		'Peer: the same step with no mark; the difference is what the mark costs.',
	async run({ quick }) {
		const steps = quick ? 10 : 30;
		const repeats = quick ? 3 : 7;
		const rows = [];
		for (const { name, vocabSize, marks } of CASES) {
			const logits = logitsLike(vocabSize, 'embed');
			const contender = (chosen: readonly Mark[]) => () => {
				const marker = createMarker({ marks: chosen, vocabSize, unkeyedShare: 0 });
				const generation = marker.start({ seed: 'embed' });
				for (let step = 0; step < steps; step++) marker.step([generation], logits);
			};
			const times = await interleave(repeats, [contender(marks), contender([])]);
			const [ours, peer] = times.map((time) => (1000 * time) / steps);
			rows.push({ case: name, ours, peer, peerName: 'unmarked step', unit: 'µs a step', ratio: peer / ours });
		}
		return { rows };
	},
};
