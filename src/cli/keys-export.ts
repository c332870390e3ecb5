/**
 * `touchmark keys export`: a mark's key in the form that another system, or another verifier, takes.
 *
 * @module
 */
import { hexToBytes } from '@noble/hashes/utils.js';
import { badInput } from '../errors.js';
import type { Keyring } from '../keys/keyring.js';
import { type Compatible, compatibleMark } from '../marks/defaults.js';
import { toHfConfig } from '../marks/hf-config.js';
import { type MarkSpec, markId } from '../marks/mark-spec.js';
import { type Purposes, purposesOf } from '../marks/purposes.js';
import { toVllmConfig } from '../marks/vllm-config.js';

/** Where an export goes. */
export type Target = 'vllm' | 'hf' | 'spec';

/** What is exported. */
export interface Exported {
	readonly spec: MarkSpec;
	/** Content of the file, to be written as JSON; holds a secret. */
	readonly config: Readonly<Record<string, unknown>>;
	readonly purposes: Purposes;
}

/** One mark for a target. @throws TouchmarkError `bad-input` with the reason when the target cannot express it */
function configOf(ring: Keyring, spec: MarkSpec, target: Target): Exported['config'] {
	const opened = ring.open(spec);
	if (target === 'spec') return { ...opened };
	return (target === 'hf' ? toHfConfig : toVllmConfig)(opened.spec, hexToBytes(opened.key));
}

/**
 * Exports a mark.
 *
 * @param wanted beginning of a mark's id; without one, the ring's only mark that the target can express
 * @throws TouchmarkError `bad-input` with the reasons when there is none, or several
 */
export function exportMark(ring: Keyring, target: Target, wanted?: string): Exported {
	const exported = (spec: MarkSpec): Exported => ({
		spec,
		config: configOf(ring, spec, target),
		purposes: purposesOf(spec),
	});
	if (wanted !== undefined) {
		const found = ring.marks.filter((spec) => markId(spec).startsWith(wanted));
		if (found.length !== 1)
			throw badInput(
				`--mark: ${found.length === 0 ? 'no mark' : 'more than one mark'} has an id that begins so`,
			);
		return exported(found[0]);
	}
	const able: Exported[] = [];
	const reasons: string[] = [];
	for (const spec of ring.marks)
		try {
			able.push(exported(spec));
		} catch (error) {
			reasons.push(`${markId(spec).slice(0, 16)}: ${(error as Error).message}`);
		}
	if (able.length === 1) return able[0];
	if (able.length > 1)
		throw badInput(
			`several marks can be exported; give --mark with the id of one: ${able.map(({ spec }) => `${markId(spec).slice(0, 16)} (${spec.scheme.name})`).join(', ')}`,
		);
	throw badInput(
		`no mark of this key ring can be exported (${reasons.join('; ')}); add one with \`touchmark keys add --for …\``,
	);
}

/** Adds the mark of a fleet that embeds with another system's code. */
export function addCompatible(
	ring: Keyring,
	kind: Compatible,
	options: { readonly contextWidth?: number; readonly vocabSize?: number },
): MarkSpec {
	const first = ring.marks[0];
	return ring.add(
		compatibleMark(kind, {
			deployment: first?.deployment ?? 'default',
			tokenizer: first?.tokenizer ?? null,
			...options,
		}),
	);
}
