/**
 * `touchmark generate`: text from the embedded model, marked with the keys of a ring.
 *
 * @module
 */
import type { Command } from 'commander';
import { createMarker } from '../embed/marker.js';
import { badInput } from '../errors.js';
import { signTextManifest } from '../evidence/text-manifest.js';
import {
	EMBEDDED_MODELS,
	type EmbeddedModel,
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
} from '../generate/embedded.js';
import { type Sample, sampleTexts } from '../generate/sample.js';
import { currentMarks } from '../keys/epochs.js';
import type { Keyring } from '../keys/keyring.js';
import { writePieces } from '../output.js';
import { readAccounts } from './account-list.js';
import { type CommonOptions, type Edge, warn } from './edge.js';
import { ringFromFlags } from './marks.js';
import { parseInteger } from './numbers.js';
import { progressBar } from './progress.js';

interface Flags extends CommonOptions {
	readonly count: number;
	readonly maxTokens: number;
	readonly model: string;
	readonly seed: string;
	readonly keyring?: string;
	readonly accounts?: string;
	readonly cohort?: string;
	readonly passphraseCommand?: string;
	readonly manifest?: string;
	readonly generator?: string;
}

/** Adds the command. */
export function addGenerate(program: Command, edge: Edge): void {
	program
		.command('generate')
		.description('texts from an embedded model, one JSON record a line; marked when a key ring is given')
		.option('--count <n>', 'number of texts', parseInteger('--count', 1, 1_000_000), 1)
		.option('--max-tokens <n>', 'tokens in a text, at most', parseInteger('--max-tokens', 1, 113), 112)
		.option('--model <name>', EMBEDDED_MODELS.join(', '), 'teacher')
		.option('--keyring <file>', 'key ring whose marks are put into the texts')
		.option('--passphrase-command <command>', 'prints the passphrase of a sealed key ring')
		.option('--accounts <file>', 'pseudonyms of the accounts that the texts are for, in turn')
		.option('--cohort <name>', 'the cohort that the texts are for')
		.option('--manifest <file>', 'writes a signed manifest for each text, one a line, beside the texts')
		.option('--generator <name>', 'what manifests call the generator (default: the model by its name)')
		.option('--seed <text>', 'makes the unkeyed randomness reproducible', 'touchmark')
		.action(async (flags: Flags) => {
			if (!EMBEDDED_MODELS.includes(flags.model as EmbeddedModel))
				throw badInput(`--model: must be one of ${EMBEDDED_MODELS.join(', ')}`);
			const ring = flags.keyring === undefined ? undefined : await ringFromFlags(edge, flags);
			if (flags.manifest !== undefined && ring === undefined)
				throw badInput('--manifest: give --keyring FILE, whose ring signs the manifests');
			if (ring === undefined) warn(edge, flags, 'without --keyring the texts are not marked');
			const model = embeddedModel(flags.model as EmbeddedModel);
			const tokenizer = embeddedTokenizer();
			// Marks of other systems are embedded by those systems.
			const marks =
				ring === undefined
					? []
					: currentMarks(ring.marks)
							.filter((spec) => spec.prf === 'chacha8-v1')
							.map((spec) => ring.bind(spec, 'embed'));
			for (const mark of marks)
				if (mark.spec.tokenizer !== tokenizer.fingerprint)
					throw badInput(
						`${flags.keyring}: its marks were made for another tokenizer than the embedded model's`,
					);
			const specs = marks.map(({ spec }) => spec);
			const marker = createMarker({
				marks,
				vocabSize: model.vocabSize,
				specialTokens: tokenizer.specialTokens,
			});
			const all = embeddedPrompts();
			const prompts = Array.from({ length: flags.count }, (_, i) => all[i % all.length]);
			const accounts = flags.accounts === undefined ? [] : readAccounts(flags.accounts);
			const starts = prompts.map((_, i) => ({
				...(accounts.length === 0 ? {} : { account: accounts[i % accounts.length] }),
				...(flags.cohort === undefined ? {} : { cohort: flags.cohort }),
			}));
			const bar = progressBar(edge, flags, 'texts', flags.count);
			/** Puts the texts out; gives a manifest for each. */
			function* manifestsOfTexts(signer: Keyring): Generator<string> {
				const [first] = specs;
				const facts = {
					generator: flags.generator ?? `touchmark ${flags.model}`,
					...(first === undefined ? {} : { deployment: first.deployment }),
					marks: specs,
				};
				for (const { id, text, receipt } of texts())
					yield `${signTextManifest(text, { ...facts, name: id, time: receipt.time, receipt: receipt.id }, signer)}\n`;
			}
			function* texts(): Generator<Sample> {
				let index = 0;
				for (const sample of sampleTexts({ ...flags, model, tokenizer, marker, prompts, starts })) {
					edge.out(`${JSON.stringify({ ...sample, ...starts[index++] })}\n`);
					bar.add(1);
					yield sample;
				}
			}
			if (flags.manifest !== undefined && ring !== undefined)
				writePieces(flags.manifest, manifestsOfTexts(ring));
			else for (const _ of texts());
			bar.stop();
		});
}
