/**
 * Other systems' detectors on the same attacked token ids, each with its own p-value, or with the z that stands for one.
 *
 * @module
 */
import { HfConfig } from '../../src/marks/hf-config.js';
import { VllmConfig } from '../../src/marks/vllm-config.js';
import { upstreamHf, upstreamVllm } from '../../src/verify/upstream.js';
import type { Peer } from '../peer-process.js';

/** Levels at which a peer is asked: the claim, and two that the rate of its false positives can be measured at. */
export type PeerLevel = 1e-6 | 1e-3 | 1e-2;

/** z of a standard normal that is exceeded with the probability of the level. */
const NOMINAL_Z = { 1e-6: 4.753424308822899, 1e-3: 3.090232306167813, 1e-2: 2.3263478740408408 } as const;

/** A detector of `bench/peers/serve.py`. */
export interface PeerDetector {
	/** Who it is, and what its level means. */
	readonly name: string;
	readonly case: string;
	/** The request's parameters. @param config as the scheme's `keyed` gives it */
	request(config: object): object;
	/** Whether it finds a mark by its own numbers. @param ids what it was given */
	finds(said: Numbers, ids: readonly number[], level: PeerLevel): boolean;
	/** The same numbers by our reproduction of it, for tests under many keys. */
	reproduced(config: object, ids: readonly number[]): Numbers;
}

type Numbers = Readonly<Record<string, number>>;

/** `WatermarkDetector`: its own p-value is the normal tail at z, over all windows. */
export const transformersKgw: PeerDetector = {
	name: 'transformers WatermarkDetector, its p-value',
	case: 'transformers-kgw-detect',
	request: (hf) => ({ hf }),
	finds: ({ z_score }, _, level) => z_score >= NOMINAL_Z[level],
	reproduced(config, ids) {
		const said = upstreamHf(ids, HfConfig.parse(config));
		return { z_score: 'z' in said ? said.z : Number.NaN };
	},
};

const SYNTHID_WIDTH = 4;
const SYNTHID_LAYERS = 30;

/** transformers' g-values and MarkLLM's mean over them, first occurrences of contexts: no p-value, so its z. */
export const transformersSynthid: PeerDetector = {
	name: 'MarkLLM mean of transformers g-values, nominal z',
	case: 'transformers-synthid-detect',
	request: (hf) => ({ hf, mask: true }),
	finds: ({ mean }, ids, level) => {
		const contexts = new Set(
			Array.from({ length: Math.max(0, ids.length - SYNTHID_WIDTH) }, (_, i) =>
				ids.slice(i, i + SYNTHID_WIDTH).join(),
			),
		);
		return 2 * (mean - 0.5) * Math.sqrt(SYNTHID_LAYERS * contexts.size) >= NOMINAL_Z[level];
	},
	reproduced(config, ids) {
		const said = upstreamHf(ids, HfConfig.parse(config));
		return { mean: 'maskedMean' in said ? said.maskedMean : Number.NaN };
	},
};

/** vLLM's detectors: their own p-values, each context once. */
export function vllmDetector(kind: 'gumbel' | 'dual'): PeerDetector {
	return {
		name: `vLLM ${kind === 'gumbel' ? 'GumbelWatermarkDetector' : 'DualKeyGumbelWatermarkDetector'}, its p-value`,
		case: `vllm-${kind}-detect`,
		request: (vllm) => ({ vllm }),
		finds: ({ p_value }, _, level) => p_value <= level,
		reproduced: (config, ids) => ({ p_value: 10 ** upstreamVllm(ids, VllmConfig.parse(config)).log10P }),
	};
}

/** Asks a peer about texts, all under one configuration. */
export async function askPeer(
	peer: Peer,
	detector: PeerDetector,
	config: object,
	texts: readonly (readonly number[])[],
	level: PeerLevel,
): Promise<boolean[]> {
	const id = detector.case;
	const prepared = await peer.setup(id, {
		case: detector.case,
		...detector.request(config),
		tokens: texts,
		all: true,
	});
	await prepared.drop();
	return texts.map((ids, i) => detector.finds(prepared.all[i], ids, level));
}
