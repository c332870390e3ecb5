/**
 * `ranks.ts` in a thread: threads do not inherit the loader of TypeScript.
 *
 * @module
 */
import { tsImport } from 'tsx/esm/api';

const { rankTask } = await tsImport('./ranks.ts', import.meta.url);

/** Whether each text of a task ranks first, as plain data. */
export default (task) => rankTask(task);
