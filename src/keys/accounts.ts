/**
 * Erasable pseudonyms. Each account has a random key of its own; its pseudonym and the tags of its receipts are keyed
 * hashes under it. Whoever destroys the key leaves no way, for anybody, to say which receipts were the account's, nor
 * what its pseudonym was; logs and proofs hold hashes only and stay as they are.
 *
 * The file holds one JSON object a line: the keys, sealed (NaCl's secretbox) under a key of the ring, and the provider's
 * names of the accounts as keyed hashes only.
 *
 * @module
 */
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, renameSync, statSync, truncateSync } from 'node:fs';
import { dirname } from 'node:path';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import nacl from 'tweetnacl';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, hexOf, parseJson } from '../input.js';
import { lockFile } from '../lock.js';
import { syncFolder, writeDurably } from '../output.js';
import type { Keyring } from './keyring.js';

/** One line. */
const AccountLine = z.union([
	z.strictObject({
		/** Keyed hash of the provider's own name. */
		name: hexOf(32),
		nonce: hexOf(24),
		/** The account's key, sealed. */
		box: hexOf(48),
		added: z.iso.datetime(),
	}),
	/** What is left of an account: nothing but that there was one. */
	z.strictObject({ erased: z.iso.datetime() }),
]);
type AccountLine = z.infer<typeof AccountLine>;

/** An account. */
export interface Account {
	/** 32 hexadecimal digits, always the same: what `trace` names and codewords are drawn from. */
	readonly pseudonym: string;
	/**
	 * What the log holds of the account: 32 hexadecimal digits, different for each receipt. Without the account's key
	 * nobody can say whether two tags are of one account.
	 *
	 * @param receipt its id
	 */
	tag(receipt: string): string;
}

/** The accounts of a provider. */
export interface Accounts {
	/** Adds those of these names that are not there; they are on disk when this returns. @returns how many were new */
	add(names: readonly string[]): number;
	/** An account by the provider's own name of it. */
	get(name: string): Account | undefined;
	/** Destroys the keys of these accounts. @throws TouchmarkError `bad-input` when one is not there; then none is erased */
	erase(names: readonly string[]): void;
	/** Those that are there, in the order in which they came. */
	readonly all: readonly Account[];
	/** Accounts that were erased. */
	readonly erased: number;
}

/** HMAC-SHA-256, hexadecimal; the host's own, for there is a tag in every receipt. */
function hmacHex(key: Uint8Array, text: string): string {
	return createHmac('sha256', key).update(text).digest('hex');
}

/** An account with this key. @param key 32 bytes */
function accountOf(key: Uint8Array): Account {
	const digits = (text: string) => hmacHex(key, text).slice(0, 32);
	return {
		pseudonym: digits('touchmark/v1/pseudonym'),
		tag: (receipt) => digits(`touchmark/v1/receipt-tag\0${receipt}`),
	};
}

/**
 * Opens the accounts of a provider, or begins a file of them.
 *
 * @param ring that seals them; another one opens none
 * @throws TouchmarkError `bad-input` that names file and line
 */
export function openAccounts(path: string, ring: Pick<Keyring, 'accountsKey'>): Accounts {
	const [sealKey, nameKey] = [ring.accountsKey('seal'), ring.accountsKey('name')];
	const nameOf = (name: string) => hmacHex(nameKey, name);
	let file: AccountsFile = { lines: [], bytes: 0 };
	let accounts = new Map<string, Account>();

	function take(line: AccountLine, where: string): void {
		if ('erased' in line) return;
		const key = nacl.secretbox.open(hexToBytes(line.box), hexToBytes(line.nonce), sealKey);
		if (key === null) throw badInput(`${where}: does not open with this key ring`);
		if (accounts.has(line.name)) throw badInput(`${where}: is there twice`);
		accounts.set(line.name, accountOf(key));
	}
	function read(): void {
		file = readFile(path);
		accounts = new Map();
		for (const [i, line] of file.lines.entries()) take(line, `${path}:${i + 1}`);
	}
	/** Changes the file, after reading again what others wrote. */
	function change(make: () => void): void {
		const unlock = lockFile(`${path}.lock`, 'somebody else changes these accounts');
		try {
			if (existsSync(path) && statSync(path).size !== file.bytes) read();
			make();
		} finally {
			unlock();
		}
	}
	read();
	return {
		add(names) {
			let count = 0;
			change(() => {
				const fresh = [...new Set(names.map(nameOf))].filter((name) => !accounts.has(name));
				const added = new Date().toISOString();
				const made = fresh.map((name): AccountLine => {
					const nonce = nacl.randomBytes(24);
					const box = nacl.secretbox(nacl.randomBytes(32), nonce, sealKey);
					return { name, nonce: bytesToHex(nonce), box: bytesToHex(box), added };
				});
				const text = textOf(made);
				if (existsSync(path)) truncateSync(path, file.bytes);
				writeDurably(path, text, 'a');
				file = { lines: [...file.lines, ...made], bytes: file.bytes + text.length };
				for (const line of made) take(line, path);
				count = made.length;
			});
			return count;
		},
		get: (name) => accounts.get(nameOf(name)),
		erase(names) {
			change(() => {
				const missing = names.find((name) => !accounts.has(nameOf(name)));
				if (missing !== undefined) throw badInput(`account "${missing}" is not in ${path}`);
				const hashes = new Set(names.map(nameOf));
				const erased = new Date().toISOString();
				const left = file.lines.map((line) => ('name' in line && hashes.has(line.name) ? { erased } : line));
				writeDurably(`${path}.tmp`, textOf(left), 'w');
				renameSync(`${path}.tmp`, path);
				read();
			});
			syncFolder(dirname(path));
		},
		get all() {
			return [...accounts.values()];
		},
		get erased() {
			return file.lines.filter((line) => 'erased' in line).length;
		},
	};
}

interface AccountsFile {
	readonly lines: readonly AccountLine[];
	/** Bytes of whole lines; what follows, a crash left, and the next addition cuts it off. */
	readonly bytes: number;
}

function readFile(path: string): AccountsFile {
	if (!existsSync(path)) return { lines: [], bytes: 0 };
	const content = readFileSync(path);
	const bytes = content.lastIndexOf(10) + 1;
	const texts = content.toString('utf8', 0, bytes).split('\n').slice(0, -1);
	return {
		lines: texts.map((text, i) =>
			checked(AccountLine, parseJson(text, `${path}:${i + 1}`), `${path}:${i + 1}`),
		),
		bytes,
	};
}

function textOf(lines: readonly AccountLine[]): string {
	return lines.map((line) => `${JSON.stringify(line)}\n`).join('');
}
