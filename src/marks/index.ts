/**
 * Marks as plain data, bound to keys, and read from other systems' configurations.
 *
 * @module
 */
export { defaultMarks } from './defaults.js';
export { bindMark, type Mark } from './mark.js';
export { canonicalBytes, MarkSpec, type MarkTemplate, markId } from './mark-spec.js';
export { VLLM_KEY_BITS, VllmConfig, vllmMark, vllmPrf } from './vllm-config.js';
