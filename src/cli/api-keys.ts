/**
 * `touchmark api-keys`: who may ask the detection service.
 *
 * @module
 */
import { type Command, Option } from 'commander';
import { badInput } from '../errors.js';
import {
	type ApiKey,
	DEFAULT_ALLOWANCE,
	newApiKey,
	readApiKeys,
	readApiKeysIfAny,
	writeApiKeys,
} from '../server/api-keys.js';
import type { CommonOptions, Edge } from './edge.js';
import { parseInteger, parsePositive } from './numbers.js';

interface Flags extends CommonOptions {
	readonly apiKeys: string;
}

interface AddFlags extends Flags, Pick<ApiKey, 'perDay' | 'perSecond' | 'burst' | 'detail'> {}

/** Adds the commands. */
export function addApiKeys(program: Command, edge: Edge): void {
	const apiKeys = program.command('api-keys').description('API keys of `touchmark serve`');
	const keysCommand = (name: string, description: string) =>
		apiKeys.command(name).description(description).requiredOption('--api-keys <file>', 'hashes of the keys');

	keysCommand('add', 'a new key, printed this once; the file holds its SHA-256')
		.argument('<name>', 'names the key in the audit log')
		.option('--per-day <n>', 'requests a day', parseInteger('--per-day', 1, 1e9), DEFAULT_ALLOWANCE.perDay)
		.option(
			'--per-second <n>',
			'requests a second in the long run',
			parsePositive('--per-second'),
			DEFAULT_ALLOWANCE.perSecond,
		)
		.option(
			'--burst <n>',
			'requests at once after a pause',
			parseInteger('--burst', 1, 1e6),
			DEFAULT_ALLOWANCE.burst,
		)
		.addOption(
			new Option('--detail <kind>', 'coarse: bands only; full: scores and p-values, which can be climbed')
				.choices(['coarse', 'full'])
				.default(DEFAULT_ALLOWANCE.detail),
		)
		.action((name: string, flags: AddFlags) => {
			const { perDay, perSecond, burst, detail } = flags;
			const keys = readApiKeysIfAny(flags.apiKeys);
			if (keys.some(({ id }) => id === name))
				throw badInput(`${flags.apiKeys}: has a key "${name}" already; remove it, or choose another name`);
			const { secret, key } = newApiKey(name, { perDay, perSecond, burst, detail });
			writeApiKeys(flags.apiKeys, [...keys, key]);
			edge.out(
				flags.json
					? `${JSON.stringify({ id: name, secret, perDay, perSecond, burst, detail })}\n`
					: `${secret}\n`,
			);
			if (!flags.json && !flags.quiet)
				edge.err(`This is the key of "${name}". It is shown this once; the file holds its hash only.\n`);
		});
	keysCommand('list', 'the keys by name, and what each may ask for').action((flags: Flags) => {
		for (const { sha256: _, ...key } of readApiKeys(flags.apiKeys))
			edge.out(
				flags.json
					? `${JSON.stringify(key)}\n`
					: `${key.id}  ${key.perDay} a day, ${key.perSecond} a second, ${key.burst} at once, ${key.detail}, made ${key.created}\n`,
			);
	});
	keysCommand('remove', 'a key that may ask no more; a running server takes notice at SIGHUP')
		.argument('<name>', 'its name')
		.action((name: string, flags: Flags) => {
			const keys = readApiKeys(flags.apiKeys);
			const left = keys.filter(({ id }) => id !== name);
			if (left.length === keys.length) throw badInput(`${flags.apiKeys}: has no key "${name}"`);
			writeApiKeys(flags.apiKeys, left);
			edge.out(flags.json ? `${JSON.stringify({ removed: name })}\n` : `${name} removed\n`);
		});
}
