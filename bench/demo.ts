/**
 * The demo's verdicts on innocent suspects, under keys that nobody used.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { type DemoResults, transcriptFile } from '../src/demo/run-demo.js';
import { randomStream } from '../src/embed/random.js';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import { createKeyring } from '../src/keys/keyring.js';
import { defaultMarks } from '../src/marks/defaults.js';
import { type Exchange, radioactivity } from '../src/verify/radioactivity.js';
import { band } from './calibration.js';
import type { Bench, Row } from './rows.js';

const FOLDER = 'touchmark-demo';

export const bench: Bench = {
	about:
		'The transcripts of a run of `npm run demo`, tested under 200 fresh key rings. Under a key that was never used ' +
		'every suspect is innocent. Ours: how often the verdict is `trained-on-marked` (or `marked`); peer: the upper edge of ' +
		'the binomial band at family-wise 99.9 %.',
	async run({ quick }) {
		const keys = quick ? 20 : 200;
		const tokenizer = embeddedTokenizer();
		const results = JSON.parse(readFileSync(`${FOLDER}/results.json`, 'utf8')) as DemoResults;
		const suspects = results.suspects.map(({ suspect }) => {
			const path = `${FOLDER}/${transcriptFile(suspect)}`;
			const exchanges = readFileSync(path, 'utf8')
				.trimEnd()
				.split('\n')
				.map((line): Exchange => {
					const { prompt, text } = JSON.parse(line) as { prompt: string; text: string };
					return { prompt: tokenizer.encode(prompt), answer: tokenizer.encode(text) };
				});
			return { suspect, exchanges };
		});
		const random = randomStream('bench/demo');
		const levels = [1e-2, 1e-6];
		const found = suspects.map(() => levels.map(() => 0));
		for (let i = 0; i < keys; i++) {
			const ring = createKeyring(
				{ unsealed: true },
				Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next())),
			);
			const marks = defaultMarks('bench', tokenizer.fingerprint).map((template) =>
				ring.bind(ring.add(template), 'verify'),
			);
			suspects.forEach(({ exchanges }, s) => {
				for (const [l, level] of levels.entries()) {
					const { verdict } = radioactivity({ mode: 'closed', exchanges }, marks, {
						level,
						heldOutKeys: 1,
					}).result;
					// What is not found at one level is not found at a stricter one.
					if (verdict !== 'trained-on-marked' && verdict !== 'marked') break;
					found[s][l]++;
				}
			});
			if (i % 20 === 0) console.log(`${i} keys`);
		}
		const family = (suspects.length + 1) * levels.length;
		const rows: Row[] = [];
		const add = (name: string, count: number, tests: number, level: number) => {
			const [low, high] = band(tests, level, 1e-3 / family);
			rows.push({
				case: `${name}@${level.toExponential()}`,
				ours: count / tests,
				peer: high,
				peerName: `upper edge of [${low}, ${high.toPrecision(3)}], ${tests} tests`,
				unit: 'share accused',
				ratio: count > 0 ? (high * tests) / count : Number.MAX_SAFE_INTEGER,
			});
		};
		levels.forEach((level, l) => {
			suspects.forEach(({ suspect }, s) => {
				add(suspect, found[s][l], keys, level);
			});
			const total = found.reduce((sum, counts) => sum + counts[l], 0);
			add('all suspects', total, keys * suspects.length, level);
		});
		return { rows };
	},
};
