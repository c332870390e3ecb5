/**
 * `touchmark exposure`: was this suspect trained on these served answers?
 *
 * @module
 */
import { type Command, Option } from 'commander';
import type { z } from 'zod';
import { readJsonLines } from '../corpus/documents.js';
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import { readArmRecords } from '../ledger/arm-records.js';
import { OpenedCoin } from '../marks/arm.js';
import { writeWhole } from '../output.js';
import { newExposure, type ScoredExposure } from '../verify/exposure.js';
import { type ExposureInput, ExposurePair, ExposureScore, ServedText } from '../verify/exposure-data.js';
import type { ExposureResult, ExposureRow } from '../verify/exposure-result.js';
import { type Edge, EXIT } from './edge.js';
import { ACCESS, type MeasureFlags, measuresFromFlags } from './exposure-measure.js';
import { parseInteger, parseLevel, parseRate } from './numbers.js';

/** Flags that name the material of a trial. */
export interface TrialFlags {
	readonly pairs: readonly string[];
	readonly records?: string;
	readonly servedElsewhere?: readonly string[];
	readonly controlAccount?: readonly string[];
	readonly retrospective?: boolean;
	readonly rule?: string;
}

interface Flags extends TrialFlags, MeasureFlags {
	readonly coins?: string;
	readonly suspect?: string[];
	readonly scores?: string;
	readonly controlModel?: string[];
	readonly saveScores?: string;
	readonly scoresDigest?: string;
	readonly hypotheses: number;
	readonly level: number;
	readonly fdr: number;
	readonly failOnDetect?: boolean;
}

/** Adds the command. */
export function addExposure(program: Command, edge: Edge, exit: (code: number) => void): void {
	program
		.command('exposure')
		.description(
			'was this suspect trained on these served answers? Pairs of which a keyed coin served one, and a measure of the suspect.',
		)
		.requiredOption('--pairs <files...>', 'JSONL: {id, account, prompt, a, b, receipt} a line')
		.option('--coins <file>', 'JSONL: {id, served, opening} a line; read after the measuring')
		.option('--suspect <paths...>', 'what is known of the suspect; see --access')
		.option('--scores <file>', 'measured elsewhere: {id, a, b} a line and no other field')
		.addOption(
			new Option(
				'--access <way>',
				'open: a model (folder with config.json and model.safetensors, or the name of a shipped one). grey: JSONL of {prompt, text, logProbs}. closed: JSONL of its own answers, {prompt, text}. dataset: texts or JSONL',
			)
				.choices(ACCESS)
				.default('open'),
		)
		.option(
			'--reference <paths...>',
			'open, grey: models (or log-probabilities) older than the exchanges, whose likelihoods are subtracted',
		)
		.option('--tokenizer <path>', 'open: for models without a tokenizer.json of their own')
		.addOption(
			new Option('--per <unit>', 'open, grey: sum over the text, or mean of its tokens')
				.choices(['text', 'token'])
				.default('text'),
		)
		.option('--clip <nats>', 'open, grey: no token counts for more than this', parseClip)
		.addOption(
			new Option('--similarity <kind>', 'closed: how answers are compared')
				.choices(['levenshtein', 'n-grams'])
				.default('levenshtein'),
		)
		.option('--records <path>', 'log of the trial: pairs, coins and completeness are checked against it')
		.option(
			'--served-elsewhere <files...>',
			'texts served on other occasions, JSONL: {text}, or {id, text} with the id of the receipt',
		)
		.option(
			'--control-account <names...>',
			'accounts that are not suspected, named before the coins are opened: tested apart',
		)
		.option(
			'--control-model <paths...>',
			'models older than the exchanges, given as the suspect is (files of scores with --scores): must stand at one half',
		)
		.option('--retrospective', 'the second answers were drawn afterwards, without a coin')
		.option(
			'--rule <text>',
			'why pairs of the log are left out: a rule alike for both texts, fixed before the coins were opened',
		)
		.option('--save-scores <file>', 'write the scores; without --coins nothing more is done')
		.option('--scores-digest <hex>', 'digest that was recorded; other scores are refused')
		.option(
			'--hypotheses <n>',
			'suspects and measures tried on these pairs',
			parseInteger('--hypotheses', 1, 1_000_000),
			1,
		)
		.option('--level <p>', 'error rate of a verdict', parseLevel, 1e-6)
		.option(
			'--fdr <share>',
			'share of the accounts that are found which may be wrong, on average',
			parseRate('--fdr'),
			0.01,
		)
		.option('--fail-on-detect', 'exit with 3 when the verdict is exposed')
		.action(async (flags: Flags) => {
			if ((flags.suspect === undefined) === (flags.scores === undefined))
				throw badInput('give one of --suspect PATH, --scores FILE');
			if (flags.coins === undefined && flags.saveScores === undefined)
				throw badInput('give --coins FILE, or --save-scores FILE to measure only');
			const trial = newExposure(await exposureInput(flags));
			const measureOf = measuresFromFlags(edge, flags, trial.pairs);
			const scoredFrom = async (paths: readonly string[], label: string): Promise<ScoredExposure> =>
				flags.scores === undefined
					? trial.measure(await measureOf(paths, label))
					: trial.record(await readAll(ExposureScore, paths));
			const scored = await scoredFrom(
				flags.suspect ?? [flags.scores ?? ''],
				flags.scores === undefined ? '--suspect' : '--scores',
			);
			const controls: { model: string; scored: ScoredExposure }[] = [];
			for (const model of flags.controlModel ?? [])
				controls.push({ model, scored: await scoredFrom([model], '--control-model') });

			if (flags.scoresDigest !== undefined && flags.scoresDigest !== scored.scoresDigest)
				throw badInput(
					`--scores-digest: the scores have digest ${scored.scoresDigest}, not the one that was recorded`,
				);
			if (flags.saveScores !== undefined)
				writeWhole(flags.saveScores, scored.scores.map((score) => `${JSON.stringify(score)}\n`).join(''));
			if (flags.coins === undefined) {
				const { scoresDigest } = scored;
				edge.out(
					flags.json
						? `${JSON.stringify({ pairs: trial.pairs.length, scoresDigest })}\n`
						: `${trial.pairs.length} pairs measured; record this digest before the coins are opened:\n${scoresDigest}\n`,
				);
				return;
			}
			// Everything is measured; only now does a coin enter this process.
			const coins = await readAll(OpenedCoin, [flags.coins]);
			const { level, fdr, hypotheses } = flags;
			const result = scored.open(coins, { level, fdr, hypotheses, controlModels: controls });
			const access = flags.scores === undefined ? flags.access : null;
			edge.out(flags.json ? `${JSON.stringify({ ...result, access })}\n` : describe(result));
			if (flags.failOnDetect && result.verdict === 'exposed') exit(EXIT.detected);
		});
}

