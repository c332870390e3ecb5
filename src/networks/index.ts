/**
 * Accounts that work for one another.
 *
 * @module
 */
export { findNetworks, type NetworksOptions, type TracedDataset } from './networks.js';
export { NetworkAccount, NetworksResult, StepVerdict } from './networks-result.js';
export { type GatheredTraffic, newTraffic, type PromptFingerprint, type Traffic } from './traffic.js';
