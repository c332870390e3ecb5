/** Log-probabilities of a text, a token a request. */
import { describe, expect, it } from 'vitest';
import type { Answer } from '../../src/collect/protocol.js';
import { askTokenByToken } from '../../src/collect/token-by-token.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';

const tokenizer = embeddedTokenizer();
const given = { id: 'g', prompt: 'It was a', text: ' dark night.' };
const inquiry = askTokenByToken([given], tokenizer);
const { questions } = inquiry;
/** The tokens of the text: what each question's prompt lacks of the next one's. */
const tokens = questions.map(({ prompt }, i) =>
	(questions[i + 1]?.prompt ?? given.prompt + given.text).slice(prompt.length),
);
const answerOf = (top: [string, number][], part: Partial<Answer> = {}): Answer => ({
	...{ text: '', finishReason: 'length', refusal: null, model: 'm', usage: null },
	...{ tokens: top.length === 0 ? [] : [{ token: 'x', logProb: -9, top }], ...part },
});
/** The record of answers to some questions. */
const recordOf = (answers: (Answer | undefined)[], of = inquiry) => {
	const known = new Map(
		of.questions.flatMap(({ id }, i) => {
			const answer = answers[i];
			return answer === undefined ? [] : [[id, answer]];
		}),
	);
	const last = of.questions.length - 1;
	return of.record(last, answers[last] as Answer, known);
};
const each = (one: (token: string, i: number) => Answer | undefined) => recordOf(tokens.map(one));

describe('tokens of a text', () => {
	it('are asked for one by one, each after all that precedes it', () => {
		expect(tokens.join('')).toBe(given.text);
		expect(tokenizer.encode(given.text)).toHaveLength(tokens.length);
		expect(questions[0]).toEqual({ id: expect.stringMatching(/^g#\d+$/), prompt: given.prompt });
		expect(inquiry.tokenizer).toBe(tokenizer.fingerprint);
	});
	it('make one record, with the last of them', () => {
		const listed = answerOf([[tokens[0], -1]]);
		expect(inquiry.record(0, listed, new Map([[questions[0].id, listed]]))).toBeNull();
		const record = each((token, i) =>
			answerOf([
				['#', -0.5],
				[token, -1 - i],
				[token.slice(0, 1), -7],
			]),
		);
		expect(record).toEqual({ ...given, logProbs: tokens.map((_, i) => -1 - i), unlisted: 0, model: 'm' });
	});
	it('that are not listed are as likely as the least listed one, and counted', () => {
		const record = each((token, i) =>
			i === 1
				? answerOf([
						[`${token}s`, -2],
						['#', -6],
						['\ufffd', -4],
					])
				: answerOf([[token, -1]]),
		);
		expect(record).toMatchObject({ logProbs: tokens.map((_, i) => (i === 1 ? -6 : -1)), unlisted: 1 });
	});
	it('where nothing is listed have no value', () => {
		const record = each((token, i) => answerOf(i === 0 ? [] : [[token, -1]]));
		expect(record).toMatchObject({ logProbs: tokens.slice(1).map(() => -1), unlisted: 1 });
		expect(each(() => answerOf([]))).toMatch(/nothing was listed/);
	});
	it('make no record when one is refused or has no answer', () => {
		const refusal = 'content_filter';
		expect(each((token, i) => answerOf([[token, -1]], i === 0 ? { refusal } : {}))).toMatch(/refused/);
		expect(each((token, i) => (i === 0 ? undefined : answerOf([[token, -1]])))).toMatch(/not all/);
	});
	it('cut within a character are one', () => {
		const { questions, record: _ } = askTokenByToken([{ ...given, text: ' 😀 a' }], tokenizer);
		expect(questions.map(({ prompt }) => prompt).join()).not.toContain('\ufffd');
	});
	it('that nothing precedes are not asked', () => {
		const { questions, unasked } = askTokenByToken(
			[
				{ id: 'none', prompt: '', text: 'a' },
				{ id: 'some', prompt: '', text: 'a dark night' },
			],
			tokenizer,
		);
		expect(unasked).toMatchObject([{ id: 'none' }]);
		expect(questions[0].prompt).toBe('a');
	});
});
