/**
 * Manifests that lie beside texts: which of them is of which text, and what it says.
 *
 * @module
 */
import { holdsRecords } from '../corpus/documents.js';
import { readLines } from '../corpus/lines.js';
import { digestOfFile, textDigest } from '../corpus/text-digest.js';
import { badInput } from '../errors.js';
import {
	checkManifest,
	type ManifestCode,
	type ManifestFinding,
	type OpenedManifest,
	openManifest,
} from '../evidence/text-manifest.js';
import { Trust } from '../evidence/trust.js';
import { checked, parseJson } from '../input.js';
import { KeyringFile } from '../keys/keyring.js';
import { type CommonOptions, type Edge, warn } from './edge.js';
import type { TextSource } from './given-documents.js';
import { readText } from './marks.js';

/** Flags that say whose manifests are believed. */
export interface TrustFlags extends CommonOptions {
	readonly manifest?: readonly string[];
	readonly trust?: string;
	readonly keyring?: string;
}

/** Manifests, held against one text after the other. */
export interface Manifests {
	/** What they say of a text. @param id what the document is called */
	of(id: string, source: TextSource): Promise<ManifestFinding>;
}

/**
 * Reads files of manifests, one a line.
 *
 * A text's manifest is the one that has its digest; else one that has its name, which is then of another text. Where one
 * manifest is given and one file that is one text, they are held against each other whatever they are called.
 *
 * @param files those of the texts
 * @throws TouchmarkError `bad-input` for a file that cannot be read, and where nobody is trusted
 */
export async function readManifests(
	edge: Edge,
	flags: TrustFlags & { readonly manifest: readonly string[] },
	files: readonly string[],
): Promise<Manifests> {
	const trusted = trustedSigners(flags);
	const all: (OpenedManifest | ManifestCode)[] = [];
	const byDigest = new Map<string, OpenedManifest[]>();
	const byName = new Map<string, OpenedManifest[]>();
	const unread: string[] = [];
	for (const path of flags.manifest)
		for await (const { text, number } of readLines(path)) {
			if (text.trim() === '') continue;
			const manifest = openManifest(text);
			all.push(manifest);
			if (typeof manifest === 'string' || manifest.statement === null) {
				unread.push(`${path}:${number}: ${typeof manifest === 'string' ? manifest : manifest.problem}`);
				continue;
			}
			const { digest, name } = manifest.statement.subject[0];
			add(byDigest, digest.sha256, manifest);
			if (name !== undefined) add(byName, name, manifest);
		}
	if (all.length === 0) throw badInput(`${flags.manifest.join(', ')}: holds no manifest`);
	const sole = all.length === 1 && files.length === 1 && !holdsRecords(files[0]);
	if (unread.length > 0 && !sole)
		warn(
			edge,
			flags,
			`${unread.length} of ${all.length} manifests cannot be read, so that it is not known of which texts they are; the first: ${unread[0]}`,
		);
	return {
		async of(id, source) {
			const digest = await digestOf(source);
			const candidates =
				(digest === null ? undefined : byDigest.get(digest)) ?? byName.get(id) ?? (sole ? all : []);
			const findings = candidates.map((manifest) => checkManifest(manifest, { digest, trusted }));
			return (
				findings.find(({ status }) => status === 'valid') ??
				findings[0] ?? { status: 'absent', code: 'no-manifest' }
			);
		},
	};
}

/**
 * Digest of a text as it lies in its file: of a record that of the field, else that of the file's bytes, which a reader of
 * lines does not keep all of. Null for a field that is no text.
 */
export async function digestOf({ path, text }: TextSource): Promise<string | null> {
	return holdsRecords(path) ? textDigest(text) : digestOfFile(path);
}

function add<T>(map: Map<string, T[]>, key: string, value: T): void {
	const list = map.get(key);
	if (list === undefined) map.set(key, [value]);
	else list.push(value);
}

/** Keys whose word is taken: those of `--trust`, else that of the ring, which is not opened. */
function trustedSigners({ trust, keyring }: TrustFlags): ReadonlySet<string> {
	if (trust !== undefined) {
		const { signers } = checked(Trust, parseJson(readText(trust), trust), trust);
		if (signers.length === 0) throw badInput(`${trust}: field "signers": names nobody`);
		return new Set(signers.map(({ publicKey }) => publicKey));
	}
	if (keyring === undefined)
		throw badInput('--manifest: say whose manifests are believed: give --trust FILE or --keyring FILE');
	return new Set([checked(KeyringFile, parseJson(readText(keyring), keyring), keyring).publicKey]);
}

/** A finding in words. */
export function describeFinding({ status, code, says }: ManifestFinding): string {
	if (says === undefined) return status === 'absent' ? 'no manifest' : `manifest ${status} (${code})`;
	return `manifest valid (made by ${says.generator}, ${says.time})`;
}
