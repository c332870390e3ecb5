/**
 * Why a request is refused: a closed set of codes, each with its status.
 *
 * @module
 */
import { z } from 'zod';

/** Status of each code. */
export const PROBLEMS = {
	/** Not HTTP, not JSON, or not what the schema asks for. */
	'bad-request': 400,
	unauthorized: 401,
	'not-found': 404,
	'method-not-allowed': 405,
	/** The request did not arrive in time. */
	timeout: 408,
	'too-large': 413,
	'unsupported-media-type': 415,
	/** Faster than the key may ask. */
	'rate-limited': 429,
	/** The key's requests of this day are spent. */
	'quota-exceeded': 429,
	'headers-too-large': 431,
	/** A fault of the server. */
	internal: 500,
	/** Too many requests wait. */
	overloaded: 503,
	/** The answer was not there in time. */
	'too-slow': 503,
	'shutting-down': 503,
} as const satisfies Readonly<Record<string, number>>;

export type ProblemCode = keyof typeof PROBLEMS;

/** All codes. */
export const PROBLEM_CODES = Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]];

/** Body of a refusal. */
export const ProblemBody = z.strictObject({
	error: z.strictObject({
		code: z.enum(PROBLEM_CODES),
		message: z.string().describe('one sentence'),
	}),
});
export type ProblemBody = z.infer<typeof ProblemBody>;

/** Ends the work on a request. Its message goes to the client: it never holds a secret or a text. */
export class Refusal extends Error {
	override readonly name = 'Refusal';
	readonly code: ProblemCode;
	/** Seconds after which another attempt makes sense. */
	readonly retryAfter: number | undefined;

	constructor(code: ProblemCode, message: string, retryAfter?: number) {
		super(message);
		this.code = code;
		this.retryAfter = retryAfter;
	}

	get status(): number {
		return PROBLEMS[this.code];
	}

	get body(): ProblemBody {
		return { error: { code: this.code, message: this.message } };
	}
}
