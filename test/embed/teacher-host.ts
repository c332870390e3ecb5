import { resolve } from 'node:path';
import { AutoModelForCausalLM, AutoTokenizer, env } from '@huggingface/transformers';

env.allowRemoteModels = false;
env.localModelPath = `${resolve('models')}/`;

/** The embedded teacher in transformers.js, from local files only. */
export const model = await AutoModelForCausalLM.from_pretrained('teacher', { dtype: 'fp32' });
export const tokenizer = await AutoTokenizer.from_pretrained('teacher');
