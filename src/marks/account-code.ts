/**
 * The code of the account layer: every account has a codeword, one symbol for each position; every context has a position;
 * and the symbol that an account has there turns the words of the keyed draw. One word a token serves all accounts.
 *
 * With q symbols, symbol s adds s·2^32/q to a word modulo 2^32, so that u becomes frac(u + s/q): each account's draw is an
 * exact draw from the model's distribution. A codeword is a pseudorandom function of the account's pseudonym, so an account
 * that a text does not come from is judged by the randomness of its codeword (docs/attribution.md).
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import type { Prf } from '../prf/prf.js';

/** Size of a code. */
export const AccountCode = z.strictObject({
	/** Symbols: how finely a draw is turned. Two fit a byte. */
	symbols: z.literal([2, 4, 8, 16]),
	/** Symbols of a codeword; each context has one of these positions. */
	positions: z.literal([64, 128, 256]),
});
export type AccountCode = z.infer<typeof AccountCode>;

/** The usual code; why: docs/attribution.md. */
export const ACCOUNT_CODE: AccountCode = { symbols: 16, positions: 256 };

/** A code bound to the key of its mark. */
export interface BoundCode extends AccountCode {
	/** The codeword of an account: `positions` symbols. @param pseudonym any string */
	codeword(pseudonym: string): Uint8Array;
	/** Position of a context. */
	position(context: ArrayLike<number>): number;
	/** Positions of contexts that lie one after another in rows of context ids and token. */
	positionsOf(rows: Uint32Array, width: number, out: Uint32Array): void;
	/** What a symbol adds to a word, modulo 2^32. */
	turn(symbol: number): number;
}

/**
 * Binds.
 *
 * @param codebook gives codewords: context, the first 16 bytes of SHA-256(pseudonym); token, the position
 * @param places gives positions: the field of 8 bits of token 0
 */
export function bindCode(code: AccountCode, codebook: Prf, places: Prf): BoundCode {
	const { symbols, positions } = code;
	const fields = new Uint32Array(positions);
	const step = 2 ** 32 / symbols;
	return {
		...code,
		codeword(pseudonym) {
			const hash = sha256(utf8ToBytes(pseudonym));
			const view = new DataView(hash.buffer, hash.byteOffset);
			codebook.fields(
				[0, 4, 8, 12].map((at) => view.getUint32(at, true)),
				8,
				fields,
			);
			return Uint8Array.from(fields, (field) => field & (symbols - 1));
		},
		position: (context) => places.field(context, 0, 8) & (positions - 1),
		positionsOf(rows, width, out) {
			contextFields(places, rows, width, out);
			for (let i = 0; i < out.length; i++) out[i] &= positions - 1;
		},
		turn: (symbol) => symbol * step,
	};
}

/** The field of 8 bits of token 0 after each context. @param rows context ids and token, one after another */
export function contextFields(prf: Prf, rows: Uint32Array, width: number, out: Uint32Array): void {
	const contexts = rows.slice(0, out.length * (width + 1));
	for (let at = width; at < contexts.length; at += width + 1) contexts[at] = 0;
	prf.pairFields(contexts, width, 8, out);
}
