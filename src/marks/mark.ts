/**
 * A mark bound to its key: what an embed session and a verifier hold.
 *
 * @module
 */
import { PRFS } from '../prf/prf.js';
import type { Scheme } from '../schemes/scheme.js';
import { bindScheme, subkey } from './bind-scheme.js';
import { generatorOf } from './generators.js';
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

/**
 * Binds a mark to its key.
 *
 * @param key as many bytes as the mark's generator takes (`generatorOf`)
 * @throws ZodError when the spec is not a valid MarkSpec; RangeError when the key has another length
 */
export function bindMark(spec: MarkSpec, key: Uint8Array): Mark {
	const valid = MarkSpec.parse(spec);
	const keyBytes = generatorOf(valid.prf).keyBytes(valid.scheme);
	if (key.length !== keyBytes)
		throw new RangeError(`a key of ${valid.prf} has ${keyBytes} bytes, not ${key.length}`);
	const scheme = bindScheme(valid, key);
	if (valid.selector === 'all') return { spec: valid, id: markId(valid), scheme, covers: () => true };
	const selector = PRFS['chacha8-v1'].create(subkey(key, 'selector'));
	return {
		spec: valid,
		id: markId(valid),
		scheme,
		covers: (context) => selector.field(context, 0, 8) < valid.share,
	};
}
