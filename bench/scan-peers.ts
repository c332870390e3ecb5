/**
 * Python detectors over a whole corpus, in processes of their own: `bench/peers/scan.py`.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';

/** Detectors that `bench/peers/scan.py` knows; `none` is tokenization (or reading) alone. */
export type ScanDetector =
	| 'none'
	| 'transformers-kgw'
	| 'transformers-synthid'
	| 'vllm-gumbel'
	| 'vllm-dual'
	| 'three-bricks-gumbel'
	| 'three-bricks-kgw'
	| 'markllm-kgw'
	| 'markllm-exp';

/** What to scan and with what. */
export interface PeerScanOptions {
	/** The interpreter of the environment that `bench/peers/README.md` describes. */
	readonly python: string;
	readonly detector: ScanDetector;
	/** A JSONL file: objects with a field `text`, or token ids where there is no tokenizer. */
	readonly corpus: string;
	/** Path of a tokenizer.json. */
	readonly tokenizer?: string;
	/** Of the detector; what is left out has a default. */
	readonly config?: object;
	/** Default 2. */
	readonly processes?: number;
	/** Only the lines that begin within the first so many bytes: some peers take minutes for a megabyte. */
	readonly bytes?: number;
}

const Result = z.object({
	name: z.string(),
	records: z.int(),
	tokens: z.int(),
	bytes: z.int(),
	seconds: z.number(),
	startup: z.number(),
	processes: z.int(),
	versions: z.record(z.string(), z.string()),
});
/** What was scanned, and how long it took: `seconds` of scanning, after `startup` seconds of getting ready. */
export type PeerScan = z.infer<typeof Result>;

/** Runs one scan to its end. @throws Error with what Python said when it fails */
export async function peerScan(options: PeerScanOptions): Promise<PeerScan> {
	const { python, detector, corpus, tokenizer, config = {}, processes = 2, bytes } = options;
	const flags = [
		...['--detector', detector, '--config', JSON.stringify(config), '--processes', String(processes)],
		...(tokenizer === undefined ? ['--tokens'] : ['--tokenizer', tokenizer]),
		...(bytes === undefined ? [] : ['--bytes', String(bytes)]),
	];
	const { stdout } = await promisify(execFile)(python, ['bench/peers/scan.py', ...flags, corpus]);
	// Upstream code may print; the result is the last line.
	return Result.parse(JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? ''));
}
