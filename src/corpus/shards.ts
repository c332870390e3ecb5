import type { Broken } from './lines.js';
export interface Shard { readonly id: string; readonly path: string; readonly format: 'jsonl'|'json'|'csv'|'text'|'parquet'; readonly compression: 'none'|'gzip'|'zstd'; readonly from: number; readonly to: number; readonly bytes: number }
export declare function planShards(paths: readonly string[], broken?: Broken): Promise<Shard[]>;
