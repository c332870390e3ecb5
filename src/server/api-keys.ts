/**
 * Who may ask: a file of API keys. It holds the SHA-256 of each key, never the key: keys are 256 random bits, so that
 * no hash of them can be tried out.
 *
 * @module
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, hexOf, parseJson } from '../input.js';
import { writeWhole } from '../output.js';

/** Keys in a file: each request is compared with all of them. */
const MOST_KEYS = 1000;

/** One key, and what it may ask for. */
export const ApiKey = z.strictObject({
	/** Names the key in the audit log. */
	id: z
		.string()
		.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'must be a name of letters, digits, ".", "_", "-"'),
	/** Of the whole key, hexadecimal. */
	sha256: hexOf(32),
	created: z.string(),
	/** Requests a day (UTC). */
	perDay: z.int().min(1),
	/** Requests a second in the long run. */
	perSecond: z.number().positive(),
	/** Requests at once after a pause. */
	burst: z.int().min(1),
	/** `coarse`: bands only. `full`: scores and p-values too, for keys that nobody climbs with. */
	detail: z.enum(['coarse', 'full']),
});
export type ApiKey = z.infer<typeof ApiKey>;

/** The file. */
export const ApiKeysFile = z
	.strictObject({
		format: z.literal('touchmark-api-keys'),
		version: z.literal(1),
		keys: z.array(ApiKey).max(MOST_KEYS),
	})
	.refine(({ keys }) => new Set(keys.map(({ id }) => id)).size === keys.length, 'two keys have the same id');
export type ApiKeysFile = z.infer<typeof ApiKeysFile>;

/** What a new key may ask for, unless more or less is asked for. */
export const DEFAULT_ALLOWANCE = { perDay: 10_000, perSecond: 10, burst: 20, detail: 'coarse' } as const;

/** Reads the file. @throws TouchmarkError `bad-input` */
export function readApiKeys(path: string): readonly ApiKey[] {
	let text: string;
	try {
		text = readFileSync(path, 'utf8');
	} catch (error) {
		throw badInput(
			`${path}: cannot be read; make the first key with \`touchmark api-keys add NAME --api-keys FILE\``,
			error,
		);
	}
	return checked(ApiKeysFile, parseJson(text, path), path).keys;
}

/** {@link readApiKeys} of a file that need not be there yet. */
export function readApiKeysIfAny(path: string): readonly ApiKey[] {
	return existsSync(path) ? readApiKeys(path) : [];
}

/** Writes the file, readable by its owner only. @throws TouchmarkError `bad-input`, `failed` */
export function writeApiKeys(path: string, keys: readonly ApiKey[]): void {
	const file = checked(ApiKeysFile, { format: 'touchmark-api-keys', version: 1, keys: [...keys] }, path);
	writeWhole(path, `${JSON.stringify(file, null, 1)}\n`, 0o600);
}

/** A new key. @returns the key itself, which is nowhere else, and its entry for the file */
export function newApiKey(
	id: string,
	allowance: Pick<ApiKey, 'perDay' | 'perSecond' | 'burst' | 'detail'>,
): { secret: string; key: ApiKey } {
	const secret = `tmk_${randomBytes(32).toString('base64url')}`;
	const sha256 = hashOf(secret).toString('hex');
	return { secret, key: { id, sha256, created: new Date().toISOString(), ...allowance } };
}

/** Finds the key of a request. */
export interface Authentication {
	/** @param authorization the header of that name */
	keyOf(authorization: string | undefined): ApiKey | undefined;
}

/** Every key is compared, in constant time, whichever fits. */
export function newAuthentication(keys: readonly ApiKey[]): Authentication {
	const hashes = keys.map((key) => ({ key, hash: Buffer.from(key.sha256, 'hex') }));
	return {
		keyOf(authorization) {
			const given = /^Bearer +(\S{1,256})$/i.exec(authorization ?? '');
			if (given === null) return undefined;
			const asked = hashOf(given[1]);
			let found: ApiKey | undefined;
			for (const { key, hash } of hashes) if (timingSafeEqual(hash, asked)) found = key;
			return found;
		},
	};
}

function hashOf(secret: string): Buffer {
	return createHash('sha256').update(secret).digest();
}
