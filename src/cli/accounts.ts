/**
 * `touchmark accounts`: pseudonyms that can be erased.
 *
 * @module
 */
import type { Command } from 'commander';
import { type Accounts, openAccounts } from '../keys/accounts.js';
import type { CommonOptions, Edge } from './edge.js';
import { ringFromFlags } from './marks.js';

interface Flags extends CommonOptions {
	readonly keyring: string;
	readonly passphraseCommand?: string;
	readonly accounts: string;
}

/** Adds the commands. */
export function addAccounts(program: Command, edge: Edge): void {
	const accounts = program.command('accounts').description('pseudonyms of accounts, which can be erased');
	const accountsCommand = (name: string, description: string) =>
		accounts
			.command(name)
			.description(description)
			.requiredOption('--accounts <file>', 'the accounts')
			.requiredOption('--keyring <file>', 'the key ring that seals them')
			.option('--passphrase-command <command>', 'prints the passphrase of a sealed ring');
	const opened = async (flags: Flags): Promise<Accounts> =>
		openAccounts(flags.accounts, await ringFromFlags(edge, flags));

	accountsCommand('add', 'give accounts keys of their own; those that have one keep it')
		.argument('<names...>', 'your own names of them; the file holds keyed hashes of these')
		.action(async (names: string[], flags: Flags) => {
			const added = (await opened(flags)).add(names);
			edge.out(flags.json ? `${JSON.stringify({ added })}\n` : `${added} accounts added\n`);
		});
	accountsCommand('list', 'how many there are, and how many were erased').action(async (flags: Flags) => {
		const { all, erased } = await opened(flags);
		edge.out(
			flags.json
				? `${JSON.stringify({ accounts: all.length, erased })}\n`
				: `${all.length} accounts, ${erased} erased\n`,
		);
	});
	accountsCommand('export', 'the pseudonyms, one {"account"} a line: what a tracer needs').action(
		async (flags: Flags) => {
			for (const { pseudonym } of (await opened(flags)).all)
				edge.out(`${JSON.stringify({ account: pseudonym })}\n`);
		},
	);
	accountsCommand('erase', 'destroy the keys of accounts: nobody can link their receipts or name them again')
		.argument('<names...>', 'your own names of them')
		.action(async (names: string[], flags: Flags) => {
			(await opened(flags)).erase(names);
			edge.out(
				flags.json
					? `${JSON.stringify({ erased: new Set(names).size })}\n`
					: `${new Set(names).size} accounts erased; erase them from backups of the file, and from exports, too\n`,
			);
		});
}
