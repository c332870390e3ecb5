/**
 * A mark bound to its key: what an embed session and a verifier hold.
 *
 * @module
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { PRFS, type Prf } from '../prf/prf.js';
import { float24, gumbel, word32 } from '../schemes/gumbel.js';
import { kgw } from '../schemes/kgw.js';
import type { Scheme } from '../schemes/scheme.js';
import { MarkSpec, markId } from './mark-spec.js';

/** A mark and its key, ready to tilt, draw or score. The key itself cannot be read back from it. */
export interface Mark {
	readonly spec: MarkSpec;
	/** SHA-256 of the canonical spec, hexadecimal. */
	readonly id: string;
	readonly scheme: Scheme;
	/** Whether the mark acts on this context (always, unless its selector is keyed). */
	covers(context: ArrayLike<number>): boolean;
}

function bindScheme(spec: MarkSpec, prf: Prf): Scheme {
	const { scheme } = spec;
	switch (scheme.name) {
		case 'gumbel':
			return gumbel(prf, spec.prf === 'chacha8-v1' ? word32 : float24);
		case 'kgw':
			return kgw(scheme, prf);
	}
}

/**
 * Binds a mark to its key.
 *
 * @param key as many bytes as the mark's PRF takes (`keyBytes`)
 * @throws ZodError when the spec is not a valid MarkSpec; RangeError when the key has another length
 */
export function bindMark(spec: MarkSpec, key: Uint8Array): Mark {
	const valid = MarkSpec.parse(spec);
	const family = PRFS[valid.prf];
	const scheme = bindScheme(valid, family.create(key));
	if (valid.selector === 'all') return { spec: valid, id: markId(valid), scheme, covers: () => true };
	const selectorKey = hkdf(sha256, key, undefined, utf8ToBytes('touchmark/v1/selector'), 32);
	const selector = PRFS['chacha8-v1'].create(selectorKey);
	return {
		spec: valid,
		id: markId(valid),
		scheme,
		covers: (context) => selector.field(context, 0, 8) < valid.share,
	};
}
