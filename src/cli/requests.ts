/**
 * Requests out of files: which account asked what, and when.
 *
 * @module
 */
import { z } from 'zod';
import { readJsonLines } from '../corpus/documents.js';
import { badInput } from '../errors.js';
import { bindSalt, fingerprintsOf } from '../fingerprints/index.js';
import { checked } from '../input.js';
import type { PromptFingerprint, Traffic } from '../networks/index.js';

/** The first hour of 2100: activity is held by hour, from the first to the last. */
const END = Date.UTC(2100, 0, 1) / 3_600_000;
/** Most fingerprints of a request. */
const MOST = 4096;

const Account = z.string().min(1, 'is empty').max(256, 'is longer than 256 characters');

const Request = z.looseObject({
	account: Account,
	time: z.iso.datetime({
		offset: true,
		error: 'must be an ISO 8601 time with a time zone, such as 2026-11-25T21:00:00Z',
	}),
	fingerprints: z
		.array(
			z
				.string({ error: 'must be a string of hexadecimal digits' })
				.regex(/^[0-9a-f]{8,16}$/, 'must be 8 to 16 lower-case hexadecimal digits'),
			{ error: 'must be a list of fingerprints' },
		)
		.max(MOST, `holds more than ${MOST} fingerprints`)
		.optional(),
	prompt: z.string({ error: 'must be a string' }).optional(),
});

/** Fingerprints of prompts in text are compared and forgotten, so their salt need be no secret. */
const SALT = bindSalt(new Uint8Array(32));

/** Hexadecimal digits as two words. */
function words(digits: string): PromptFingerprint {
	return { word: Number.parseInt(digits.slice(0, 8), 16), more: Number.parseInt(digits.slice(8) || '0', 16) };
}

/**
 * Adds the requests of a file, one a line, in any order: `{"account", "time"}` and either `"fingerprints"` or `"prompt"`.
 *
 * @param counted after every thousand
 * @throws TouchmarkError `bad-input` that names file, line and field
 */
export async function addRequests(
	path: string,
	traffic: Traffic,
	counted: (requests: number) => void,
): Promise<void> {
	let requests = 0;
	for await (const { value, line } of readJsonLines(path)) {
		const where = `${path}:${line.number}`;
		const { account, time, fingerprints, prompt } = checked(Request, value, where);
		const hour = Math.floor(Date.parse(time) / 3_600_000);
		if (hour < 0 || hour >= END) throw badInput(`${where}: field "time": must be from 1970 to 2099`);
		if (fingerprints !== undefined) traffic.add(account, hour, fingerprints.map(words));
		else if (prompt !== undefined) traffic.add(account, hour, fingerprintsOf(prompt, SALT));
		else throw badInput(`${where}: has no field "fingerprints" and no field "prompt"; give either`);
		if (++requests % 1000 === 0) counted(1000);
	}
}

/** A trace, as `touchmark trace --json` prints it; other fields stay unread. */
export const TraceFile = z.looseObject({
	accounts: z.array(z.looseObject({ account: Account }), { error: 'must be the accounts of a trace' }),
});
