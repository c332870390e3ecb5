/**
 * A marked answer by an ONNX model in onnxruntime-node, and its detection.
 *
 * @example
 * node examples/onnxruntime/run.mjs
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-node';
import { createMarker } from 'touchmark';
import { onnxruntimeGenerate } from 'touchmark/embed/onnxruntime';
import { embeddedTokenizer } from 'touchmark/generate';
import { demoMarks, show } from '../demo.mjs';

const path = fileURLToPath(new URL('../../models/teacher/onnx/model.onnx', import.meta.url));
const session = await ort.InferenceSession.create(path);
const tokenizer = embeddedTokenizer();

const marks = await demoMarks();
const marker = createMarker({ marks, vocabSize: 2048, specialTokens: tokenizer.specialTokens });
const prompt = tokenizer.encode('It was a');
const { tokens, receipt } = await onnxruntimeGenerate(ort, session, marker, {
	prompt,
	maxTokens: 100,
	endTokens: tokenizer.specialTokens,
});
show('onnxruntime', tokenizer.decode(tokens), tokens, prompt, receipt, marks);
