/**
 * `planted-records.ts` in a thread: threads do not inherit the loader of TypeScript.
 *
 * @module
 */
import { tsImport } from 'tsx/esm/api';

const { plantedRecords } = await tsImport('./planted-records.ts', import.meta.url);

/** The records of a seed, as plain data. */
export default ({ count, seed }) => plantedRecords(count, seed).records;
