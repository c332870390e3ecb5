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
	/**
	 * For millions of accounts: each belongs to one of so many groups, and the first fold of its codeword is its group's.
	 * A verifier finds the groups that fit, and holds their members only against the second fold.
	 */
	groups: z.literal([256, 4096, 65_536]).optional(),
});
export type AccountCode = z.infer<typeof AccountCode>;

/** The usual code; why: docs/attribution.md. */
export const ACCOUNT_CODE: AccountCode = { symbols: 16, positions: 256 };

/** Codewords are split in two, so that the first fold can say what the second is tested on. */
export type Fold = 0 | 1;

/** The fold of a position; two positions that share a byte share a fold. */
export function foldOf(position: number): Fold {
	return ((position >> 1) & 1) as Fold;
}

/** Groups of accounts, each with the first fold of a codeword. */
export interface Grouping {
	readonly groups: number;
	/** The group of an account. */
	of(pseudonym: string): number;
	/** A codeword, of which members have the first fold. */
	word(group: number): Uint8Array;
	/** A codeword, of which the account has the second fold. */
	own(pseudonym: string): Uint8Array;
}

/** A code bound to the key of its mark. */
export interface BoundCode extends Omit<AccountCode, 'groups'> {
	/** The codeword of an account: `positions` symbols. @param pseudonym any string */
	codeword(pseudonym: string): Uint8Array;
	/** Absent in a code without groups. */
	readonly grouping?: Grouping;
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
 * @param grouped gives groups (context as for codewords, token 0) and their words (context, the group and three zeros)
 */
export function bindCode(code: AccountCode, codebook: Prf, places: Prf, grouped: Prf): BoundCode {
	const { symbols, positions, groups } = code;
	const fields = new Uint32Array(positions);
	const step = 2 ** 32 / symbols;
	const drawn = (prf: Prf, context: readonly number[]): Uint8Array => {
		prf.fields(context, 8, fields);
		return Uint8Array.from(fields, (field) => field & (symbols - 1));
	};
	const own = (pseudonym: string) => drawn(codebook, contextOf(pseudonym));
	const grouping: Grouping | undefined = groups && {
		groups,
		of: (pseudonym) => grouped.field(contextOf(pseudonym), 0, 32) & (groups - 1),
		word: (group) => drawn(grouped, [group, 0, 0, 0]),
		own,
	};
	return {
		symbols,
		positions,
		...(grouping && { grouping }),
		codeword(pseudonym) {
			const word = own(pseudonym);
			const shared = grouping?.word(grouping.of(pseudonym));
			return shared
				? word.map((symbol, position) => (foldOf(position) === 0 ? shared[position] : symbol))
				: word;
		},
		position: (context) => places.field(context, 0, 8) & (positions - 1),
		positionsOf(rows, width, out) {
			contextFields(places, rows, width, out);
			for (let i = 0; i < out.length; i++) out[i] &= positions - 1;
		},
		turn: (symbol) => symbol * step,
	};
}

/** The context that stands for an account. */
function contextOf(pseudonym: string): number[] {
	const hash = sha256(utf8ToBytes(pseudonym));
	const view = new DataView(hash.buffer, hash.byteOffset);
	return [0, 4, 8, 12].map((at) => view.getUint32(at, true));
}

/** The field of 8 bits of token 0 after each context. @param rows context ids and token, one after another */
export function contextFields(prf: Prf, rows: Uint32Array, width: number, out: Uint32Array): void {
	const contexts = rows.slice(0, out.length * (width + 1));
	for (let at = width; at < contexts.length; at += width + 1) contexts[at] = 0;
	prf.pairFields(contexts, width, 8, out);
}
