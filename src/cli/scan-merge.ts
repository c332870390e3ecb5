/**
 * `touchmark scan-merge`: what the workers of a cluster found, together: one state, and what it says.
 *
 * @module
 */
import type { Command } from 'commander';
import { readLines } from '../corpus/lines.js';
import { badInput } from '../errors.js';
import { parseJson } from '../input.js';
import { writePiecesAsTheyCome, writeWhole } from '../output.js';
import { clusterVerdicts } from '../scan/cluster-verdicts.js';
import { resultOfState } from '../scan/corpus-result.js';
import { linesOf, STANDARD_INPUT } from '../scan/record-lines.js';
import { newStateMerge, parseState, type ScanState, signState, stateText } from '../scan/state.js';
import { bindStatePlan } from '../scan/state-plan.js';
import { type Edge, EXIT } from './edge.js';
import { type MarkFlags, marksFromFlags, ringFromFlags, SCORED_LAYERS, withKeyFlags } from './marks.js';
import { isFoundByScan, withVerdictFlags } from './scan-plan.js';

interface Flags extends MarkFlags {
	readonly out?: string;
	readonly candidates?: string[];
	readonly counts?: string[];
	readonly flagged?: string;
	readonly level: number;
	readonly fdr: number;
	readonly heldOutKeys: number;
	readonly failOnDetect?: boolean;
}

/** Adds the command. */
export function addScanMerge(program: Command, edge: Edge, exit: (code: number) => void): void {
	const command = program
		.command('scan-merge')
		.description(
			'merge states of scans into one, which is printed; with the key of the marks: print what it says, as `scan --json` does',
		)
		.argument('<files...>', 'states, or what workers printed, one a line; - for standard input')
		.option('--out <file>', 'where to write the merged state; signed where --keyring is given')
		.option('--candidates <files...>', 'what workers printed: the candidates get their verdicts')
		.option('--counts <files...>', 'with --candidates: what workers printed with --count, of all shards')
		.option('--flagged <file>', 'with --candidates: where to write the records that are reported');
	withVerdictFlags(withKeyFlags(command)).action(async (files: string[], flags: Flags) => {
		const { keyring, spec, vllmConfig, hfConfig, candidates, counts, flagged, out } = flags;
		const keyed = [keyring, spec, vllmConfig, hfConfig].some((flag) => flag !== undefined);
		if (candidates !== undefined && !keyed)
			throw badInput('--candidates: give the key of the marks too (--keyring FILE, --spec FILE, …)');
		if (candidates === undefined && (counts ?? flagged) !== undefined)
			throw badInput('--counts and --flagged: are for --candidates FILES');
		const merged = await mergeFiles(edge, files);
		const state = keyring === undefined ? merged : signState(merged, await ringFromFlags(edge, flags));
		if (!keyed) {
			if (out === undefined) edge.out(stateText(state));
		} else {
			const chosen = await marksFromFlags(edge, flags, SCORED_LAYERS);
			const known = chosen.marks.map((mark, i) => ({
				id: mark.id,
				source: chosen.sources[i],
				searchBits: chosen.searchBits(mark),
			}));
			const groups = await bindStatePlan(state.plan, known, 'the merged state');
			const judged =
				candidates === undefined
					? undefined
					: await clusterVerdicts(state, groups, { candidates, counts: counts ?? [] }, flags.fdr);
			const { level, fdr, heldOutKeys } = flags;
			const result = resultOfState(state, groups, {
				...{ level, fdr, heldOutKeys },
				verdicts: judged?.verdicts ?? null,
			});
			if (flagged !== undefined && judged !== undefined)
				await writePiecesAsTheyCome(flagged, judged.flagged());
			edge.out(`${JSON.stringify(result)}\n`);
			if (flags.failOnDetect && isFoundByScan(result)) exit(EXIT.detected);
		}
		if (out !== undefined) writeWhole(out, stateText(state));
		await edge.drained();
	});
}

/** Merges all states of files. @throws TouchmarkError `bad-input` for states that do not belong together, or none at all */
async function mergeFiles(edge: Edge, files: readonly string[]): Promise<ScanState> {
	const merge = newStateMerge();
	for (const file of files) {
		let some = false;
		const name = file === '-' ? STANDARD_INPUT : file;
		for await (const { text, number } of file === '-' ? linesOf(edge.input) : readLines(file)) {
			if (text.trim() === '') continue;
			const where = `${name}:${number}`;
			const value = parseJson(text, where);
			if (isOther(value)) continue;
			const state =
				typeof value === 'object' && value !== null && 'state' in value && Object.keys(value).length === 1
					? value.state
					: value;
			merge.add(parseState(state, where), where);
			some = true;
		}
		if (!some) throw badInput(`${name}: holds no state; a worker that ends prints one last`);
	}
	return merge.merged();
}

/** Whether a line is another one that workers print. */
function isOther(value: unknown): boolean {
	return typeof value === 'object' && value !== null && 'candidate' in value;
}
