/**
 * The salt of an epoch's fingerprints, opened: whoever has it can look for copies of that epoch's answers in a log, and can confirm
 * guesses of their text. It gives no other key. Holds a secret.
 *
 * @module
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { bindSalt, type FingerprintSalt } from '../fingerprints/fingerprints.js';
import { checked, hexOf } from '../input.js';
import type { Keyring } from './keyring.js';

/** The file. */
export const OpenedSalt = z.strictObject({
	format: z.literal('touchmark-fingerprint-salt'),
	version: z.literal(1),
	epoch: z.int().min(0),
	salt: hexOf(32),
});
export type OpenedSalt = z.infer<typeof OpenedSalt>;

/** Opens the salt of an epoch. */
export function openSalt(ring: Keyring, epoch: number): OpenedSalt {
	return {
		format: 'touchmark-fingerprint-salt',
		version: 1,
		epoch,
		salt: bytesToHex(ring.fingerprintSalt(epoch)),
	};
}

/** Binds an opened salt. @throws TouchmarkError `bad-input` */
export function bindOpenedSalt(file: unknown, where: string): FingerprintSalt {
	return bindSalt(hexToBytes(checked(OpenedSalt, file, where).salt));
}

/** Epochs that the ring has marks of, ascending; epoch 0 in a ring without marks. */
function epochsOf(ring: Keyring): number[] {
	const epochs = new Set(ring.marks.map(({ epoch }) => epoch));
	return epochs.size === 0 ? [0] : [...epochs].sort((a, b) => a - b);
}

/** The salt of each epoch that the ring has marks of. */
export function saltsOf(ring: Keyring): FingerprintSalt[] {
	return epochsOf(ring).map((epoch) => bindSalt(ring.fingerprintSalt(epoch)));
}

/** The salt of the latest epoch: that of answers which are served now. */
export function currentSalt(ring: Keyring): FingerprintSalt {
	return bindSalt(ring.fingerprintSalt(epochsOf(ring).at(-1) ?? 0));
}
