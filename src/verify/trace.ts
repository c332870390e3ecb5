/**
 * Which accounts and cohorts did these records come through?
 *
 * Each record is gated by the deployment's choice mark, on contexts of its own; then every account's codeword is held
 * against the contexts of the account layer. An account is named by the randomness of codewords given the text, not by
 * that of the key: given the key, a text that is marked fits some codewords by chance, and those must not be accused.
 *
 * @module
 */
import { badInput } from '../errors.js';
import type { Mark } from '../marks/mark.js';
import { benjaminiHochbergLog } from '../stats/false-discovery.js';
import { bonferroniLog } from '../stats/index.js';
import { exp, ln } from '../stats/portable.js';
import { newAccountSearch } from './account-search.js';
import { accountPairs, codeOf } from './account-table.js';
import { cohortResults } from './cohort-results.js';
import { newGroupSearch } from './group-search.js';
import { logPValue } from './null-law.js';
import { newPairSet, type PairSet } from './pairs.js';
import type { PooledAccount } from './pooled-accounts.js';
import { tallyPairs } from './tally.js';
import { DEFAULT_LEVEL, type SearchBits, searchBitsOf, testTally, toLog10 } from './test-result.js';
import type { NamedAccount, TracedRecord, TraceResult } from './trace-result.js';

/** What to look for. */
export interface TraceOptions {
	/** Marks of the account layer, the deployment's choice marks of the same epochs, and shapes of cohorts. */
	readonly marks: readonly Mark[];
	/** Pseudonyms of all accounts that come into question, each once. */
	readonly accounts: readonly string[];
	/** Chance that a record names any account wrongly. Default 1e-6. */
	readonly level?: number;
	/** False discovery rate of the lists of accounts and cohorts. Default 0.01. */
	readonly fdr?: number;
	/** Default 0: every key was committed beforehand. Whoever can choose the key can make it fit an account. */
	readonly searchBits?: SearchBits;
	/**
	 * A record whose deployment mark has a larger p-value is not traced: it costs nothing in validity, whatever it is, since
	 * no codeword enters. Default 0.01; 1 traces everything.
	 */
	readonly gate?: number;
}

/** A trace in the making. */
export interface Trace {
	/** @param given ids that the author of the record was given */
	add(record: {
		readonly id: string;
		readonly tokens: ArrayLike<number>;
		readonly given?: ArrayLike<number>;
	}): TracedRecord;
	result(): TraceResult;
}

/** A mark of the account layer and the choice mark of its deployment in the same epoch. */
interface Epoch {
	readonly account: Mark;
	readonly deployment: Mark;
}

/** @throws TouchmarkError `bad-input` where an account layer has no choice mark of its deployment beside it */
function epochsOf(marks: readonly Mark[]): Epoch[] {
	const accounts = marks.filter(({ spec }) => spec.layer === 'account');
	if (accounts.length === 0) throw badInput('no mark of the account layer is given: nothing to trace');
	return accounts.map((account) => {
		const { deployment: name, epoch, contextWidth, start } = account.spec;
		const deployment = marks.find(
			({ spec }) =>
				spec.layer === 'deployment' &&
				spec.channel === 'choice' &&
				spec.deployment === name &&
				spec.epoch === epoch &&
				spec.contextWidth === contextWidth &&
				spec.start === start &&
				spec.selector === 'keyed',
		);
		if (deployment === undefined)
			throw badInput(
				`the account layer of deployment "${name}", epoch ${epoch}, needs the deployment's choice mark of the same context width with a keyed share, and none is given`,
			);
		return { account, deployment };
	});
}

/**
 * Starts a trace.
 *
 * @throws TouchmarkError `bad-input` for marks that do not belong together, no account, or an account given twice
 */
