/**
 * The marks of a state, bound again: to test it no tokenizer is needed, for states and candidates hold token ids.
 *
 * @module
 */
import { badInput } from '../errors.js';
import {
	type BoundGroup,
	bindPlan,
	describePlan,
	digestOf,
	type MarkSource,
	type PlanDescription,
} from './plan.js';

/** A mark that is at hand. */
export interface KnownMark {
	readonly id: string;
	readonly source: MarkSource;
	readonly searchBits: number;
}

/**
 * Binds the marks that a state's shards were scanned for.
 *
 * @param known more marks than the state has do no harm
 * @throws TouchmarkError `bad-input` where one of the state's is not among them, or where another version wrote it
 */
export async function bindStatePlan(
	plan: PlanDescription,
	known: readonly KnownMark[],
	where: string,
): Promise<BoundGroup[]> {
	const byId = new Map(known.map((mark) => [mark.id, mark]));
	const bound = await bindPlan({
		groups: plan.groups.map(({ marks }) => ({
			tokenizer: null,
			marks: marks.map((id) => {
				const mark = byId.get(id);
				if (mark === undefined)
					throw badInput(`${where}: is of mark ${id.slice(0, 16)}…, whose key was not given`);
				return mark;
			}),
		})),
	});
	const groups = bound.map((group, i) => ({ ...group, fingerprint: plan.groups[i].tokenizer }));
	if (digestOf(describePlan(groups, plan.countCells)) !== digestOf(plan))
		throw badInput(`${where}: was made by another version, whose windows or sample are not ours; scan again`);
	return groups;
}
