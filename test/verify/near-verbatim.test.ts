/** Copies of served answers: what is found, what is not, and how a pair is shown. */
import { describe, expect, it } from 'vitest';
import { bindSalt, fingerprintsOf } from '../../src/fingerprints/index.js';
import { exhibitOf } from '../../src/verify/exhibit.js';
import { nearVerbatim, strike } from '../../src/verify/near-verbatim.js';
import { COMMON_ANSWERS, newServedIndex } from '../../src/verify/served-index.js';

const salt = bindSalt(new Uint8Array(32).fill(3));
/** Text of words that no other number shares. */
const textOf = (number: number, count = 120) =>
	Array.from({ length: count }, (_, i) => `t${number}w${(i * 7919) % 997}`);
const indexOf = (texts: readonly string[]) => {
	const builder = newServedIndex();
	for (const text of texts) builder.add(fingerprintsOf(text, salt));
	return builder.build();
};

describe('a record', () => {
	const texts = Array.from({ length: 300 }, (_, i) => textOf(i).join(' '));
	const index = indexOf(texts);
	it('is found when it holds a stretch of an answer, cut, shouted and without punctuation', () => {
		const cut = textOf(17).slice(30, 90).join(' ').toUpperCase();
		const [match, ...others] = nearVerbatim(`Preface of another hand. ${cut} And an afterword.`, salt, index);
		expect(match.answer).toBe(17);
		expect(match.shared).toBe(match.fingerprints);
		expect(others).toEqual([]);
	});
	it('is found with every tenth word changed, and names both answers that it was put together from', () => {
		const changed = (number: number) => textOf(number).map((word, i) => (i % 10 === 4 ? 'changed' : word));
		const both = nearVerbatim([...changed(3), ...changed(250)].join(' '), salt, index);
		expect(both.map(({ answer }) => answer).sort()).toEqual([250, 3]);
	});
	it('is not found for phrases that lie scattered over an answer, or for one phrase', () => {
		const words = textOf(40, 300);
		const long = indexOf([words.join(' ')]);
		const scattered = [0, 70, 140, 210, 280].flatMap((at, i) => [
			...words.slice(at, at + 8),
			...textOf(900 + i, 60),
		]);
		expect(nearVerbatim(scattered.join(' '), salt, long)).toEqual([]);
		expect(nearVerbatim(words.slice(0, 14).join(' '), salt, long)).toEqual([]);
		expect(nearVerbatim(words.slice(0, 60).join(' '), salt, long)).toHaveLength(1);
	});
	it('is not found for what everybody says', () => {
		const phrase = textOf(5, 60).join(' ');
		const few = indexOf(Array.from({ length: COMMON_ANSWERS }, (_, i) => `${textOf(i).join(' ')} ${phrase}`));
		const many = indexOf(
			Array.from({ length: COMMON_ANSWERS + 1 }, (_, i) => `${textOf(i).join(' ')} ${phrase}`),
		);
		expect(nearVerbatim(phrase, salt, few)).toHaveLength(COMMON_ANSWERS);
		expect(few.common).toBe(0);
		expect(nearVerbatim(phrase, salt, many)).toEqual([]);
		expect(many.common).toBeGreaterThan(0);
	});
	it('is not found for what a background says too', () => {
		const struck = indexOf(texts);
		strike(`Somebody else wrote before: ${textOf(9).slice(0, 70).join(' ')}`, salt, struck);
		expect(nearVerbatim(textOf(9).slice(0, 70).join(' '), salt, struck)).toEqual([]);
		expect(nearVerbatim(textOf(9).slice(70).join(' '), salt, struck)).toHaveLength(1);
		expect(struck.size).toBeLessThan(index.size);
	});
	it('is not found under another salt', () => {
		expect(nearVerbatim(texts[0], bindSalt(new Uint8Array(32).fill(4)), index)).toEqual([]);
	});
});

describe('an exhibit', () => {
	it('counts the words that were changed, left out and put in, and shows them in order', () => {
		const served =
			'One two three four five six, seven eight nine ten eleven twelve thirteen fourteen fifteen.';
		const record =
			'Somebody said: ONE TWO THREE FOUR FIVE other seven eight nine ten eleven more twelve thirteen fourteen fifteen';
		const exhibit = exhibitOf(served, record);
		expect(exhibit).toMatchObject({ servedWords: 11, recordWords: 11, edits: 1 });
		expect(exhibit?.pieces).toEqual([
			{ served: 'One two three four five', record: 'ONE TWO THREE FOUR FIVE', same: true },
			{ served: 'six', record: 'other', same: false },
			{ served: 'seven eight nine ten eleven', record: 'seven eight nine ten eleven', same: true },
		]);
		expect(exhibit?.similarity).toBeCloseTo(10 / 11, 10);
	});
	it('is whole for a whole copy, and none where no five words are shared', () => {
		const text = textOf(1).join(' ');
		expect(exhibitOf(text, text.toUpperCase())).toMatchObject({ servedWords: 120, edits: 0, similarity: 1 });
		expect(exhibitOf(text, textOf(2).join(' '))).toBeNull();
	});
	it('takes stretches in the order of both texts', () => {
		const [a, b] = [textOf(1, 10).join(' '), textOf(2, 14).join(' ')];
		expect(exhibitOf(`${a} ${b}`, `${b} ${a}`)).toMatchObject({ servedWords: 14, edits: 0 });
	});
});
