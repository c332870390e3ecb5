/**
 * One error type for everything that Touchmark reports to its user.
 *
 * @module
 */

/**
 * What kind of thing went wrong.
 *
 * - `bad-input`: a file, flag, configuration, token id or logit that cannot be used.
 * - `bad-passphrase`: a sealed key ring that does not open.
 * - `not-committed`: a key that would be used before its commitment is in a log.
 * - `failed`: the operation itself did not succeed (disk, network).
 */
export type ErrorCode = 'bad-input' | 'bad-passphrase' | 'not-committed' | 'failed';

const BRAND = Symbol.for('touchmark.error');

/** One sentence that says what was wrong, where, and what to do. Never holds a secret. */
export class TouchmarkError extends Error {
	override readonly name = 'TouchmarkError';
	readonly code: ErrorCode;
	readonly [BRAND] = true;

	constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
		super(message, options);
		this.code = code;
	}

	/** True for errors of this type even when two copies of the package are installed. */
	static isInstance(value: unknown): value is TouchmarkError {
		return value instanceof Error && BRAND in value;
	}
}

/** Shorthand for the commonest case. */
export function badInput(message: string, cause?: unknown): TouchmarkError {
	return new TouchmarkError('bad-input', message, cause === undefined ? undefined : { cause });
}
