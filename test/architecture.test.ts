/** The linter refuses an import against the flow. */
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';

it('an import from a higher layer is an error', () => {
	const probe = 'src/prf/layer-probe.ts';
	writeFileSync(probe, "export { detect } from '../verify/detect.js';\n");
	try {
		const { status, stdout, stderr } = spawnSync('npx', ['biome', 'lint', probe], { encoding: 'utf8' });
		expect(status).not.toBe(0);
		expect(stdout + stderr).toMatch(/may import only/);
	} finally {
		rmSync(probe);
	}
});
