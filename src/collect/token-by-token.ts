/**
 * Log-probabilities of given texts from endpoints that say nothing of a prompt (llama.cpp's server): each token is a
 * request of one token after all that precedes it, and is looked up among those that the endpoint lists.
 *
 * Where the suspect itself would cut a text cannot be seen, so the cuts are those of a tokenizer that is named: the
 * suspect's, or one near it. A token that is not listed has at most the probability of the least listed one: that is taken.
 * What comes of a text depends on the suspect, the tokenizer and the text, and so treats both texts of a pair alike.
 *
 * @module
 */
import { tokenEnds } from '../corpus/shared-boundaries.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import type { Given, Inquiry } from './inquiry.js';
import type { Answer, Question } from './protocol.js';

/** A place of a text. */
interface Place extends Question {
	/** What goes on there. */
	readonly token: string;
}

/** The places of the tokens that begin within the text and have something before them; none where the tokenizer loses any. */
function placesOf({ id, prompt, text }: Given, tokenizer: Tokenizer): Place[] {
	const whole = prompt + text;
	const ids = tokenizer.encode(whole);
	if (tokenizer.decode(ids) !== whole) return [];
	const ends = tokenEnds({ tokenizer, ids }).filter((end) => end !== null);
	return ends.flatMap((end, i) => {
		const start = ends[i - 1] ?? 0;
		return start === 0 || start < prompt.length
			? []
			: [{ id: `${id}#${i + 1}`, prompt: whole.slice(0, start), token: whole.slice(start, end) }];
	});
}

/** What an answer says of a token; null where the endpoint lists nothing, as some do when the answer ends at once. */
function logProbOf(token: string, { tokens }: Answer): { logProb: number; listed: boolean } | null {
	const listed = tokens?.[0]?.top ?? [];
	if (listed.length === 0) return null;
	// U+FFFD stands for half a character, whatever the text holds.
	const own = listed.filter(([string]) => string === token && !string.includes('\ufffd'));
	return own.length > 0
		? { logProb: Math.max(...own.map(([, logProb]) => logProb)), listed: true }
		: { logProb: Math.min(...listed.map(([, logProb]) => logProb)), listed: false };
}

/**
 * Log-probabilities of given texts, a token a request: records as those of `askGiven`, with `unlisted`, how many tokens
 * were not listed.
 *
 * @param tokenizer cuts the texts; the suspect's, or one near it
 */
export function askTokenByToken(texts: readonly Given[], tokenizer: Tokenizer): Inquiry {
	const cut = texts.map((given) => ({ given, places: placesOf(given, tokenizer) }));
	const asked = cut.filter(({ places }) => places.length > 0);
	const questions = asked.flatMap(({ places }) => places.map(({ id, prompt }) => ({ id, prompt })));
	/** Texts by their last question. */
	const byLast = new Map(asked.map((one) => [one.places[one.places.length - 1].id, one]));
	return {
		kind: 'given',
		tokenizer: tokenizer.fingerprint,
		questions,
		unasked: cut
			.filter(({ places }) => places.length === 0)
			.map(({ given: { id } }) => ({ id, reason: 'the tokenizer cuts it into no tokens that can be asked' })),
		record(index, { model }, answers) {
			const text = byLast.get(questions[index].id);
			if (text === undefined) return null;
			const { given, places } = text;
			const found = places.flatMap(({ id, token }) => {
				const answer = answers.get(id);
				return answer === undefined ? [] : [{ answer, said: logProbOf(token, answer) }];
			});
			if (found.length < places.length) return 'not all of its tokens have an answer';
			const refused = found.find(({ answer }) => answer.refusal !== null);
			if (refused !== undefined) return `refused: ${refused.answer.refusal}`;
			const logProbs = found.flatMap(({ said }) => (said === null ? [] : [said.logProb]));
			if (logProbs.length === 0) return 'nothing was listed for any of its tokens';
			const unlisted = found.filter(({ said }) => !said?.listed).length;
			return { ...given, logProbs, unlisted, model };
		},
	};
}
