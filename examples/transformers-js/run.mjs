/**
 * Two marked answers by transformers.js in one batch, and their detection.
 *
 * @example
 * node examples/transformers-js/run.mjs
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import { AutoModelForCausalLM, AutoTokenizer, env } from '@huggingface/transformers';
import { createMarker } from 'touchmark';
import { transformersJsProcessor } from 'touchmark/embed/transformers-js';
import { demoMarks, show } from '../demo.mjs';

env.allowRemoteModels = false;
env.localModelPath = fileURLToPath(new URL('../../models/', import.meta.url));
const model = await AutoModelForCausalLM.from_pretrained('teacher', { dtype: 'fp32' });
const tokenizer = await AutoTokenizer.from_pretrained('teacher');

const marks = await demoMarks();
const end = tokenizer.eos_token_id;
const marker = createMarker({ marks, vocabSize: model.config.vocab_size, specialTokens: [end] });
const processor = transformersJsProcessor(marker, { endTokens: [end] });
const inputs = tokenizer(['It was a', 'There is a']);
const output = await model.generate({
	...inputs,
	max_new_tokens: 100,
	do_sample: true,
	logits_processor: [processor],
});
const receipts = processor.finish();
const given = inputs.input_ids.tolist().map((row) => row.map(Number));
output.tolist().forEach((row, i) => {
	const tokens = row.slice(given[i].length, given[i].length + receipts[i].tokens).map(Number);
	show('transformers.js', tokenizer.decode(tokens), tokens, given[i], receipts[i], marks);
});
