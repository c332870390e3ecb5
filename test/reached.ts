/** What a module imports, what that imports, and so on. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Files of ours that a module reaches, itself included, sorted.
 *
 * @param module path from the root of the repository
 * @throws Error for an import of a file that is not there
 */
export function reachedBy(module: string): string[] {
	const reached = new Set<string>();
	const visit = (path: string) => {
		if (reached.has(path)) return;
		reached.add(path);
		for (const [, to] of readFileSync(path, 'utf8').matchAll(/from '(\.[^']+)\.js'/g))
			visit(join(dirname(path), `${to}.ts`));
	};
	visit(module);
	return [...reached].sort();
}
