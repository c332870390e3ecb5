/**
 * Texts from the models that ship with the package.
 *
 * @module
 */
export {
	EMBEDDED_MODELS,
	type EmbeddedModel,
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
} from './embedded.js';
export { type Sample, type SampleOptions, sampleTexts } from './sample.js';
