/**
 * A corpus that exists nowhere: short records made as they are asked for, over HTTP on loopback.
 * `scan-server.ts SHARDS RECORDS`: each of /0.jsonl … has so many records. Prints its port; ends with its input.
 *
 * @module
 */
import { createServer } from 'node:http';
import { namedTexts } from './tokenizers/texts.js';

const [, records] = process.argv.slice(2).map(Number);
/** Characters of a record: about 53 tokens, over the languages. */
const LENGTH = 130;
const texts = namedTexts(400_000).map(({ text }) => JSON.stringify(text).slice(1, -1).replace(/\\./g, ' '));

/** Records of one shard, in pieces; the same each time. */
function* pieces(shard: number): Generator<string> {
	let state = shard + 1;
	let piece: string[] = [];
	for (let i = 0; i < records; i++) {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		const text = texts[(state >>> 8) % texts.length];
		const from = Math.floor((state / 2 ** 32) * (text.length - LENGTH));
		piece.push(`{"id":"${shard}-${i}","text":"${text.slice(from, from + LENGTH)}"}\n`);
		if (piece.length === 4096) {
			yield piece.join('');
			piece = [];
		}
	}
	yield piece.join('');
}

const server = createServer((request, response) => {
	const shard = Number(/^\/(\d+)\.jsonl$/.exec(request.url ?? '')?.[1] ?? Number.NaN);
	if (Number.isNaN(shard)) {
		response.writeHead(404).end();
		return;
	}
	response.writeHead(200, { 'content-type': 'application/jsonl' });
	if (request.method === 'HEAD') {
		response.end();
		return;
	}
	const all = pieces(shard);
	const send = (): void => {
		for (;;) {
			const { done, value } = all.next();
			if (done) {
				response.end();
				return;
			}
			if (!response.write(value)) {
				response.once('drain', send);
				return;
			}
		}
	};
	send();
});
server.listen(0, '127.0.0.1', () => {
	const address = server.address();
	console.log(typeof address === 'object' ? address?.port : '');
});
process.stdin.on('end', () => process.exit(0)).resume();
