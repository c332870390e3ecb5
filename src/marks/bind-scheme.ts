/**
 * A scheme bound to the generator that a mark names, and to its key.
 *
 * @module
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { PRFS, type Prf, type PrfName } from '../prf/prf.js';
import { adfp } from '../schemes/adfp.js';
import { dualKeyGumbel } from '../schemes/dual-key-gumbel.js';
import { expEdit } from '../schemes/exp-edit.js';
import { float24, gumbel, word32 } from '../schemes/gumbel.js';
import { kgw } from '../schemes/kgw.js';
import { permutationLists } from '../schemes/permutation-lists.js';
import { redGreen } from '../schemes/red-green.js';
import { sbw } from '../schemes/sbw.js';
import type { Scheme } from '../schemes/scheme.js';
import { lefthash, metaHash, selfhash } from '../schemes/seedings.js';
import { prfLayers, synthid } from '../schemes/synthid.js';
import { deepmindLayers, transformersLayers } from '../schemes/synthid-hashes.js';
import { twisterGumbel } from '../schemes/twister-gumbel.js';
import { unigram } from '../schemes/unigram.js';
import { isPrf } from './generators.js';
import type { MarkSpec } from './mark-spec.js';

/** What else a mark's key is for: which contexts, order of a minimum; positions of contexts, codewords and groups of accounts. */
export type Subkey = 'selector' | 'order' | 'positions' | 'codebook' | 'groups';

/** A key for a second purpose, from a mark's key. */
export function subkey(key: Uint8Array, purpose: Subkey): Uint8Array {
	return hkdf(sha256, key, undefined, utf8ToBytes(`touchmark/v1/${purpose}`), 32);
}

/**
 * One of the two keys of `dual_key_gumbel`: the first 8 bytes of SHA-256 of label and 64-bit key, both
 * big-endian (vLLM); for keys of 32 bytes that are no integer, the whole hash of label and key.
 */
export function dualKey(prf: PrfName, key: Uint8Array, label: 'key_a' | 'key_b'): Uint8Array {
	const hashed = (bytes: Uint8Array) => sha256(concatBytes(utf8ToBytes(label), bytes));
	if (prf === 'philox4x32-10-v1') return hashed(key).slice(0, 8);
	if (prf === 'hmac-sha256-v1' && key.subarray(8).every((byte) => byte === 0)) {
		const out = new Uint8Array(32);
		out.set(hashed(key.slice(0, 8).reverse()).slice(0, 8).reverse());
		return out;
	}
	return hashed(key);
}

/** Unsigned 64-bit integer of 8 bytes, little-endian. */
function integerOf(key: Uint8Array): bigint {
	return new DataView(key.buffer, key.byteOffset, 8).getBigUint64(0, true);
}

/** Binds. The spec has been validated, and the key has its generator's length. */
export function bindScheme(spec: MarkSpec, key: Uint8Array): Scheme {
	const { scheme, prf: name, contextWidth } = spec;
	const create = (bytes: Uint8Array): Prf => PRFS[name as PrfName].create(bytes);
	const grid = name === 'chacha8-v1' ? word32 : float24;
	switch (scheme.name) {
		case 'gumbel':
			if (name === 'meta-mt19937-v1')
				return twisterGumbel(
					scheme.vocabSize ?? 0,
					scheme.payload ?? 0,
					contextWidth,
					metaHash(integerOf(key)),
				);
			return gumbel(create(key), grid, contextWidth);
		case 'dual_key_gumbel': {
			const [a, b] = (['key_a', 'key_b'] as const).map((label) =>
				create(dualKey(name as PrfName, key, label)),
			);
			return dualKeyGumbel(scheme.alpha, a, b, grid, contextWidth);
		}
		case 'synthid': {
			const layers = isPrf(name)
				? prfLayers(create(key), scheme.depth, contextWidth)
				: name === 'deepmind-synthid-v1'
					? deepmindLayers(key, contextWidth)
					: transformersLayers(key, contextWidth, scheme.tableSize ?? 0, scheme.tableSeed ?? 0);
			return synthid(scheme.depth, scheme.weights === 'linear', layers);
		}
		case 'kgw': {
			if (name === 'philox4x32-10-v1') return redGreen(scheme, contextWidth, create(key));
			if (isPrf(name)) return kgw(scheme, contextWidth, create(key), create(subkey(key, 'order')));
			const integer = integerOf(key);
			if (name === 'vllm-sbw-v1') return sbw(scheme, contextWidth, integer);
			const seeding =
				name === 'meta-mt19937-v1'
					? metaHash(integer)
					: scheme.seeding === 'self'
						? selfhash(integer)
						: lefthash(integer);
			const { gamma, delta, vocabSize = 0, payload = 0 } = scheme;
			return permutationLists({ gamma, delta, vocabSize, payload }, contextWidth, seeding);
		}
		case 'unigram':
			return unigram(scheme, create(key));
		case 'adfp':
			return adfp(scheme, contextWidth, create(key));
		case 'exp-edit':
			return expEdit(scheme.keyLength, create(key));
	}
}
