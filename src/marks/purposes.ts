/**
 * What a mark is good for, in words: it says so when it is exported to a system that can carry one channel only.
 *
 * @module
 */
import type { MarkSpec } from './mark-spec.js';

/** What marks are for: is this text marked, was a model trained on it, through which account. */
export const PURPOSES = ['identify', 'inherit', 'trace'] as const;

/** For each purpose, whether the mark serves it, and why or why not. */
export type Purposes = Readonly<
	Record<(typeof PURPOSES)[number], { readonly served: boolean; readonly why: string }>
>;

/**
 * Widest context at which students were seen to learn a mark: Sander et al., "Watermarking makes language models
 * radioactive" (2402.14904), log10 p at widths 1, 2, 4: green lists −43.7, −10.2, −1.4; gumbel −47.2, −18.4, −2.8.
 */
const INHERITED_WIDTH = 2;

/** `npm run bench -- variety`: distinct 3-grams of the embedded teacher under gumbel at width 2, 0.54 against 0.91. */
const NARROW_DRAW = 'a keyed draw this narrow repeats itself: 41 % fewer distinct 3-grams in our bench';

/** Purposes of a mark. */
export function purposesOf(spec: MarkSpec): Purposes {
	const width = spec.contextWidth;
	const narrow = width <= INHERITED_WIDTH;
	const keyed = spec.channel === 'choice';
	return {
		identify: {
			served: true,
			why: keyed
				? 'the draw is keyed: a text of some dozen tokens can be told'
				: 'green tokens can be counted in a text, though more of it is needed than for a keyed draw',
		},
		inherit: {
			served: narrow,
			why: narrow
				? `students learn a context of width ${width}${keyed ? `; ${NARROW_DRAW}` : ''}`
				: `a context of width ${width} identifies and is not inherited; width 2 is${keyed ? `, but ${NARROW_DRAW}` : ''}`,
		},
		trace: {
			served: spec.layer !== 'deployment',
			why:
				spec.layer === 'deployment'
					? 'one key for the whole deployment says nothing about accounts'
					: spec.layer === 'cohort'
						? 'the key belongs to one cohort'
						: 'codewords tell accounts apart',
		},
	};
}
