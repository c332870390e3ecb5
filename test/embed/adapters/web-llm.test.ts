/**
 * The processor in a loop with the order of WebLLM 0.2.86 (which needs WebGPU): processor, bias, temperature, draw,
 * `processSampledToken`; the embedded teacher gives the logits.
 */
import { describe, expect, it } from 'vitest';
import { freshMark } from '../../../bench/fresh-marks.js';
import { webLlmProcessor } from '../../../src/embed/adapters/web-llm.js';
import { createMarker } from '../../../src/embed/marker.js';
import { randomStream } from '../../../src/embed/random.js';
import { embeddedModel, embeddedTokenizer } from '../../../src/generate/embedded.js';
import { detect } from '../../../src/verify/detect.js';

/** The host's published type of a processor. */
interface LogitProcessor {
	processLogits: (logits: Float32Array) => Float32Array;
	processSampledToken: (token: number) => void;
	resetState: () => void;
}

const key = (byte: number) => new Uint8Array(32).fill(byte);
const marks = [freshMark('kgw', 1, key(1)), freshMark('gumbel', 4, key(2))] as const;
const model = embeddedModel('teacher');
const prompt = embeddedTokenizer().encode('It was a');
const marker = createMarker({ marks, vocabSize: model.vocabSize, specialTokens: [0] });

/** How the host is asked. */
interface Request {
	readonly maxTokens: number;
	readonly temperature?: number;
	readonly bias?: number;
	readonly stop?: number;
}

/** One answer by the host. */
function answer(processor: LogitProcessor, request: Request): number[] {
	const { maxTokens, temperature = 1, bias = 0, stop } = request;
	const batch = model.newBatch(1);
	const random = randomStream('host');
	const tokens: number[] = [];
	let logits = new Float32Array(0);
	for (const id of prompt) logits = batch.step(Int32Array.of(id)).slice();
	while (tokens.length < maxTokens) {
		const processed = processor.processLogits(logits);
		expect(processed.every(Number.isFinite)).toBe(true);
		const biased = processed.map((logit) => (logit + bias) / temperature);
		const highest = biased.reduce((a, b) => Math.max(a, b));
		const weights = biased.map((logit) => Math.exp(logit - highest));
		let left = random.next() * weights.reduce((a, b) => a + b);
		let token = weights.findIndex((weight) => {
			left -= weight;
			return left < 0;
		});
		if (token < 0) token = weights.length - 1;
		tokens.push(token);
		processor.processSampledToken(token);
		if (token === stop) break;
		logits = batch.step(Int32Array.of(token)).slice();
	}
	return tokens;
}

describe('WebLLM', () => {
	it.each([1, 1e-6, 2])('draws what the session chose, whatever its temperature (%s)', (temperature) => {
		const processor = webLlmProcessor(marker, { id: 'host', seed: 'host' });
		processor.resetState();
		const tokens = answer(processor, { maxTokens: 100, temperature, bias: -100 });
		const receipts = processor.finish();
		expect(receipts).toMatchObject([{ id: 'host/0', status: 'finished', tokens: 100 }]);
		const result = detect('x', tokens, [...marks], { given: prompt });
		expect(result.verdict).toBe('marked');
		expect(result.tests[1].log10P).toBeLessThan(-20);
		expect(processor.finish()).toEqual([]);
	});

	it('begins a new answer after an end token, after finish, and after a reset', () => {
		const processor = webLlmProcessor(marker, { id: 'a', seed: 's' });
		const first = answer(processor, { maxTokens: 20 });
		expect(processor.finish()).toMatchObject([{ id: 'a/0', status: 'finished', tokens: 20 }]);

		const stop = first[7];
		const stopping = webLlmProcessor(marker, { id: 'b', seed: 's', endTokens: [stop] });
		const length = first.indexOf(stop) + 1;
		expect(answer(stopping, { maxTokens: 20, stop })).toEqual(first.slice(0, length));
		const second = answer(stopping, { maxTokens: 3 });
		stopping.resetState();
		expect(stopping.finish()).toMatchObject([
			{ id: 'b/0', status: 'finished', tokens: length },
			{ id: 'b/1', status: 'aborted', tokens: 3 },
		]);
		// Another answer has other unkeyed randomness.
		expect(second).not.toEqual(first.slice(0, 3));
	});

	it('leaves an answer alone once the host went another way, and replayed tokens too', () => {
		const processor = webLlmProcessor(marker, { seed: 's' });
		for (const token of [5, 6, 7]) processor.processSampledToken(token);
		const chosen = processor.processLogits(new Float32Array(model.vocabSize)).indexOf(0);
		processor.processSampledToken((chosen + 1) % model.vocabSize);
		const logits = new Float32Array(model.vocabSize).fill(0.5);
		expect(processor.processLogits(logits).every((logit) => logit === 0.5)).toBe(true);
		expect(processor.finish()[0].tokens).toBe(1);
	});

	it('refuses logits of another vocabulary in one sentence', () => {
		expect(() => webLlmProcessor(marker).processLogits(new Float32Array(7))).toThrow(/logits have 7 values/);
	});
});
