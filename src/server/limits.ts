/**
 * What a server takes at most.
 *
 * @module
 */

/** Limits on size, time and number. */
export interface Limits {
	/** Bytes of a text in UTF-8, its prompt included. */
	readonly textBytes: number;
	/** Milliseconds until all headers are there. */
	readonly headersMs: number;
	/** Milliseconds until the whole request is there. */
	readonly requestMs: number;
	/** Milliseconds from a complete request to its answer. */
	readonly answerMs: number;
	/** Milliseconds that an idle connection is kept. */
	readonly keepAliveMs: number;
	/** Connections at once. */
	readonly connections: number;
	/** Of these, from one address. */
	readonly connectionsPerAddress: number;
	/** Requests that wait for a thread or are in one; a key may have half of them. */
	readonly queue: number;
	/** Milliseconds that requests get to finish when the server stops. */
	readonly graceMs: number;
}

/** Limits unless others are asked for. */
export const DEFAULT_LIMITS: Limits = {
	textBytes: 65_536,
	headersMs: 5000,
	requestMs: 10_000,
	answerMs: 2000,
	keepAliveMs: 5000,
	connections: 256,
	connectionsPerAddress: 64,
	queue: 64,
	graceMs: 10_000,
};

/** Most bytes of a body: JSON escapes make a text longer, three times where every letter is one of them. */
export function bodyBytes({ textBytes }: Limits): number {
	return 4 * textBytes + 1024;
}

/** Most ids of a request that sends token ids, its prompt included: about as many as the largest English text has. */
export function mostTokens({ textBytes }: Limits): number {
	return Math.floor(textBytes / 4);
}
