/**
 * `near-verbatim`: served answers hidden in a large dataset, found by what the log has of them.
 *
 * @module
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { createMarker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import { bindSalt } from '../src/fingerprints/fingerprints.js';
import { wordsOf } from '../src/fingerprints/words.js';
import { createKeyring } from '../src/keys/keyring.js';
import { openLog } from '../src/ledger/log.js';
import { newReceiptLog } from '../src/ledger/receipts.js';
import { readServedAnswers, type ServedAnswers } from '../src/verify/served-answers.js';
import { corpusFiles } from './corpus-files.js';
import type { Bench, Row } from './rows.js';

/** A real text, who wrote it, and what it answers. */
interface Answer {
	readonly author: string;
	readonly prompt: string;
	readonly text: string;
}

/** More often than this the same text is nobody's answer to a question, but a constant. */
const CONSTANT = 10;

/** Answers of a folder of JSONL files; without one, passages of the repository's books, each with a prompt of its own. */
function answersOf(corpus: string | undefined): Answer[] {
	if (corpus === undefined)
		return readdirSync('bench/distillation/books')
			.filter((name) => name.endsWith('.txt.gz'))
			.flatMap((author) => {
				const words = gunzipSync(readFileSync(join('bench/distillation/books', author)))
					.toString('utf8')
					.split(/\s+/);
				return Array.from({ length: Math.floor(words.length / 250) }, (_, i) => ({
					author,
					prompt: `${author} ${i}`,
					text: words.slice(i * 250, (i + 1) * 250).join(' '),
				}));
			});
	return corpusFiles(corpus).flatMap(({ name: author, records }) =>
		records.map(({ prompt, text }, i) => ({ author, prompt: prompt ?? `${author} ${i}`, text })),
	);
}

const random = randomStream('near-verbatim');
const below = (count: number) => Math.floor(random.next() * count);
const pick = <T>(list: readonly T[]): T => list[below(list.length)];

/** So many words of a text from a random place; all of a shorter one. */
function cut(text: string, length: number): string[] {
	const words = text.split(/\s+/);
	const begin = below(Math.max(1, words.length - length + 1));
	return words.slice(begin, begin + length);
}

