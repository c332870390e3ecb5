/**
 * What every command shares: where output goes, and which exit code means what.
 *
 * @module
 */

/** The outside of a run; a test gives its own. */
export interface Edge {
	out(text: string): void;
	err(text: string): void;
	/** Resolves when what was put out has been taken, or there is room for more. */
	drained(): Promise<void>;
	/** Standard input. */
	readonly input: AsyncIterable<Uint8Array>;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Progress bars are shown only on a terminal. */
	readonly terminal: boolean;
}

/** Exit codes (see `touchmark --help`). */
export const EXIT = { ran: 0, failed: 1, badInput: 2, detected: 3 } as const;

/** Options that every command has. */
export interface CommonOptions {
	readonly json?: boolean;
	readonly quiet?: boolean;
}

/** A warning on standard error, unless `--quiet`. */
export function warn(edge: Edge, options: CommonOptions, text: string): void {
	if (!options.quiet) edge.err(`warning: ${text}\n`);
}