export function newTrace(options: TraceOptions): Trace {
	const { marks, accounts, level = DEFAULT_LEVEL, fdr = 0.01, gate = 0.01, searchBits } = options;
	if (accounts.length === 0) throw badInput('no account is given: nobody can be named');
	const twice = accounts.length - new Set(accounts).size;
	if (twice > 0) throw badInput(`${twice} accounts are given twice; each must be there once`);
	const hypotheses = accounts.length;
	const epochs = epochsOf(marks).map((epoch) => {
		const code = codeOf(epoch.account);
		const found = code.grouping
			? newGroupSearch(code, code.grouping, accounts, ln(fdr))
			: newAccountSearch(code, accounts, ln(fdr));
		const bits = searchBitsOf(searchBits, epoch.account);
		return { ...epoch, found, bits, best: new Map<number, Best>() };
	});
	const trials = hypotheses * epochs.length;
	const cohorts = marks.filter(({ spec }) => spec.layer === 'cohort');
	const cohortPairs = new Map<string, PairSet>();
	const keyOf = ({ spec }: Mark) => `${spec.contextWidth}/${spec.start}`;
	for (const mark of cohorts)
		if (!cohortPairs.has(keyOf(mark))) cohortPairs.set(keyOf(mark), newPairSet(mark.spec));
	let records = 0;
	let gated = 0;
	let named = 0;

	return {
		add({ id, tokens, given = [] }) {
			records++;
			const found: NamedAccount[] = [];
			let strongest: TracedRecord['gate'] | undefined;
			for (const { account, deployment, found: all, bits, best } of epochs) {
				const { epoch } = account.spec;
				const pairs = newPairSet(account.spec);
				pairs.add(tokens, given);
				const tally = tallyPairs(pairs, deployment);
				const logP = Math.min(0, logPValue(tally, deployment.scheme.null));
				const passed = exp(logP) <= gate;
				const log10P = toLog10(logP);
				if (strongest === undefined || log10P < strongest.log10P)
					strongest = { epoch, scored: tally.scored, log10P, passed };
				if (!passed) continue;
				const own = accountPairs(pairs, account, deployment);
				const logLevel = ln(level / epochs.length) - bits * Math.LN2;
				const { named: fitting, thought, tested } = all.search(own, logLevel);
				all.pool.add(own, thought);
				for (const { account: index, logP: logTail } of fitting) {
					found.push({
						account: accounts[index],
						epoch,
						log10P: toLog10(logTail),
						log10PCorrected: toLog10(bonferroniLog(logTail, tested * epochs.length, bits)),
					});
					const before = best.get(index) ?? { logP: 0, named: 0 };
					best.set(index, { logP: Math.min(before.logP, logTail), named: before.named + 1 });
				}
			}
			if (strongest?.passed) {
				gated++;
				for (const pairs of cohortPairs.values()) pairs.add(tokens, given);
			}
			if (found.length > 0) named++;
			return {
				id,
				tokens: tokens.length,
				gate: strongest ?? { epoch: 0, scored: 0, log10P: 0, passed: false },
				named: found.sort((a, b) => a.log10P - b.log10P),
			};
		},
		result() {
			return {
				...{ records, gated, named },
				accounts: listAccounts(),
				cohorts: listCohorts(),
				...{ hypotheses: trials, fdr, level },
				marks: epochs.flatMap(({ account, deployment }) =>
					[account, deployment].map((mark) => ({
						...{ mark: mark.id, epoch: mark.spec.epoch },
						searchBits: searchBitsOf(searchBits, mark),
					})),
				),
			};
		},
	};

	/** Accounts below the false discovery rate. */
	function listAccounts(): TraceResult['accounts'] {
		const rows = new Map<number, { records: number; named: number; logP: number; epochs: number[] }>();
		for (const { account: mark, found, bits, best } of epochs)
			for (const [account, pooled] of withNamed(found.pool.test(), best)) {
				const own = best.get(account);
				// Two looks: all records together, and the one that names it most clearly of all that passed the gate.
				const byRecord = bonferroniLog(own?.logP ?? 0, Math.max(1, gated));
				const logAny = bonferroniLog(Math.min(pooled.logP, byRecord), 2 * epochs.length, bits);
				const row = rows.get(account) ?? { records: 0, named: 0, logP: 0, epochs: [] };
				rows.set(account, {
					records: row.records + Math.max(pooled.records, own?.named ?? 0),
					named: row.named + (own?.named ?? 0),
					logP: Math.min(row.logP, logAny),
					epochs: logAny <= ln(fdr) ? [...row.epochs, mark.spec.epoch] : row.epochs,
				});
			}
		const list = [...rows];
		const adjusted = benjaminiHochbergLog(
			list.map(([, { logP }]) => logP),
			Math.min(
				hypotheses,
				epochs.reduce((sum, { found }) => sum + found.listed(), 0),
			),
		);
		return list
			.map(([account, row], i) => ({ account: accounts[account], ...row, adjusted: adjusted[i] }))
			.filter((row) => row.adjusted <= ln(fdr))
			.sort((a, b) => a.logP - b.logP)
			.map(({ logP, adjusted: logAdjusted, epochs: shown, ...row }) => ({
				...row,
				log10P: toLog10(logP),
				log10PAdjusted: toLog10(logAdjusted),
				epochs: [Math.min(...shown), Math.max(...shown)] as [number, number],
			}));
	}

	/** Every cohort. */
	function listCohorts(): TraceResult['cohorts'] {
		const tests = cohorts.map((mark) => {
			const pairs = cohortPairs.get(keyOf(mark)) ?? newPairSet(mark.spec);
			const decision = {
				level: fdr,
				hypotheses: cohorts.length,
				searchBits: searchBitsOf(searchBits, mark),
			};
			return { mark, test: testTally(tallyPairs(pairs, mark), mark, decision, 'marked-text') };
		});
		return cohortResults(tests, fdr);
	}
}

/** Tests of the pool, and accounts that a record names although the pool did not think of them. */
function withNamed(
	pooled: ReadonlyMap<number, PooledAccount>,
	best: ReadonlyMap<number, Best>,
): Map<number, PooledAccount> {
	const none: PooledAccount = { records: 0, logP: 0 };
	return new Map([...[...best.keys()].map((account) => [account, none] as const), ...pooled]);
}

/** The record that names an account most clearly, and how many do. */
interface Best {
	readonly logP: number;
	readonly named: number;
}
