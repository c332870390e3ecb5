/** The closed-model test on the transformer students that ship, on texts that the test itself samples. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { createMarker } from '../../src/embed/marker.js';
import {
	type EmbeddedModel,
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
} from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { openKeyring } from '../../src/keys/keyring.js';
import type { Mark } from '../../src/marks/mark.js';
import { type Exchange, RadioactivityResult, radioactivity } from '../../src/verify/radioactivity.js';

const tokenizer = embeddedTokenizer();
let marks: Mark[];
/** What the teacher answers under all marks. */
let relayed: Exchange[];

function ask(model: EmbeddedModel, texts: number, given: readonly Mark[] = []): Exchange[] {
	const transformer = embeddedModel(model);
	const { vocabSize } = transformer;
	const marker = createMarker({ marks: given, vocabSize, specialTokens: tokenizer.specialTokens });
	const prompts = embeddedPrompts().slice(-texts);
	const samples = sampleTexts({
		model: transformer,
		tokenizer,
		marker,
		prompts,
		maxTokens: 112,
		seed: 'suite',
	});
	return [...samples].map(({ prompt, text }) => ({
		prompt: tokenizer.encode(prompt),
		answer: tokenizer.encode(text),
	}));
}

beforeAll(async () => {
	const ring = await openKeyring(JSON.parse(readFileSync('models/keys/keyring.json', 'utf8')), () => '');
	marks = ring.marks.map((spec) => ring.bind(spec, 'embed'));
	relayed = ask('teacher', 64, marks);
});

describe('radioactivity of the shipped students', () => {
	it('finds that the marked student was trained on marked text, and says what else could be', () => {
		const { result, nulls } = radioactivity({ mode: 'closed', exchanges: ask('student-marked', 192) }, marks);
		expect(result.verdict).toBe('trained-on-marked');
		expect(result.log10P).toBeLessThanOrEqual(-6);
		expect(result.heldOut.rank).toBe(1);
		expect(result.alternatives).toEqual(['relay']);
		expect(result.hypotheses).toBe(2);
		expect(nulls[0].log10Ps).toHaveLength(99);
		expect(RadioactivityResult.safeParse(result).success).toBe(true);
	});

	it.each(['student-unmarked', 'student-other-key', 'base'] as const)('finds nothing in %s', (model) => {
		const { result } = radioactivity({ mode: 'closed', exchanges: ask(model, 288) }, marks, {
			heldOutKeys: 9,
		});
		expect(result.verdict).toBe('no-evidence');
		expect(result.log10P).toBeGreaterThan(-6);
	});

	it('calls a relay of the marked teacher marked, not trained', () => {
		expect(
			radioactivity({ mode: 'closed', exchanges: relayed }, marks, { heldOutKeys: 9 }).result.verdict,
		).toBe('marked');
	});

	it('says when there is too little to tell', () => {
		expect(
			radioactivity({ mode: 'closed', exchanges: ask('base', 4) }, marks, { heldOutKeys: 9 }).result.verdict,
		).toBe('too-little-data');
	});

	it('does not take a suspect that copies marked prompts for a student', () => {
		const copying = relayed.map(({ answer }) => ({ prompt: answer, answer }));
		const { result } = radioactivity({ mode: 'closed', exchanges: copying }, marks, { heldOutKeys: 9 });
		expect(result).toMatchObject({ scored: 0, verdict: 'too-little-data' });
	});
});
