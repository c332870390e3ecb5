/**
 * Where a mark's randomness comes from: our pseudorandom functions, and the generators of other systems. One row
 * each: which schemes it serves, how long its key is, and whether it resists whoever studies outputs.
 *
 * @module
 */
import { PRFS } from '../prf/prf.js';
import type { SchemeName, SchemeParams } from '../schemes/scheme.js';

/** What a user must know of a generator. */
export interface Generator {
	/** False: the key can be recovered or the mark forged by who studies outputs; for compatibility only. */
	readonly hardened: boolean;
	readonly schemes: readonly SchemeName[];
	/** Length of a key. */
	keyBytes(scheme: SchemeParams): number;
	/**
	 * Bits of key space that a search for an uncommitted key could have gone through: what matters of the key,
	 * which may be less than its length.
	 */
	searchBits(scheme: SchemeParams): number;
	/** Makes any bytes a key that the other system can be configured with, in place. */
	fit?(key: Uint8Array): void;
}

const ALL: readonly SchemeName[] = [
	'gumbel',
	'dual_key_gumbel',
	'synthid',
	'kgw',
	'unigram',
	'adfp',
	'exp-edit',
];
const WORDS: readonly SchemeName[] = ['gumbel', 'dual_key_gumbel', 'synthid'];

/** Whole numbers of 8 bytes, little-endian: below 2^52, so that they survive as JSON numbers everywhere. */
function fitIntegers(key: Uint8Array): void {
	for (let at = 0; at < key.length; at += 8) {
		key[at + 6] &= 0x0f;
		key[at + 7] = 0;
	}
}

function layersOf(scheme: SchemeParams): number {
	return scheme.name === 'synthid' ? scheme.depth : 0;
}

/** Every generator, by its versioned name. */
export const GENERATORS = {
	'chacha8-v1': { hardened: true, schemes: ALL, keyBytes: () => 32, searchBits: () => 256 },
	'philox4x32-10-v1': {
		hardened: false,
		schemes: [...WORDS, 'kgw'],
		keyBytes: () => 8,
		searchBits: () => 64,
	},
	'hmac-sha256-v1': { hardened: true, schemes: WORDS, keyBytes: () => 32, searchBits: () => 256 },
	// Seeds are reduced to 32 bits.
	'transformers-kgw-v1': {
		hardened: false,
		schemes: ['kgw'],
		keyBytes: () => 8,
		searchBits: () => 32,
		fit(key) {
			fitIntegers(key);
			// Odd keys lose no bit of the id.
			key[0] |= 1;
		},
	},
	'transformers-synthid-v1': {
		hardened: false,
		schemes: ['synthid'],
		keyBytes: (scheme) => 8 * layersOf(scheme),
		// Of each layer's key only the remainder modulo the table size matters, and layers can be searched one by one.
		searchBits: (scheme) =>
			Math.ceil(layersOf(scheme) * Math.log2((scheme.name === 'synthid' && scheme.tableSize) || 2)),
		fit: fitIntegers,
	},
	'deepmind-synthid-v1': {
		hardened: false,
		schemes: ['synthid'],
		keyBytes: (scheme) => 8 * layersOf(scheme),
		searchBits: (scheme) => 64 * layersOf(scheme),
		fit: fitIntegers,
	},
	'vllm-sbw-v1': {
		hardened: false,
		schemes: ['kgw'],
		keyBytes: () => 8,
		searchBits: () => 64,
		fit(key) {
			fitIntegers(key);
			// Odd keys lose no bit of a hash.
			key[0] |= 1;
		},
	},
	'meta-mt19937-v1': {
		hardened: false,
		schemes: ['gumbel', 'kgw'],
		keyBytes: () => 8,
		searchBits: () => 64,
		fit: fitIntegers,
	},
} as const satisfies Record<string, Generator> & Record<keyof typeof PRFS, Generator>;

export type GeneratorName = keyof typeof GENERATORS;

/** The row of a generator. */
export function generatorOf(name: GeneratorName): Generator {
	return GENERATORS[name];
}

/** Whether a generator is one of the pseudorandom functions of `prf/`. */
export function isPrf(name: GeneratorName): name is keyof typeof PRFS {
	return name in PRFS;
}
