/**
 * Key ring, derivation, commitments.
 *
 * @module
 */
export { type Account, type Accounts, openAccounts } from './accounts.js';
export { commit, deriveKey, deriveMarkKey, heldOutKey } from './derive.js';
export { currentMarks, openEpoch, rotateKeys } from './epochs.js';
export { bindOpenedSalt, currentSalt, OpenedSalt, openSalt, saltsOf } from './fingerprint-salt.js';
export {
	createKeyring,
	type Keyring,
	KeyringFile,
	openKeyring,
	type PassphraseSource,
} from './keyring.js';
export { LoggedAt } from './logged-at.js';
export { bindOpenedMark, OpenedMark } from './opened-mark.js';
export { SealedSecret, seal, unseal } from './sealed.js';
