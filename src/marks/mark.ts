/**
 * A mark bound to its key: what an embed session and a verifier hold.
 *
 * @module
 */
import { PRFS } from '../prf/prf.js';
import type { Scheme } from '../schemes/scheme.js';
import { type BoundCode, bindCode, contextFields } from './account-code.js';
import { bindScheme, type Subkey, subkey } from './bind-scheme.js';
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
	/**
	 * The same for contexts that lie one after another in rows of context ids and token: which of them, 1 or 0.
	 *
	 * @param count rows
	 */
	coversRows(rows: Uint32Array, count: number): Uint8Array;
	/** Account layer: whose symbol turns the draw after a context. */
	readonly code?: BoundCode;
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
	const prfOf = (purpose: Subkey) => PRFS['chacha8-v1'].create(subkey(key, purpose));
	const bound = {
		spec: valid,
		id: markId(valid),
		scheme: bindScheme(valid, key),
		...(valid.code && { code: bindCode(valid.code, prfOf('codebook'), prfOf('positions'), prfOf('groups')) }),
	};
	if (valid.selector === 'all')
		return { ...bound, covers: () => true, coversRows: (_, count) => new Uint8Array(count).fill(1) };
	const selector = prfOf('selector');
	return {
		...bound,
		covers: (context) => selector.field(context, 0, 8) < valid.share,
		coversRows(rows, count) {
			const fields = new Uint32Array(count);
			contextFields(selector, rows, valid.contextWidth, fields);
			return Uint8Array.from(fields, (field) => (field < valid.share ? 1 : 0));
		},
	};
}
