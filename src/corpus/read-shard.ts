export interface ScanRecord { readonly id: string; readonly text: string; readonly prompt?: string }
export interface TokenRecord { readonly id: string; readonly tokens: ArrayLike<number> }
import type { Broken } from './lines.js';
import type { Shard } from './shards.js';
export declare function readShard(shard: Shard, fields: { text: string; prompt: string }, broken?: Broken): AsyncGenerator<ScanRecord[]>;
export declare function readTokenShard(shard: Shard, vocabSize: number | undefined, broken?: Broken, field?: string): AsyncGenerator<TokenRecord[]>;
