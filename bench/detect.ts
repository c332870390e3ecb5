/**
 * How fast text is scored on one core.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import type { Mark } from '../src/marks/mark.js';
import { bindMark } from '../src/marks/mark.js';
import { VllmConfig, vllmMark } from '../src/marks/vllm-config.js';
import { detect } from '../src/verify/detect.js';
import { freshMark } from './fresh-marks.js';
import { type Bench, interleave } from './rows.js';

const key = new Uint8Array(32).fill(7);
const philox = VllmConfig.parse({ algorithm: 'gumbel', key: '42' });
const choice = freshMark('gumbel', 4, key);
const hmac = bindMark({ ...choice.spec, prf: 'hmac-sha256-v1' }, key);

const CASES: readonly { name: string; mark: Mark; peer: Mark; peerName: string }[] = [
	{ name: 'hardened', mark: choice, peer: hmac, peerName: 'hmac-sha256-v1, same test' },
	{
		name: 'hardened-kgw-h1',
		mark: freshMark('kgw', 1, key),
		peer: hmac,
		peerName: 'hmac-sha256-v1 gumbel h4',
	},
	{ name: 'philox-gumbel', mark: vllmMark(philox), peer: hmac, peerName: 'hmac-sha256-v1, same test' },
];

export const bench: Bench = {
	about:
		'Detection on one core over records of 512 tokens of an English novel: distinct pairs, scores, exact tail. ' +
		'`text` starts from text and uses the embedded tokenizer (vocabulary 2,048).',
	async run({ quick }) {
		const tokenizer = embeddedTokenizer();
		const novel = gunzipSync(readFileSync('bench/distillation/books/dracula.txt.gz')).toString('utf8');
		const text = novel.slice(0, quick ? 100_000 : 400_000);
		const ids = tokenizer.encode(text);
		const records = Array.from({ length: Math.floor(ids.length / 512) }, (_, i) =>
			ids.slice(512 * i, 512 * (i + 1)),
		);
		const repeats = quick ? 3 : 7;
		const scan = (mark: Mark) => () => {
			for (const record of records) detect('', record, [mark]);
		};
		const rows = [];
		for (const { name, mark, peer, peerName } of CASES) {
			const times = await interleave(repeats, [scan(mark), scan(peer)]);
			const [ours, theirs] = times.map((time) => (records.length * 512) / (time / 1000));
			rows.push({ case: name, ours, peer: theirs, peerName, unit: 'tokens/s', ratio: ours / theirs });
		}
		const passages = Array.from({ length: Math.floor(text.length / 2000) }, (_, i) =>
			text.slice(2000 * i, 2000 * (i + 1)),
		);
		const megabytes = Buffer.byteLength(passages.join('')) / 1e6;
		const times = await interleave(repeats, [
			() => {
				for (const passage of passages) detect('', tokenizer.encode(passage), [choice]);
			},
			() => {
				for (const passage of passages) tokenizer.encode(passage);
			},
		]);
		const [ours, peer] = times.map((time) => megabytes / (time / 1000));
		rows.push({ case: 'text', ours, peer, peerName: 'tokenize-only', unit: 'MB/s', ratio: ours / peer });
		return { rows };
	},
};
