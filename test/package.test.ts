/** What a user gets: the packed tarball, installed into an empty project. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DemoResults } from '../src/demo/run-demo.js';
import { VERSION } from '../src/version.js';
import { expectNoSecrets } from './cli/secrets.js';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
	version: string;
	exports: Record<string, unknown>;
};
const subpaths = Object.keys(manifest.exports).filter((name) => name !== './package.json');
const project = mkdtempSync(join(tmpdir(), 'touchmark-package-'));
const inProject = (command: string, args: string[]) =>
	execFileSync(command, args, { cwd: project, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

beforeAll(() => {
	execFileSync('npm', ['pack', '--ignore-scripts', '--pack-destination', project], {
		encoding: 'utf8',
		stdio: 'pipe',
	});
	writeFileSync(
		join(project, 'package.json'),
		JSON.stringify({ name: 'empty', type: 'module', private: true }),
	);
	inProject('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./touchmark-${VERSION}.tgz`]);
}, 300_000);

describe('the packed tarball', () => {
	it('has the version that the code states', () => {
		expect(manifest.version).toBe(VERSION);
	});

	it.each(subpaths)('imports under %s', (subpath) => {
		const name = `touchmark${subpath.slice(1)}`;
		const script = `import * as all from '${name}'; console.log(Object.keys(all).length)`;
		expect(Number(inProject('node', ['--input-type=module', '-e', script]))).toBeGreaterThan(0);
	});

	it('type-checks in a strict project', () => {
		const imports = subpaths.map((subpath, i) => `import * as m${i} from 'touchmark${subpath.slice(1)}';`);
		const use = `import { createMarker, type Marker } from 'touchmark';
const marker: Marker = createMarker({ marks: [], vocabSize: 10 });
export const tokens: Int32Array = marker.step([marker.start()], new Float32Array(10));
export const all = [${subpaths.map((_, i) => `m${i}`).join(', ')}];`;
		writeFileSync(join(project, 'use.ts'), `${imports.join('\n')}\n${use}\n`);
		const tsc = resolve('node_modules/typescript/bin/tsc');
		const compilerOptions = { noEmit: true, strict: true, module: 'NodeNext', target: 'ES2022', types: [] };
		writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['use.ts'] }));
		expect(inProject('node', [tsc])).toBe('');
	});

	it('runs the demo: both marked students are found, no innocent is', { timeout: 400_000 }, () => {
		const table = inProject('npx', ['touchmark', 'demo']);
		expect(table).toMatch(/trained-on-marked/);
		const folder = join(project, 'touchmark-demo');
		expectNoSecrets({ args: ['demo', '--out', folder], printed: [table] });
		const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as DemoResults;
		expect(results.suspects).toHaveLength(6);
		for (const suspect of results.suspects)
			if (suspect.trainedOnMarked) {
				expect(suspect.log10P).toBeLessThanOrEqual(-6);
				expect(suspect.verdict).toBe('trained-on-marked');
				expect(suspect.heldOut.rank).toBe(1);
			} else expect(suspect.verdict).toBe('no-evidence');
		expect(results.suspects.filter((suspect) => suspect.trainedOnMarked)).toHaveLength(2);
		expect(results.exposure).toHaveLength(4);
		for (const row of results.exposure)
			expect(row).toMatchObject({ pairs: 224, verdict: row.trainedOnServed ? 'exposed' : 'no-evidence' });
		expect(results.exposure.filter((row) => row.trainedOnServed)).toHaveLength(2);
		expect(results.markedTexts.detected).toBe(results.markedTexts.texts);
		expect(existsSync(join(folder, 'report.html'))).toBe(true);
	});
});
