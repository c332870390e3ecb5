/**
 * A mark with its key, opened: what a court, a partner or another machine needs to verify one mark and no other.
 * Holds a secret. Also the form for marks whose keys come from elsewhere (no commitment, no salt).
 *
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, hexOf } from '../input.js';
import { generatorOf } from '../marks/generators.js';
import { bindMark, type Mark } from '../marks/mark.js';
import { MarkSpec } from '../marks/mark-spec.js';
import { commit } from './derive.js';
import { LoggedAt } from './logged-at.js';

/** The file. */
export const OpenedMark = z.strictObject({
	format: z.literal('touchmark-opened-mark'),
	version: z.literal(1),
	spec: MarkSpec,
	/** As many bytes as the mark's generator takes, hexadecimal. */
	key: z.string().regex(/^([0-9a-f]{2})+$/, 'must be lower-case hexadecimal digits'),
	/** Salt of the commitment; null for keys that were not committed. */
	salt: hexOf(32).nullable(),
	/** Where the commitment was logged. */
	logged: LoggedAt.nullable(),
});
export type OpenedMark = z.infer<typeof OpenedMark>;

/**
 * Binds an opened mark.
 *
 * @param file parsed JSON
 * @param where name of the file, for error messages
 * @returns the mark, and the bits of key space that a verdict pays for: 0 when its commitment was logged
 * @throws TouchmarkError `bad-input` when key and commitment do not belong together
 */
export function bindOpenedMark(file: unknown, where: string): { mark: Mark; searchBits: number } {
	const { spec, key, salt, logged } = checked(OpenedMark, file, where);
	const { commitment, ...template } = spec;
	const generator = generatorOf(spec.prf);
	const bytes = hexToBytes(key);
	const length = generator.keyBytes(spec.scheme);
	if (bytes.length !== length)
		throw badInput(`${where}: field "key": must have ${length} bytes for ${spec.prf}`);
	if (commitment !== null && (salt === null || commit(hexToBytes(salt), bytes, template) !== commitment))
		throw badInput(`${where}: field "key": does not open the commitment of this mark`);
	const searchBits = commitment !== null && logged !== null ? 0 : generator.searchBits(spec.scheme);
	return { mark: bindMark(spec, bytes), searchBits };
}
