/**
 * A small corpus with marked records in it, for scans on one machine and on many: the texts of a recorded fleet (its keys are
 * public) among made-up ones.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FLEET = fileURLToPath(new URL('../vectors/python-fleet/', import.meta.url));
/** The fleet's marks. */
export const SPEC = `${FLEET}epoch.json`;

/** A record. */
export interface CorpusRecord {
	readonly id: string;
	readonly text: string;
	readonly tokens: readonly number[];
	readonly prompt?: string;
}

/** Numbers from 0 to 1 that are the same each time. */
function newNumbers(): () => number {
	let state = 1;
	return () => {
		state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
		return (state >>> 8) / 2 ** 24;
	};
}

/** Records of the fleet: `marked 0` to `marked 31`. */
export const marked: readonly CorpusRecord[] = readFileSync(`${FLEET}served.jsonl`, 'utf8')
	.trimEnd()
	.split('\n')
	.map((line, i) => {
		const { text, prompt, tokens } = JSON.parse(line);
		return { id: `marked ${i}`, text, prompt, tokens };
	});

/** Of these the corpus has this many copies each, more than a window may have to be scored for a record. */
export const COPIED = { record: 0, copies: 12 };

/** Records in which marked ones lie far apart; those that are copied lie in all parts. */
export function corpusRecords(innocent: number): CorpusRecord[] {
	const random = newNumbers();
	const below = (n: number) => Math.floor(n * random());
	const words = Array.from({ length: 400 }, () =>
		Array.from({ length: 2 + below(8) }, () => String.fromCharCode(97 + below(26))).join(''),
	);
	const records = Array.from({ length: innocent }, (_, i): CorpusRecord => {
		const length = 20 + below(100);
		return {
			id: `innocent ${i}`,
			text: Array.from({ length }, () => words[below(400)]).join(' '),
			tokens: Array.from({ length }, () => below(2000)),
		};
	});
	const planted = [
		...marked,
		...Array.from({ length: COPIED.copies }, (_, i) => ({ ...marked[COPIED.record], id: `copy ${i}` })),
	];
	for (const [i, record] of planted.entries())
		records.splice(Math.floor((i * innocent) / planted.length), 0, record);
	return records;
}
