/**
 * Accounts and cohorts of a student: who is found among many, and how many of those found are wrong.
 *
 * @module
 */
import { accountRows } from './account-rows.js';
import { cohortRows } from './cohort-rows.js';
import type { Bench } from './rows.js';

export const bench: Bench = {
	about:
		'Whose answers was a student trained on? _Accounts_, by exposure: 200 accounts with 40 requests each, a keyed coin serves one ' +
		'of two answers of 112 tokens; students (three for each number of epochs, rate 1e-3) of 4,096 texts, of which 800 are the served answers of 20 accounts, ' +
		'the others unmarked texts of the teacher. Each account is tested by its first pairs, signed ranks of the likelihood less that of ' +
		'references, as in `exposure`; 180 innocent accounts under 1,000 fresh tosses of their coins a student, the 20 under their true ones. ' +
		'Peer: the paired t-test of STAMP on mean log-probabilities, for each account, 200 tosses. ' +
		'_Cohorts_, by inherited marks: 50 cohorts with a shape mark of their own on half of the contexts (a tournament of one ' +
		'layer, width 1; the deployment’s on the other half); students of 8,192 texts, two epochs, with answers to five of the cohorts, the share of each as ' +
		'named. Open and grey: 10,000 positions; closed: 100,000 tokens of answers; references as in `inheritance`. In place of the 45 other cohorts’ p-values 1,000 draws from ' +
		'those of 200 keys a student that it never met, all students together. `found@α`: share that is found at false discovery rate α (Benjamini and Hochberg); `wrong@α`: mean share of the found that is wrong; ' +
		'`named@1e-6`: share that Holm’s correction names at a chance of 1e-6 of any wrong name. With --quick only what is measured already.',
	async run({ quick }) {
		const parts = [accountRows(quick), cohortRows(quick)];
		return { rows: parts.flatMap(({ rows }) => rows), notes: parts.flatMap(({ notes }) => notes) };
	},
};
