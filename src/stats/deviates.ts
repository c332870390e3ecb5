/**
 * How many standard deviations out the alternatives lie that e-values average over: ½·60^(j/20), j = 0 … 20, from ½ to
 * 30. Fixed for all tests, hence before any score.
 *
 * @module
 */
import { exp, ln } from './portable.js';

export const DEVIATES: readonly number[] = Array.from({ length: 21 }, (_, j) => 0.5 * exp((j / 20) * ln(60)));
