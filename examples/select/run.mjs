/**
 * Selection for a model that shows no logits: ask n times, keep the answer that scores best under the mark, and say
 * so in its receipt. The model is the embedded teacher behind an endpoint on the loopback.
 *
 * @example
 * node examples/select/run.mjs
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { selectCandidate, selectionReceipt } from 'touchmark/embed';
import { embeddedTokenizer } from 'touchmark/generate';
import { demoMarks, show } from '../demo.mjs';

const CANDIDATES = 16;
const QUESTION = 'It was a';

const server = spawn(process.execPath, [fileURLToPath(new URL('../teacher-server.mjs', import.meta.url))]);
server.stderr.pipe(process.stderr);
try {
	const [line] = await once(server.stdout, 'data');
	const ask = async () => {
		const body = { messages: [{ role: 'user', content: QUESTION }], max_tokens: 100 };
		const response = await fetch(`${String(line).trim()}/chat/completions`, {
			method: 'POST',
			body: JSON.stringify(body),
		});
		return (await response.json()).choices[0].message.content;
	};
	const texts = await Promise.all(Array.from({ length: CANDIDATES }, ask));
	const tokenizer = embeddedTokenizer();
	const candidates = texts.map((text) => tokenizer.encode(text));
	const given = tokenizer.encode(QUESTION);
	const [, choice] = await demoMarks();
	const { index, selection } = selectCandidate(candidates, choice, { given });
	const receipt = selectionReceipt(candidates[index], selection);
	show(`best of ${CANDIDATES}`, texts[index], candidates[index], given, receipt, [choice]);
} finally {
	server.kill();
}
