/**
 * Students that were trained on the served answers of some accounts, and what their likelihoods say of every account's
 * pairs. Texts, students and measurements are kept as soon as each is whole:
 *
 *     TOUCHMARK_PYTHON=python3 npx tsx bench/distillation/account-students.ts
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { loadTransformer } from '../../src/model/transformer.js';
import { newExposure } from '../../src/verify/exposure.js';
import { REST } from './exposed.js';
import { probeOf, trainReferences } from './exposure-probes.js';
import { folderOf, isTrained, keep, keepTexts, say, teacherTexts, textsOf, train, WORK } from './students.js';
import { trialFile, trialOf } from './trials.js';

/** Accounts of the trial. */
export const ACCOUNTS = 200;
/** Of them, those whose answers a student was trained on. */
export const USED = 20;
/** Accounts that are measured: those that any student was trained on, each of them innocent of all other students. */
export const MEASURED = 60;
/** Requests of each account; all are in the trial. */
export const REQUESTS = 40;

/** The seed of the trial: one for all students, which differ in the accounts that were used. */
const TRIAL = 'accounts';
/** Training texts: served answers of the used accounts, and unmarked texts of the teacher. */
const TEXTS = 4096;
const RATE = 1e-3;

/** One student. */
export interface AccountCell {
	readonly epochs: number;
	/** Says which accounts were used, and orders the training. */
	readonly seed: number;
}

/** All cells. */
export const CELLS: readonly AccountCell[] = [1, 3].flatMap((epochs) =>
	[1, 2, 3].map((seed) => ({ epochs, seed })),
);

/** How a text is measured: as the bench `exposure` does. */
export const WAYS = ['open', 'grey', 'alone'] as const;
export type Way = (typeof WAYS)[number];

const Measured = z.record(z.enum(WAYS), z.array(z.number()));
/** Served minus other answer, one a request, account by account; 0 for a tie. */
export type Measured = z.infer<typeof Measured>;

function nameOf({ epochs, seed }: AccountCell): string {
	return `accounts-epochs${epochs}-${seed}`;
}

/** Whether a student was trained on the answers of an account. */
export function isUsed({ seed }: AccountCell, account: number): boolean {
	return Math.floor(account / USED) === seed - 1;
}

/** Trains a student unless it is there. */
function trainCell(work: string, cell: AccountCell): void {
	const name = nameOf(cell);
	if (isTrained(work, name)) return;
	const served = USED * REQUESTS;
	const path = join(work, 'texts', `accounts-used-${cell.seed}.jsonl`);
	const trial = trialFile(work, TRIAL, ACCOUNTS * REQUESTS);
	if (!existsSync(path)) keepTexts(path, textsOf(trial, (cell.seed - 1) * served, served));
	const rest = TEXTS - served;
	const samples = [`${path}:${served}`, `${teacherTexts(work, undefined, REST, rest)}:${rest}`];
	train(work, { name, from: join(MODELS, 'base'), samples, epochs: cell.epochs, rate: RATE }, cell);
}

function measuredFile(work: string, cell: AccountCell): string {
	return join(work, 'accounts', `${nameOf(cell)}.json`);
}

/** What was measured of a student; undefined where it was not yet. */
export function measuredAccounts(work: string, cell: AccountCell): Measured | undefined {
	const path = measuredFile(work, cell);
	return existsSync(path) ? Measured.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
}

/** Trains and measures a student, unless that is done. */
export function measureAccounts(work: string, cell: AccountCell): Measured {
	const done = measuredAccounts(work, cell);
	if (done !== undefined) return done;
	trainReferences(work);
	trainCell(work, cell);
	const begun = performance.now();
	const exchanges = trialOf(work, TRIAL, MEASURED * REQUESTS);
	const pairs = exchanges.map(({ pair }) => pair);
	const probe = probeOf(work, TRIAL, pairs, embeddedTokenizer());
	const model = loadTransformer(folderOf(work, nameOf(cell)));
	const trial = newExposure({ pairs });
	const differences = (way: Way): number[] => {
		const { scores } = trial.measure(way === 'alone' ? probe.alone(model) : probe.measureOf(model, way));
		const byId = new Map(scores.map(({ id, a, b }) => [id, a - b]));
		// A pair that may not be tested counts as a tie.
		return exchanges.map(({ pair, coin }) => {
			const difference = byId.get(pair.id) ?? 0;
			return Number((coin.served === 'a' ? difference : -difference).toPrecision(6));
		});
	};
	const measured = { open: differences('open'), grey: differences('grey'), alone: differences('alone') };
	keep(measuredFile(work, cell), `${JSON.stringify(measured)}\n`);
	say(`${nameOf(cell)}: measured, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
	return measured;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	for (const cell of CELLS) trainCell(WORK, cell);
	for (const cell of CELLS) measureAccounts(WORK, cell);
}
