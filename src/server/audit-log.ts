/**
 * The audit log: who asked what, and what was answered, one JSON object a line, appended only. Texts are not in it:
 * a salted digest lets whoever holds a text and the salt show that it was asked about.
 *
 * What a rate limit let through is a line of its own. What was refused before is counted, a line a second for each key
 * and reason: a flood must not fill the disk.
 *
 * @module
 */
import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { badInput, TouchmarkError } from '../errors.js';
import { checked, hexOf } from '../input.js';
import { writeWhole } from '../output.js';
import { COARSE_ANSWERS, type CoarseAnswer, type DetectRequest } from './answers.js';
import { PROBLEM_CODES, type ProblemCode } from './problems.js';

/** All bands, as the log writes them: verdict, a stroke, confidence. */
const BANDS = COARSE_ANSWERS.map(bandOf) as [string, ...string[]];

/** A line. */
export const AuditLine = z.strictObject({
	time: z.iso.datetime(),
	/** Id of the API key; null for requests without one that is known. */
	key: z.string().nullable(),
	/** HMAC-SHA256 of the text (or of the token ids as JSON) under the salt; null where none was read. */
	digest: hexOf(32).nullable(),
	/** Tokens of the text; null where they were not counted. */
	tokens: z.int().min(0).nullable(),
	/** The band that was answered, also to keys with full detail; null for refusals. */
	answer: z.enum(BANDS).nullable(),
	/** HTTP status. */
	status: z.int(),
	/** Why it was refused. */
	code: z.enum(PROBLEM_CODES).nullable(),
	/** Requests of which this line tells. */
	count: z.int().min(1),
});
export type AuditLine = z.infer<typeof AuditLine>;

/** Bytes that may wait for the disk. */
const MOST_PENDING = 8 * 2 ** 20;
/** Refusals that are counted together. */
const COUNTED: ReadonlySet<ProblemCode> = new Set([
	'unauthorized',
	'rate-limited',
	'quota-exceeded',
	'overloaded',
	'shutting-down',
]);

/** The band of an answer, as the log writes it. */
export function bandOf({ verdict, confidence }: CoarseAnswer): string {
	return `${verdict}/${confidence}`;
}

/** An open log. */
export interface AuditLog {
	/** Whether lines still reach the disk: a service that cannot record must not answer. */
	readonly healthy: boolean;
	digestOf(request: DetectRequest): string;
	append(line: Omit<AuditLine, 'time' | 'count'>): void;
	/** Writes what waits, to the disk itself. */
	close(): Promise<void>;
}

/** No log. */
export const NO_AUDIT_LOG: AuditLog = {
	healthy: true,
	digestOf: () => '',
	append: () => undefined,
	close: async () => undefined,
};

/**
 * Opens a log; begins it if it is not there. Its salt lies beside it, in `PATH.salt`.
 *
 * @throws TouchmarkError `bad-input`, `failed`
 */
export async function openAuditLog(path: string): Promise<AuditLog> {
	const salt = saltOf(`${path}.salt`);
	const file = await opened(path);
	const counted = new Map<string, AuditLine>();
	let pending = '';
	let writing: Promise<void> | undefined;
	let broken = false;

	function write(line: AuditLine): void {
		if (broken) return;
		pending += `${JSON.stringify(line)}\n`;
		writing ??= flush();
	}
	async function flush(): Promise<void> {
		// Lines that come in the same turn are written together.
		await Promise.resolve();
		try {
			while (pending !== '') {
				const text = pending;
				pending = '';
				await file.appendFile(text);
			}
		} catch {
			broken = true;
		}
		writing = undefined;
	}
	function writeCounted(): void {
		for (const line of counted.values()) write(line);
		counted.clear();
	}
	const timer = setInterval(writeCounted, 1000);
	timer.unref();

	return {
		get healthy() {
			return !broken && pending.length < MOST_PENDING;
		},
		digestOf(request) {
			const what = 'text' in request ? request.text : JSON.stringify(request.tokens);
			return createHmac('sha256', salt).update(what).digest('hex');
		},
		append(one) {
			const line: AuditLine = { time: new Date().toISOString(), ...one, count: 1 };
			if (line.code === null || !COUNTED.has(line.code)) return write(line);
			const name = `${line.code} ${line.key ?? ''}`;
			const before = counted.get(name);
			counted.set(
				name,
				before === undefined ? { ...line, digest: null } : { ...before, count: before.count + 1 },
			);
		},
		async close() {
			clearInterval(timer);
			writeCounted();
			while (writing !== undefined) await writing;
			if (!broken) await file.sync();
			await file.close();
			if (broken) throw new TouchmarkError('failed', `${path}: could not be written to its end`);
		},
	};
}

/** Opens for appending. A line that a crash left unfinished is ended, so that it spoils no other. */
async function opened(path: string): Promise<FileHandle> {
	try {
		const file = await open(path, 'a+', 0o600);
		const { size } = await file.stat();
		if (size > 0) {
			const last = Buffer.alloc(1);
			await file.read(last, 0, 1, size - 1);
			if (last[0] !== 0x0a) await file.appendFile('\n');
		}
		return file;
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
		throw new TouchmarkError('failed', `${path}: cannot be opened for appending${code}`, { cause: error });
	}
}

/** The salt in a file, made if it is not there. */
function saltOf(path: string): Buffer {
	if (!existsSync(path)) writeWhole(path, `${randomBytes(32).toString('hex')}\n`, 0o600);
	let text: string;
	try {
		text = readFileSync(path, 'utf8').trim();
	} catch (error) {
		throw badInput(`${path}: cannot be read`, error);
	}
	return Buffer.from(checked(hexOf(32), text, path), 'hex');
}