/** What is done to a copy. */
const CHANGES = {
	cut: (words: string[]) => words,
	'case and punctuation': (words: string[]) => {
		const change = pick([(word: string) => word.toUpperCase(), (word: string) => word.toLowerCase()]);
		return words.map((word) => change(word).replace(/[.,;:!?"'()*#`-]/g, ' '));
	},
	'10 % of words edited': (words: string[]) => edited(words, 0.1),
	'20 % of words edited': (words: string[]) => edited(words, 0.2),
	'all of it, 10 % of words edited': (words: string[]) => CHANGES['case and punctuation'](edited(words, 0.1)),
} as const;

/** A share of the words left out, replaced, or followed by another, a third each. */
function edited(words: readonly string[], share: number): string[] {
	return words.flatMap((word) => {
		if (random.next() >= share) return [word];
		return pick([[], [pick(words)], [word, pick(words)]]);
	});
}

/** The peer: texts that share 13 words in a row, the text itself at hand. */
function thirteenWords(texts: readonly string[]): (text: string) => Set<number> {
	const grams = (text: string) => {
		const { hashes, count } = wordsOf(text);
		const keys: string[] = [];
		for (let i = 0; i + 13 <= count; i++) keys.push(hashes.subarray(2 * i, 2 * i + 26).join());
		return keys;
	};
	const index = new Map<string, number>();
	for (const [i, text] of texts.entries())
		for (const key of grams(text)) if (!index.has(key)) index.set(key, i);
	return (text) => new Set(grams(text).flatMap((key) => index.get(key) ?? []));
}

/** A log of these answers, read again. */
async function logged(answers: readonly Answer[], folder: string) {
	const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(1));
	const salt = bindSalt(ring.fingerprintSalt(0));
	const writer = await openLog(folder, ring);
	const marker = createMarker({ marks: [], vocabSize: 2 });
	const receipts = newReceiptLog(writer, salt);
	const places = await Promise.all(
		answers.map(({ text, prompt }, i) => {
			const generation = marker.start({ id: `answer-${i}` });
			marker.step([generation], new Float32Array(2));
			return receipts.append(generation.finish(), null, { text, prompt });
		}),
	);
	await writer.close();
	return { salt, numbers: new Map(places.map(({ index }, i) => [index, i])) };
}

export const bench: Bench = {
	about:
		'Served answers hidden in a dataset of a million records, found by the fingerprints in the log of their receipts. Half of the ' +
		'questions of the corpus are "served": 1,000 answers to them are logged, text and prompt in, fingerprints out, and each is hidden ' +
		'once, cut to 40 to 250 words, in half of the cases between passages of other texts, and changed. All other records are real and cut at random ' +
		'until the number is reached: answers to questions that were not served (`unrelated`), and answers of other models to the served ' +
		'questions (`same question`), which quote the same sources, lists and code. The peer keeps the texts and takes 13 words in a row, as ' +
		'checks of training sets for test questions do. Rates are shares of the records of their kind.',
	async run({ quick, corpus }) {
		const total = quick ? 20_000 : 1_000_000;
		const hidden = quick ? 200 : 1000;
		const given = answersOf(corpus);
		const times = new Map<string, number>();
		for (const { text } of given) times.set(text, (times.get(text) ?? 0) + 1);
		const all = given.filter(
			({ text }) => text.split(/\s+/).length >= 60 && (times.get(text) ?? 0) <= CONSTANT,
		);
		const prompts = [...new Set(all.map(({ prompt }) => prompt))];
		const asked = new Set(prompts.filter((_, i) => i % 2 === 0));
		const authors = [...new Set(all.map(({ author }) => author))];
		const ours = new Set(authors.slice(0, Math.max(1, Math.ceil(authors.length / 8))));
		const candidates = all.filter(({ author, prompt }) => asked.has(prompt) && ours.has(author));
		const step = candidates.length / hidden;
		const served = Array.from(
			{ length: Math.min(hidden, candidates.length) },
			(_, i) => candidates[Math.floor(i * step)],
		);
		const unrelated = all.filter(({ prompt }) => !asked.has(prompt));
		const servedPrompts = new Set(served.map(({ prompt }) => prompt));
		const others = all.filter(({ author, prompt }) => servedPrompts.has(prompt) && !ours.has(author));
		const folder = mkdtempSync(join(tmpdir(), 'touchmark-near-verbatim-'));
		try {
			const { salt, numbers } = await logged(served, join(folder, 'log'));
			const index = readServedAnswers(join(folder, 'log'), [salt]);
			const peer = thirteenWords(served.map(({ text }) => text));
			const time = { ours: 0, peer: 0, bytes: 0 };
			const look = (text: string, at: ServedAnswers = index) => {
				let begun = performance.now();
				const found = at.matches(text).map(({ entry }) => numbers.get(entry) ?? -1);
				time.ours += performance.now() - begun;
				begun = performance.now();
				const peers = peer(text);
				time.peer += performance.now() - begun;
				time.bytes += text.length;
				return { found, peers };
			};
			const hide = (words: readonly string[]) =>
				random.next() < 0.5
					? words.join(' ')
					: [...cut(pick(unrelated).text, 40), ...words, ...cut(pick(unrelated).text, 40)].join(' ');
			const recalls = (lengthOf: () => number, change: (words: string[]) => string[]) => {
				const hits = { ours: 0, peer: 0, only: 0 };
				for (const [i, { text }] of served.entries()) {
					const { found, peers } = look(hide(change(cut(text, lengthOf()))));
					if (found.includes(i)) hits.ours++;
					if (found.length === 1 && found[0] === i) hits.only++;
					if (peers.has(i)) hits.peer++;
				}
				return {
					ours: hits.ours / served.length,
					peer: hits.peer / served.length,
					only: hits.only / served.length,
				};
			};
			const share = (records: readonly Answer[], count: number) => {
				let [mine, theirs] = [0, 0];
				for (let i = 0; i < count; i++) {
					const { found, peers } = look(cut(pick(records).text, 40 + below(211)).join(' '));
					if (found.length > 0) mine++;
					if (peers.size > 0) theirs++;
				}
				return { ours: mine / count, peer: theirs / count, found: mine, count };
			};
			const rows: Row[] = [];
			const notes: string[] = [];
			const peerName = '13 words in a row, text kept';
			const row = (name: string, mine: number, theirs: number, unit: string, higher: boolean) =>
				rows.push({
					case: name,
					ours: mine,
					peer: theirs,
					peerName,
					unit,
					ratio: higher ? mine / theirs : theirs / mine,
				});
			for (const [name, change] of Object.entries(CHANGES)) {
				const { ours, peer, only } = recalls(() => 40 + below(211), change);
				row(`recall: ${name}`, ours, peer, 'share found', true);
				if (name.startsWith('all'))
					notes.push(
						`Of the hidden records, ${(100 * only).toFixed(1)} % name the answer that they come from and no other.`,
					);
			}
			const byLength = [30, 40, 60, 80, 100, 150, 200].map((length) => {
				const { ours } = recalls(() => length, CHANGES['all of it, 10 % of words edited']);
				return `${length} words ${ours.toFixed(3)}`;
			});
			notes.push(
				`Recall by length of the cut, case and punctuation changed and 10 % of words edited: ${byLength.join(', ')}.`,
			);
			const innocent = total - served.length;
			const far = share(unrelated, Math.round(innocent * 0.9));
			row(
				'false: unrelated',
				Math.max(far.ours, 1 / far.count),
				Math.max(far.peer, 1 / far.count),
				'share matched',
				false,
			);
			if (others.length > 0) {
				const near = share(others, innocent - far.count);
				row('false: same question', near.ours, near.peer, 'share matched', false);
				notes.push(`${near.found} of ${near.count} answers of others to the same questions match.`);
			}
			notes.push(`${far.found} of ${far.count} unrelated records match (none counts as one in the table).`);
			const second = readServedAnswers(join(folder, 'log'), [salt]);
			const known = authors.filter((author) => !ours.has(author)).filter((_, i) => i % 2 === 0);
			for (const { author, text } of all) if (known.includes(author)) second.strike(text);
			const rest = others.filter(({ author }) => !known.includes(author));
			if (rest.length > 0) {
				let struck = 0;
				for (const { text } of rest) if (second.matches(text).length > 0) struck++;
				let whole = 0;
				for (const { text } of rest) if (index.matches(text).length > 0) whole++;
				let kept = 0;
				for (const [i, { text }] of served.entries())
					if (
						second
							.matches(CHANGES['all of it, 10 % of words edited'](cut(text, 100)).join(' '))
							.some(({ entry }) => numbers.get(entry) === i)
					)
						kept++;
				notes.push(
					`With the answers of ${known.length} other models as background, ${struck} of ${rest.length} whole answers of the remaining others match instead of ${whole}; 100 words of a copy are then found in ${((100 * kept) / served.length).toFixed(1)} %.`,
				);
			}
			row('speed', time.bytes / time.ours / 1000, time.bytes / time.peer / 1000, 'MB/s', true);
			const words = served.reduce((sum, { text }) => sum + wordsOf(text).count, 0) / served.length;
			const prints = (index.fingerprints + index.common) / served.length;
			notes.push(
				`${total} records, ${(time.bytes / 1e6).toFixed(0)} MB of text; ${served.length} served answers of ${words.toFixed(0)} words on average leave ${prints.toFixed(1)} fingerprints each, ${(8 * prints).toFixed(0)} bytes in the log; ${index.common} fingerprints were common.`,
			);
			return { rows, notes };
		} finally {
			rmSync(folder, { recursive: true });
		}
	},
};
