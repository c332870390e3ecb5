/**
 * Compiles each kernel's `assembly.ts` into the `kernel.wasm.ts` beside its folder: `npm run build:kernel`, after
 * each change of a kernel.
 *
 * @module
 */

import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

/** The folders of `src/` that have a kernel. */
const FOLDERS = ['corpus', 'model', 'prf', 'scan', 'scan/counting', 'verify'] as const;
export type KernelFolder = (typeof FOLDERS)[number];

/** What a kernel needs whose memory threads share. */
const SHARED = ['--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536', '--enable', 'threads'];

const OPTIONS = [
	'-O3',
	'--enable',
	'simd',
	'--runtime',
	'stub',
	'--importMemory',
	'--noAssert',
	'--use',
	'abort=',
];

function place(folder: KernelFolder, file: string): URL {
	return new URL(`../../${folder}/${file}`, import.meta.url);
}

/**
 * Compiles a kernel afresh.
 *
 * @returns the text of `kernel.wasm.ts`, the same each time
 * @throws what the compiler prints, if it finds an error
 */
export async function compileKernel(folder: KernelFolder = 'model'): Promise<string> {
	const source = await readFile(place(folder, 'kernel/assembly.ts'), 'utf8');
	const options = folder === 'scan/counting' ? [...OPTIONS, ...SHARED] : OPTIONS;
	let bytes: Uint8Array | undefined;
	const { error, stderr } = await asc.main(['kernel.ts', ...options, '--outFile', 'kernel.wasm'], {
		readFile: (name) => (name === 'kernel.ts' ? source : null),
		writeFile: (_, contents) => {
			if (typeof contents !== 'string') bytes = contents;
		},
		listFiles: () => [],
	});
	if (error || bytes === undefined) throw new Error(`asc: ${stderr.toString()}`, { cause: error });
	const base64 = Buffer.from(bytes).toString('base64');
	return `/**
 * Generated from kernel/assembly.ts by \`npm run build:kernel\`. Do not edit.
 *
 * @module
 */

/** The kernel's WebAssembly module, ${bytes.length} bytes in base64. */
export const KERNEL =
	'${base64}';
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
	for (const folder of FOLDERS) await writeFile(place(folder, 'kernel.wasm.ts'), await compileKernel(folder));
