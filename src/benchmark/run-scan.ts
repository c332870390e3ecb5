/**
 * Scans in processes of their own.
 *
 * @module
 */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { badInput, TouchmarkError } from '../errors.js';
import type { ScanResult } from '../scan/corpus-result.js';
import type { ScanOptions } from '../scan/engine.js';

/** What is scanned: plain data. */
export type ScanOrder = Omit<ScanOptions, 'signer' | 'progress' | 'problem' | 'evidence'>;

/** What the scan says when it is done. */
export interface MeasuredScan {
	readonly result: ScanResult;
	/** Records that have evidence, log₁₀ of their e-values. */
	readonly evidence: readonly { readonly record: string; readonly log10E: number }[];
	/** The start of the process included. */
	readonly seconds: number;
	readonly peakRssBytes: number;
}

/** Messages of the process. */
export type FromScan =
	| { readonly kind: 'progress'; readonly bytes: number; readonly of: number }
	| { readonly kind: 'problem'; readonly message: string }
	| ({ readonly kind: 'done' } & MeasuredScan)
	| { readonly kind: 'failed'; readonly message: string; readonly code: string | null };

/** Who listens while it runs. */
export interface ScanListener {
	progress(bytes: number, of: number): void;
	problem(message: string): void;
}

/** Runs a scan. @throws TouchmarkError as the scan does */
export function runScan(order: ScanOrder, { progress, problem }: ScanListener): Promise<MeasuredScan> {
	return new Promise((resolve, reject) => {
		// What this process was started with (a debugger's port, a loader) is not for the scan.
		const child = fork(fileURLToPath(new URL('./scan-process.js', import.meta.url)), {
			execArgv: [],
			serialization: 'advanced',
		});
		child.on('message', (message) => {
			const said = message as FromScan;
			switch (said.kind) {
				case 'progress':
					progress(said.bytes, said.of);
					break;
				case 'problem':
					problem(said.message);
					break;
				case 'done':
					resolve(said);
					break;
				case 'failed':
					reject(said.code === 'bad-input' ? badInput(said.message) : new Error(said.message));
					break;
			}
		});
		child.on('error', reject);
		child.on('exit', (code, signal) =>
			reject(new TouchmarkError('failed', `the scan ended early (${signal ?? `exit code ${code}`})`)),
		);
		child.send(order);
	});
}