function parseClip(value: string): number {
	const clip = Number(value);
	if (!(clip > 0 && clip < Infinity)) throw badInput('--clip: must be a number above 0, such as 1');
	return clip;
}

/** All lines of files. @throws TouchmarkError `bad-input` that names file and line */
export async function readAll<T extends z.ZodType>(
	schema: T,
	paths: readonly string[],
): Promise<z.output<T>[]> {
	const found: z.output<T>[] = [];
	for (const path of paths)
		for await (const { value, line } of readJsonLines(path))
			found.push(checked(schema, value, `${path}:${line.number}`));
	return found;
}

/** Reads the material of a trial. @throws TouchmarkError `bad-input` that names file and line */
export async function exposureInput(flags: TrialFlags): Promise<ExposureInput> {
	const { records, servedElsewhere = [], controlAccount, retrospective, rule } = flags;
	const pairs = await readAll(ExposurePair, flags.pairs);
	const elsewhere = await readAll(ServedText, servedElsewhere);
	return {
		pairs,
		servedElsewhere: elsewhere,
		...(records === undefined ? {} : { records: readArmRecords(records) }),
		...(controlAccount === undefined ? {} : { controlAccounts: controlAccount }),
		...(retrospective === undefined ? {} : { retrospective }),
		...(rule === undefined ? {} : { rule }),
	};
}

function describe(result: ExposureResult): string {
	const { effect, tests, dropped, missing, replayMismatches } = result;
	const share = (value: number) => `${(100 * value).toFixed(1)} %`;
	const rowText = (row: ExposureRow) =>
		`served preferred in ${row.servedPreferred} of ${row.pairs - row.ties}${row.ties > 0 ? ` (${row.ties} ties)` : ''}, log10 p ${row.log10P.toFixed(1)}`;
	const interval =
		effect.ci95 === null || effect.mean === null
			? ''
			: `: ${share(effect.mean)} (95 %: ${effect.ci95.map(share).join(' to ')}; 50 % without exposure)`;
	const left = [
		[dropped.repeated, 'left out: a text occurs in two pairs'],
		[dropped.leaked, 'left out: a text was served elsewhere'],
		[missing, result.rule === null ? 'missing, counted as lost' : `missing by the rule "${result.rule}"`],
		[replayMismatches, 'whose replay was not the streamed text'],
	] as const;
	return `${[
		`verdict: ${result.verdict} at level ${result.level}${result.withheld.length > 0 ? ` (withheld: ${result.withheld.join(', ')})` : ''}${result.alternatives.length > 0 ? `; cannot rule out: ${result.alternatives.join(', ')}` : ''}`,
		`  ${rowText(result)}${interval}`,
		`  log10 e ${result.log10E.toFixed(1)}; ${tests.map((test, i) => `${test.statistic}${i === 0 ? ' (headline)' : ''} ${test.log10P.toFixed(1)}`).join(', ')}`,
		...left.filter(([count]) => count > 0).map(([count, what]) => `  ${count} pairs ${what}`),
		...(result.accounts.length === 0
			? []
			: [
					`  ${result.accounts.filter(({ found }) => found).length} of ${result.accounts.length} accounts found at false discovery rate ${result.fdr}`,
				]),
		...result.accounts.map(
			(row) =>
				`  account ${row.account}${row.found ? ', FOUND' : ''}: ${rowText(row)}, adjusted ${row.log10PAdjusted.toFixed(1)}, corrected ${row.log10PCorrected.toFixed(1)}`,
		),
		...result.controls.accounts.map((row) => `  control account ${row.account}: ${rowText(row)}`),
		...result.controls.models.map((row) => `  control model ${row.model}: ${rowText(row)}`),
		`  taken on trust: ${result.assumptions.length === 0 ? 'nothing but the secrecy of the key' : result.assumptions.join(', ')}`,
		`  scores ${result.scoresDigest}`,
	].join('\n')}\n`;
}
