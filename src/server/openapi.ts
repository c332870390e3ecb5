/**
 * The OpenAPI 3.1 document of the service, made from the schemas that requests and answers go through.
 *
 * @module
 */
import { z } from 'zod';
import { VERSION } from '../version.js';
import { CoarseAnswer, DetectRequest, FullAnswer } from './answers.js';
import { type Limits, mostTokens } from './limits.js';
import { PROBLEM_CODES, PROBLEMS, ProblemBody } from './problems.js';

/** Body of `/healthz` and `/readyz`. */
export const Health = z.strictObject({ status: z.enum(['ok', 'ready']) });

/** The document. */
export function openApiDocument(limits: Limits) {
	return {
		openapi: '3.1.0',
		info: {
			title: 'Touchmark detection',
			version: VERSION,
			description:
				'Is this text marked? Answers are coarse: one of four, so that they cannot be climbed. Requests are counted for each API key.',
			license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
		},
		servers: [{ url: '/' }],
		paths: {
			'/v1/detect': {
				post: {
					operationId: 'detect',
					summary: 'Tests one text for the marks of this server',
					description: `A text, or the token ids of the marked model. At most ${limits.textBytes} bytes of text in UTF-8, or ${mostTokens(limits)} token ids.`,
					security: [{ apiKey: [] }],
					requestBody: { required: true, content: json('DetectRequest') },
					responses: {
						200: {
							description: 'The verdict. Keys with full detail get a FullAnswer.',
							content: {
								'application/json': {
									schema: { anyOf: [reference('CoarseAnswer'), reference('FullAnswer')] },
								},
							},
						},
						...refusals('bad-request', 'unauthorized', 'timeout', 'too-large', 'unsupported-media-type'),
						...refusals('rate-limited', 'internal', 'overloaded'),
					},
				},
			},
			'/healthz': {
				get: {
					operationId: 'health',
					summary: 'Whether the process runs',
					security: [],
					responses: { 200: { description: 'It runs.', content: json('Health') } },
				},
			},
			'/readyz': {
				get: {
					operationId: 'readiness',
					summary: 'Whether requests are answered',
					security: [],
					responses: {
						200: { description: 'They are.', content: json('Health') },
						...refusals('internal', 'shutting-down'),
					},
				},
			},
			'/metrics': {
				get: {
					operationId: 'metrics',
					summary: "Metrics in Prometheus' text format",
					security: [],
					responses: {
						200: { description: 'Metrics.', content: { 'text/plain': { schema: { type: 'string' } } } },
					},
				},
			},
			'/openapi.json': {
				get: {
					operationId: 'openapi',
					summary: 'This document',
					security: [],
					responses: {
						200: {
							description: 'OpenAPI 3.1.',
							content: { 'application/json': { schema: { type: 'object' } } },
						},
					},
				},
			},
			'/': {
				get: {
					operationId: 'page',
					summary: 'A page to paste a text into',
					security: [],
					responses: {
						200: { description: 'HTML.', content: { 'text/html': { schema: { type: 'string' } } } },
					},
				},
			},
		},
		components: {
			securitySchemes: { apiKey: { type: 'http', scheme: 'bearer' } },
			schemas: {
				DetectRequest: schemaOf(DetectRequest),
				CoarseAnswer: schemaOf(CoarseAnswer),
				FullAnswer: schemaOf(FullAnswer),
				Health: schemaOf(Health),
				Problem: schemaOf(ProblemBody),
			},
		},
	};
}

function schemaOf(schema: z.ZodType): object {
	const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: 'input' });
	return rest;
}

function reference(name: string) {
	return { $ref: `#/components/schemas/${name}` };
}

function json(name: string) {
	return { 'application/json': { schema: reference(name) } };
}

/** The answers of the codes that have these codes' statuses. */
function refusals(...codes: (keyof typeof PROBLEMS)[]): Record<string, object> {
	return Object.fromEntries(
		codes.map((one) => {
			const same = PROBLEM_CODES.filter((code) => PROBLEMS[code] === PROBLEMS[one]);
			return [PROBLEMS[one], { description: `Refused: ${same.join(', ')}.`, content: json('Problem') }];
		}),
	);
}
