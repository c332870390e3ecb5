/**
 * Which marks act on a request. Marks of the deployment act on everybody's; a request of a cohort has that cohort's shapes
 * too, and a request of an account the account layer's draw, turned by its codeword.
 *
 * No token is marked twice. Where a cohort's shape covers a context, it takes the place of the deployment's shapes; where
 * the deployment's choice covers a context, the account layer keeps out. So a cohort's mark is tested on the contexts that
 * its own key selects, the deployment's choice on those of its own, and the account layer on all the others.
 *
 * @module
 */
import { badInput } from '../errors.js';
import type { Mark } from '../marks/mark.js';

/** Marks of a session by layer. */
export interface Layers {
	readonly shapes: readonly Mark[];
	readonly cohorts: ReadonlyMap<string, readonly Mark[]>;
	readonly choice: Mark | undefined;
	readonly account: Mark | undefined;
}

/** Marks that act on one request. */
export interface RequestLayers {
	readonly shapes: readonly Mark[];
	/** Shapes of the request's cohort. */
	readonly cohort: readonly Mark[];
	readonly choice: Mark | undefined;
	/** The account layer, and what is added to words at each position. */
	readonly account:
		| { readonly mark: Mark; readonly turnAt: (context: ArrayLike<number>) => number }
		| undefined;
}

/** @throws TouchmarkError `bad-input` for two choice marks of one layer */
export function layersOf(marks: readonly Mark[]): Layers {
	const only = (layer: 'deployment' | 'account'): Mark | undefined => {
		const found = marks.filter(({ spec }) => spec.channel === 'choice' && spec.layer === layer);
		if (found.length > 1)
			throw badInput(`a text has one choice channel; give at most one choice mark of the ${layer} layer`);
		return found[0];
	};
	const cohorts = new Map<string, Mark[]>();
	for (const mark of marks) {
		const { layer, member } = mark.spec;
		if (layer === 'cohort' && member !== null) cohorts.set(member, [...(cohorts.get(member) ?? []), mark]);
	}
	return {
		shapes: marks.filter(({ spec }) => spec.channel === 'shape' && spec.layer === 'deployment'),
		cohorts,
		choice: only('deployment'),
		account: only('account'),
	};
}

/**
 * @param what names the request in errors
 * @throws TouchmarkError `bad-input` for a cohort that no mark has, or an account without an account layer
 */
export function layersFor(
	layers: Layers,
	{ cohort, account }: { readonly cohort?: string | undefined; readonly account?: string | undefined },
	what: string,
): RequestLayers {
	const shapes = cohort === undefined ? [] : layers.cohorts.get(cohort);
	if (shapes === undefined) throw badInput(`${what}: no mark of this session is cohort "${cohort}"'s`);
	const { code } = layers.account ?? {};
	if (account !== undefined && code === undefined)
		throw badInput(`${what}: an account is given, but this session has no mark of the account layer`);
	const codeword = account === undefined ? undefined : code?.codeword(account);
	return {
		shapes: layers.shapes,
		cohort: shapes,
		choice: layers.choice,
		account:
			layers.account && code && codeword
				? { mark: layers.account, turnAt: (context) => code.turn(codeword[code.position(context)]) }
				: undefined,
	};
}

/** Ids of the marks that act, for the receipt. */
export function idsOf({ shapes, cohort, choice, account }: RequestLayers): string[] {
	return [...shapes, ...cohort, ...(choice ? [choice] : []), ...(account ? [account.mark] : [])].map(
		(mark) => mark.id,
	);
}
