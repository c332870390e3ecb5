/**
 * `touchmark serve`: the detection service.
 *
 * @module
 */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { tokenizerFingerprint } from '../corpus/open-tokenizer.js';
import { badInput, TouchmarkError } from '../errors.js';
import { MODELS } from '../generate/embedded.js';
import { bindPlan, type PlannedGroup } from '../scan/plan.js';
import { readApiKeys } from '../server/api-keys.js';
import { NO_AUDIT_LOG, openAuditLog } from '../server/audit-log.js';
import { DEFAULT_LIMITS, type Limits } from '../server/limits.js';
import { type Service, startService } from '../server/service.js';
import { type Edge, warn } from './edge.js';
import { type ChosenMarks, type MarkFlags, marksFromFlags, withMarkFlags } from './marks.js';
import { parseInteger, parseLevel, parsePositive } from './numbers.js';

interface Flags extends MarkFlags {
	readonly host: string;
	readonly port: number;
	readonly apiKeys: string;
	readonly audit?: string;
	readonly level: number;
	readonly workers: number;
	readonly maxText: number;
	readonly queue: number;
	readonly deadline: number;
	readonly maxConnections: number;
	readonly maxConnectionsPerAddress?: number;
	readonly debug?: boolean;
}

/** This machine, by the names that people give. */
const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

/** Adds the command. */
export function addServe(program: Command, edge: Edge): void {
	const command = program
		.command('serve')
		.description(
			'HTTP detection API and page: POST /v1/detect with {"text"} or {"tokens"}. Answers are coarse, counted for each API key, and logged. Ends at SIGTERM or SIGINT when all that runs is answered; reads the API keys again at SIGHUP.',
		)
		.requiredOption('--api-keys <file>', 'who may ask (`touchmark api-keys add`)')
		.option('--host <address>', 'address to listen on', '127.0.0.1')
		.option('--port <n>', 'port to listen on; 0: one that is free', parseInteger('--port', 0, 65_535), 8080)
		.option('--audit <file>', 'append-only log of requests, JSONL; its salt is made beside it')
		.option('--level <p>', 'error rate of a verdict, corrected for the number of tests', parseLevel, 1e-6)
		.option(
			'--workers <n>',
			'threads that detect',
			parseInteger('--workers', 1, 256),
			Math.max(1, availableParallelism() - 1),
		)
		.option(
			'--max-text <bytes>',
			'longest text',
			parseInteger('--max-text', 1024, 2 ** 24),
			DEFAULT_LIMITS.textBytes,
		)
		.option(
			'--queue <n>',
			'requests that wait or are worked on; what is beyond is refused',
			parseInteger('--queue', 1, 100_000),
			DEFAULT_LIMITS.queue,
		)
		.option(
			'--deadline <seconds>',
			'until a request that was read is given up',
			parsePositive('--deadline', 0.01),
			DEFAULT_LIMITS.answerMs / 1000,
		)
		.option(
			'--max-connections <n>',
			'connections at once',
			parseInteger('--max-connections', 1, 65_535),
			DEFAULT_LIMITS.connections,
		)
		.option(
			'--max-connections-per-address <n>',
			'of these, from one address (a quarter; behind a proxy, give as many as --max-connections)',
			parseInteger('--max-connections-per-address', 1, 65_535),
		);
	withMarkFlags(command).action(async (flags: Flags) => {
		const chosen = await marksFromFlags(edge, flags);
		const group = await groupOf(chosen, flags);
		await bindPlan({ groups: [group] }, false);
		const keys = readApiKeys(flags.apiKeys);
		if (!LOOPBACK.has(flags.host))
			warn(edge, flags, `${flags.host}: keys and texts travel unencrypted; put a proxy with TLS in front`);
		if (flags.audit === undefined) warn(edge, flags, 'without --audit nobody can tell who asked what');
		const audit = flags.audit === undefined ? NO_AUDIT_LOG : await openAuditLog(flags.audit);
		const service = await startService({
			setup: { group, level: flags.level },
			threads: flags.workers,
			limits: limitsOf(flags),
			keys,
			audit,
			host: flags.host,
			port: flags.port,
			fault: (error) => {
				const { name, stack } = error instanceof Error ? error : new Error('not an error');
				edge.err(`error: a request failed: ${flags.debug ? stack : `${name} (--debug shows where)`}\n`);
			},
		}).catch(async (error: unknown) => {
			await audit.close();
			throw error;
		});
		edge.out(
			flags.json
				? `${JSON.stringify({ url: service.url, workers: flags.workers, marks: chosen.marks.map(({ id }) => id) })}\n`
				: `listening on ${service.url}\n`,
		);
		await untilStopped(edge, flags, service);
		await service.close();
	});
}

/** Resolves at the first signal to stop; a second one ends the process at once. */
async function untilStopped(edge: Edge, flags: Flags, service: Service): Promise<void> {
	const reload = () => {
		try {
			const keys = readApiKeys(flags.apiKeys);
			service.useKeys(keys);
			if (!flags.quiet) edge.err(`${keys.length} API keys read again\n`);
		} catch (error) {
			const why = TouchmarkError.isInstance(error) ? error.message : 'unexpected';
			warn(edge, flags, `${why}; the API keys stay as they were`);
		}
	};
	const stop = new AbortController();
	const { signal } = stop;
	process.on('SIGHUP', reload);
	try {
		await Promise.race([once(process, 'SIGTERM', { signal }), once(process, 'SIGINT', { signal })]);
	} finally {
		process.off('SIGHUP', reload);
		stop.abort();
	}
}

function limitsOf(flags: Flags): Limits {
	const { maxText, queue, deadline, maxConnections } = flags;
	return {
		...DEFAULT_LIMITS,
		textBytes: maxText,
		queue,
		answerMs: Math.round(1000 * deadline),
		connections: maxConnections,
		connectionsPerAddress: flags.maxConnectionsPerAddress ?? Math.ceil(maxConnections / 4),
	};
}

/** The marks, and the tokenizer of their text. @throws TouchmarkError `bad-input` where it is not given */
async function groupOf({ marks, sources, searchBits }: ChosenMarks, flags: Flags): Promise<PlannedGroup> {
	const embedded = join(MODELS, 'teacher');
	if (flags.tokenizer === undefined) {
		const own = await tokenizerFingerprint(embedded);
		if (marks.some(({ spec }) => spec.tokenizer !== own))
			throw badInput('give --tokenizer PATH: the tokenizer.json of the marked model');
	}
	return {
		tokenizer: flags.tokenizer ?? embedded,
		marks: marks.map((mark, i) => ({ source: sources[i], searchBits: searchBits(mark) })),
	};
}
