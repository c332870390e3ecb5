/**
 * `key-counts.ts` in a thread: threads do not inherit the loader of TypeScript.
 *
 * @module
 */
import { tsImport } from 'tsx/esm/api';

export const { default: keyCounts } = await tsImport('./key-counts.ts', import.meta.url);
export default keyCounts;
