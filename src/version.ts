/** Put in by the build: SHA-256 of package-lock.json. */
declare const TOUCHMARK_LOCKFILE: string | undefined;

/** Version of this package, as in package.json (a test compares them). */
export const VERSION = '0.1.0';

/** SHA-256, hexadecimal, of the lock file that this was built with; null when run from source. */
export const LOCKFILE: string | null = typeof TOUCHMARK_LOCKFILE === 'string' ? TOUCHMARK_LOCKFILE : null;
