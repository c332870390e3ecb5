/**
 * The records of a shard, as a plan has them read: texts, or token ids where no group has a tokenizer.
 *
 * @module
 */
import type { Broken } from '../corpus/lines.js';
import { readShard } from '../corpus/read-shard.js';
import { readTokenShard, type TokenRecord } from '../corpus/read-token-shard.js';
import type { ScanRecord } from '../corpus/records.js';
import type { Shard } from '../corpus/shards.js';
import type { ScanPlan } from './plan.js';

/** Whether records are token ids. */
export function isByIds({ groups }: ScanPlan): boolean {
	return groups.every(({ tokenizer }) => tokenizer === null);
}

/**
 * The records of a shard, in batches.
 *
 * @param broken is told of what cannot be read, which is left out
 * @throws TouchmarkError `bad-input` for what cannot be read, where there is no `broken`
 */
export function shardRecords(
	plan: ScanPlan,
	shard: Shard,
	broken: Broken | undefined,
): AsyncGenerator<(ScanRecord | TokenRecord)[]> {
	return isByIds(plan) ? readTokenShard(shard, undefined, broken) : readShard(shard, plan.fields, broken);
}
