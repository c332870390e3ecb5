/**
 * Marks as plain data, bound to keys, and read from other systems' configurations.
 *
 * @module
 */
export { ACCOUNT_CODE, AccountCode, type BoundCode } from './account-code.js';
export {
	type Arm,
	ArmRecord,
	ArmSpec,
	type ArmTemplate,
	armId,
	bindArm,
	type Coin,
	checkCoin,
	OpenedCoin,
	openCoin,
	openCoins,
	type Side,
	seedHash,
	servedSide,
} from './arm.js';
export {
	COMPATIBLE,
	type Compatible,
	type CompatibleOptions,
	cohortMark,
	compatibleMark,
	defaultMarks,
	tracingMarks,
} from './defaults.js';
export { GENERATORS, type Generator, type GeneratorName, generatorOf } from './generators.js';
export { HfConfig, hfMark, toHfConfig } from './hf-config.js';
export { bindMark, type Mark } from './mark.js';
export { canonicalBytes, MarkSpec, type MarkTemplate, markId } from './mark-spec.js';
export { PURPOSES, type Purposes, purposesOf } from './purposes.js';
export { toVllmConfig, VllmConfig, vllmMark } from './vllm-config.js';
