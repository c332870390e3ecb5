/**
 * A marked answer in the browser by WebLLM, which needs WebGPU and downloads its model.
 *
 * @example
 * npm install --ignore-scripts && npm start # then open http://localhost:8000 in a browser with WebGPU
 *
 * @module
 */
import { CreateMLCEngine } from '@mlc-ai/web-llm';
import { createMarker } from 'touchmark/embed';
import { webLlmProcessor } from 'touchmark/embed/web-llm';
import { bindMark, defaultMarks } from 'touchmark/marks';

const MODEL = 'SmolLM2-135M-Instruct-q0f32-MLC';
/** Logits of this model, and its end of a turn. */
const VOCAB_SIZE = 49152;
const END = 2;

const page = document.querySelector('pre');
const say = (text) => {
	page.textContent += `${text}\n`;
};

// A page that its user can read is no place for a deployment's key: these keys are thrown away.
const marks = defaultMarks('web-llm-example', '0'.repeat(64)).map((template) =>
	bindMark({ ...template, tokenizer: null, commitment: null }, crypto.getRandomValues(new Uint8Array(32))),
);
const marker = createMarker({ marks, vocabSize: VOCAB_SIZE, specialTokens: [END] });
const processor = webLlmProcessor(marker, { endTokens: [END], sampling: { temperature: 0.9 } });
try {
	const engine = await CreateMLCEngine(MODEL, {
		logitProcessorRegistry: new Map([[MODEL, processor]]),
		initProgressCallback: ({ text }) => say(text),
	});
	const { choices } = await engine.chat.completions.create({
		messages: [{ role: 'user', content: 'Write a story about a lighthouse keeper.' }],
		max_tokens: 300,
	});
	say(choices[0].message.content);
	say(JSON.stringify(processor.finish(), null, '\t'));
} catch (error) {
	say(`${error}`);
}
