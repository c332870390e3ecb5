/**
 * A marked answer by a GGUF model in node-llama-cpp, and its detection.
 *
 * @example
 * node run.mjs model.gguf "Write a story about a lighthouse keeper." 300
 *
 * @module
 */
import { getLlama } from 'node-llama-cpp';
import { createMarker } from 'touchmark';
import { nodeLlamaCppGenerate } from 'touchmark/embed/node-llama-cpp';
import { demoMarks, show } from '../demo.mjs';

const [modelPath, question = 'Write a story about a lighthouse keeper.', count = '300'] =
	process.argv.slice(2);
if (modelPath === undefined) throw new Error('usage: node run.mjs MODEL.gguf [QUESTION] [TOKENS]');

const llama = await getLlama({ gpu: false, build: 'never' });
const model = await llama.loadModel({ modelPath });
// One thread: with more than the machine has free, threads wait for each other.
const context = await model.createContext({ contextSize: 2048, threads: 1 });
const vocabSize = [...model.iterateAllTokens()].length;
const ends = [model.tokens.eos, model.tokens.eot].filter((token) => token !== null);

const marks = await demoMarks();
const marker = createMarker({ marks, vocabSize, specialTokens: ends });
const prompt = model.tokenize(`<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`, true);
const begun = performance.now();
const { tokens, receipt } = await nodeLlamaCppGenerate(context.getSequence(), marker, {
	prompt,
	vocabSize,
	maxTokens: Number(count),
	endTokens: ends,
	sampling: { temperature: 0.9 },
});
const milliseconds = (performance.now() - begun) / tokens.length;
show('node-llama-cpp', model.detokenize(tokens), tokens, prompt, receipt, marks);
process.stdout.write(`${milliseconds.toFixed(1)} ms a token\n`);
await llama.dispose();
