/**
 * The journal of a collection: every request before it is sent, and what became of it. Append-only, one JSON entry a
 * line, each on disk before the run goes on; so whatever is killed, no request is forgotten and no answer is lost.
 *
 * @module
 */
import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { readJsonLines } from '../corpus/documents.js';
import { checked } from '../input.js';
import { lockFile } from '../lock.js';
import { Answer } from './protocol.js';

const Tokens = z.strictObject({ input: z.int().min(0), output: z.int().min(0) });
const Time = z.iso.datetime();
const Request = z.int().min(1);

/** One line. Requests are numbered from 1 over all runs. */
export const JournalEntry = z.discriminatedUnion('type', [
	/** First line: what is collected. A journal holds one plan. */
	z.strictObject({
		type: z.literal('plan'),
		version: z.literal(1),
		time: Time,
		plan: z.record(z.string(), z.unknown()),
	}),
	/** A request is about to be sent; at most so many tokens will be billed for it. */
	z.strictObject({
		type: z.literal('sent'),
		request: Request,
		question: z.string(),
		time: Time,
		atMost: Tokens.nullable(),
	}),
	z.strictObject({ type: z.literal('answered'), request: Request, time: Time, answer: Answer }),
	z.strictObject({ type: z.literal('failed'), request: Request, time: Time, reason: z.string() }),
	/** A crash left half a line, which was cut off: so many bytes. */
	z.strictObject({ type: z.literal('torn'), bytes: z.int().min(1), time: Time }),
]);
export type JournalEntry = z.infer<typeof JournalEntry>;

/** A journal that this process alone writes. */
export interface Journal {
	/** Writes an entry; it is on disk when this returns. */
	append(entry: JournalEntry): void;
	close(): void;
}

/**
 * Opens a journal, or begins one.
 *
 * @param replay is called with each entry that is there
 * @throws TouchmarkError `bad-input` for a line that is not an entry, or a journal that another process writes
 */
export async function openJournal(path: string, replay: (entry: JournalEntry) => void): Promise<Journal> {
	// Two processes at once, and budgets would not hold.
	const unlock = lockFile(`${path}.lock`, 'another process collects into this folder');
	let file: number | undefined;
	try {
		file = openSync(path, 'a+');
		const torn = cutTornLine(file);
		if (fstatSync(file).size > 0)
			for await (const { value, line } of readJsonLines(path))
				replay(checked(JournalEntry, value, `${path}:${line.number}`));
		const open = file;
		const append = (entry: JournalEntry) => {
			writeFileSync(open, `${JSON.stringify(entry)}\n`);
			fsyncSync(open);
		};
		if (torn > 0) {
			const entry = { type: 'torn', bytes: torn, time: new Date().toISOString() } as const;
			append(entry);
			replay(entry);
		}
		return {
			append,
			close() {
				closeSync(open);
				unlock();
			},
		};
	} catch (error) {
		if (file !== undefined) closeSync(file);
		unlock();
		throw error;
	}
}

/** Cuts off what follows the last line feed. @returns bytes cut */
function cutTornLine(file: number): number {
	const { size } = fstatSync(file);
	const chunk = Buffer.alloc(65536);
	let end = size;
	while (end > 0) {
		const start = Math.max(0, end - chunk.length);
		const read = readSync(file, chunk, 0, end - start, start);
		const feed = chunk.subarray(0, read).lastIndexOf(10);
		if (feed >= 0) {
			end = start + feed + 1;
			break;
		}
		end = start;
	}
	if (end < size) ftruncateSync(file, end);
	return size - end;
}
