/**
 * Bundles the page and serves it on the loopback. The bundle is for browsers: a Node built-in anywhere in it fails
 * the build.
 *
 * @example
 * npx tsx examples/browser/serve.ts # then open http://localhost:8000
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import { context } from 'esbuild';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** The page, being served. */
export interface ServedPage {
	readonly url: string;
	close(): Promise<void>;
}

/**
 * Builds and serves.
 *
 * @param port 0: any
 */
export async function servePage(port: number): Promise<ServedPage> {
	const bundle = await context({
		entryPoints: [
			{ in: path('page.ts'), out: 'page' },
			{ in: path('index.html'), out: 'index' },
			{ in: path('../../models/teacher/tokenizer.json'), out: 'tokenizer' },
		],
		loader: { '.html': 'copy', '.json': 'copy' },
		outdir: path('dist'),
		write: false,
		bundle: true,
		platform: 'browser',
		format: 'esm',
		target: 'es2022',
		logLevel: 'silent',
	});
	try {
		await bundle.rebuild();
		const served = await bundle.serve({ host: '127.0.0.1', port });
		return { url: `http://127.0.0.1:${served.port}/`, close: () => bundle.dispose() };
	} catch (error) {
		await bundle.dispose();
		throw error;
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const { url } = await servePage(8000);
	process.stdout.write(`${url}\n`);
}
