/**
 * A fleet in Python: a key ring of its own, its epoch opened for the fleet, and texts that the teacher wrote there under
 * Hugging Face transformers for two accounts, of which the first is in a cohort. `TOUCHMARK_PYTHON=… npx tsx
 * test/integrations/python-fleet.ts` records it, for those who have no torch.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { newFolder, runCli } from '../cli/run-cli.js';
import { expectNoSecrets } from '../cli/secrets.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PACKAGE = join(ROOT, 'integrations/python');
/** The recorded fleet. Its keys are public: they protect nothing. */
export const RECORDED = join(ROOT, 'test/vectors/python-fleet');
export const SERVED_TO = ['pseudonym-7', 'pseudonym-113'];
const FILES = ['epoch.json', 'served.jsonl'];

/**
 * Serves.
 *
 * @param python an interpreter with torch and transformers
 * @returns the folder with `epoch.json` and `served.jsonl`
 */
export async function serve(python: string): Promise<string> {
	const folder = newFolder();
	const path = (name: string) => join(folder, name);
	const ring = ['--keyring', path('ring.json')];
	for (const args of [
		['create', ...ring, '--unsealed', '--account-layer'],
		['add', ...ring, '--cohort', 'farms'],
		['add', ...ring, '--cohort', 'resellers'],
		['commit', ...ring, '--log', path('log')],
		['open', ...ring, '--epoch', '0', '--out', path('epoch.json')],
	]) {
		const { code, err } = await runCli(['keys', ...args, '--quiet']);
		if (code !== 0) throw new Error(err);
	}
	const prompts = readFileSync(join(ROOT, 'models/prompts.txt'), 'utf8').split('\n').slice(0, 32);
	writeFileSync(path('prompts.txt'), prompts.join('\n'));
	writeFileSync(path('accounts.txt'), SERVED_TO.join('\n'));
	const script = join(PACKAGE, 'examples/marked_texts.py');
	const flags = ['--model', join(ROOT, 'models/teacher'), '--marks', path('epoch.json'), '--cohort', 'farms'];
	const files = ['--prompts', path('prompts.txt'), '--accounts', path('accounts.txt')];
	const args = [script, ...flags, ...files];
	const served = execFileSync(python, args, {
		env: { ...process.env, PYTHONPATH: join(PACKAGE, 'src') },
		stdio: ['ignore', 'pipe', 'ignore'],
	});
	expectNoSecrets({ args, printed: [served.toString('latin1')] });
	writeFileSync(path('served.jsonl'), served);
	return folder;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const folder = await serve(process.env.TOUCHMARK_PYTHON ?? 'python3');
	mkdirSync(RECORDED, { recursive: true });
	for (const file of FILES) copyFileSync(join(folder, file), join(RECORDED, file));
}
