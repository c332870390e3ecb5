/**
 * Pseudonyms of accounts out of a file.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { readText } from './marks.js';

const Row = z.looseObject({ account: z.string().min(1).max(256) });

/**
 * One account a line: its pseudonym, or an object `{"account"}`.
 *
 * @throws TouchmarkError `bad-input` that names file and line, also for a file without an account
 */
export function readAccounts(path: string): string[] {
	const accounts = readText(path)
		.split('\n')
		.map((line) => line.trim())
		.flatMap((line, i) => {
			if (line === '') return [];
			if (!line.startsWith('{')) return line;
			const where = `${path}:${i + 1}`;
			return checked(Row, parseJson(line, where), where).account;
		});
	if (accounts.length === 0) throw badInput(`${path}: holds no account; give one pseudonym a line`);
	return accounts;
}
