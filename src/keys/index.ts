/**
 * Key ring, derivation, commitments.
 *
 * @module
 */
export { commit, deriveKey, deriveMarkKey, heldOutKey } from './derive.js';
export {
	createKeyring,
	type Keyring,
	KeyringFile,
	LoggedAt,
	openKeyring,
	type PassphraseSource,
} from './keyring.js';
export { SealedSecret, seal, unseal } from './sealed.js';
