import { expect } from 'vitest';
import { TouchmarkError } from '../src/errors.js';

/** The one sentence with which bad input is refused. */
export function refusal(attempt: () => unknown): string {
	try {
		attempt();
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		expect(error.code).toBe('bad-input');
		expect(error.message).not.toContain('\n');
		return error.message;
	}
	return expect.unreachable('it did not fail');
}
