/**
 * Several suspects in one run: verdicts corrected for their number, and controls beside them.
 *
 * Bonferroni's correction, so that a row says what a run of that suspect alone would say with as many `hypotheses`, and no
 * suspect is the easier convicted because of another. Holm's would lower a corrected p-value by the number of suspects at
 * most.
 *
 * A control is a model that cannot have learned the mark: older than it, or not suspected. It is no hypothesis of the
 * correction, since nobody is accused through it. One that looks marked all the same says that something is wrong with the
 * run (the key leaked, prompts or references carry the mark, weights knew the key), and what that is may have moved the
 * suspects too. So no suspect is found while a control is. Withholding only takes findings away: the level still holds.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import type { Mark } from '../marks/mark.js';
import {
	type Observations,
	type RadioactivityOptions,
	RadioactivityResult,
	radioactivity,
} from './radioactivity.js';
import { DEFAULT_LEVEL, isFinding, isFound } from './test-result.js';

const NamedResult = RadioactivityResult.extend({
	suspect: z.string(),
	/** log10 p under each held-out key, for each of `tests`; none where they were not printed. */
	nulls: z.array(z.array(z.number())).default([]),
});

/** One result a suspect and control. */
export const SuspectsResult = z.object({
	suspects: z.array(NamedResult),
	/** Tested as suspects are, at the level of an alarm and corrected for their own number. */
	controls: z.array(NamedResult.extend({ found: z.boolean() })),
	/** Tests that every verdict is corrected for. */
	hypotheses: z.int().min(1),
	level: z.number(),
	/** Why a verdict that would be a finding is `too-little-data`. */
	withheld: z.array(z.enum(['control-model-found'])),
});
export type SuspectsResult = z.infer<typeof SuspectsResult>;

/** What is known of one suspect. */
export interface Suspect {
	/** Of no other suspect or control. */
	readonly name: string;
	readonly observations: Observations;
}

/**
 * Chance of a false alarm by any control. Far above the level of a verdict: an alarm accuses nobody, and a fault need not
 * move a control as far as a suspect.
 */
const ALARM = 1e-3;

/**
 * Tests suspects and controls for inherited marks.
 *
 * @param options `hypotheses` is multiplied by the number of suspects
 * @throws TouchmarkError `bad-input` as {@link radioactivity}, for no suspect, and for a name that occurs twice
 */
export function radioactivityOfSuspects(
	suspects: readonly Suspect[],
	controls: readonly Suspect[],
	marks: readonly Mark[],
	options: RadioactivityOptions = {},
): SuspectsResult {
	if (suspects.length === 0) throw badInput('give a suspect');
	const names = [...suspects, ...controls].map(({ name }) => name);
	const twice = names.find((name, i) => names.indexOf(name) !== i);
	if (twice !== undefined) throw badInput(`two suspects or controls are called "${twice}"`);
	const { level = DEFAULT_LEVEL, hypotheses = 1, heldOutKeys, weightsDigests } = options;
	const resultsOf = (some: readonly Suspect[], how: RadioactivityOptions) =>
		some.map(({ name, observations }) => {
			const { result, nulls } = radioactivity(observations, marks, how);
			return { suspect: name, ...result, nulls: nulls.map(({ log10Ps }) => [...log10Ps]) };
		});
	const tested = resultsOf(suspects, { ...options, hypotheses: hypotheses * suspects.length });
	// Keys that may have been searched for do not pay here: such a search would show in the controls.
	const beside = resultsOf(controls, {
		...{ level: Math.max(level, ALARM), hypotheses: controls.length },
		...(heldOutKeys === undefined ? {} : { heldOutKeys }),
		...(weightsDigests === undefined ? {} : { weightsDigests }),
	}).map((result) => ({ ...result, found: result.tests.some((test) => isFound(test, result.level)) }));
	const alarmed = beside.some(({ found }) => found);
	return {
		suspects: alarmed ? tested.map(withoutFinding) : tested,
		controls: beside,
		hypotheses: tested[0].hypotheses,
		level,
		withheld: alarmed ? ['control-model-found'] : [],
	};
}

function withoutFinding<T extends RadioactivityResult>(result: T): T {
	const cohorts = result.cohorts.map((cohort) => ({ ...cohort, found: false }));
	const without = isFinding(result.verdict) ? { verdict: 'too-little-data' as const, alternatives: [] } : {};
	return { ...result, cohorts, ...without };
}
