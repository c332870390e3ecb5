/**
 * Reading what comes from outside: every failure is one sentence that names the place.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from './errors.js';

/** A schema for `bytes` bytes in lower-case hexadecimal. */
export function hexOf(bytes: number): z.ZodString {
	return z
		.string()
		.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${2 * bytes} lower-case hexadecimal digits`);
}

/** The beginnings of V8's messages that come before (or without) an excerpt of the text. */
const SAFE_REASON = /^(Unexpected token '.'|Unexpected end of JSON input|[^"]* in JSON at position \d+)/su;

/** Parses JSON. The text is never quoted, since it may hold a secret. @throws TouchmarkError `bad-input` "{where}: …" */
export function parseJson(text: string, where: string): unknown {
	try {
		return JSON.parse(text);
	} catch (error) {
		const reason = SAFE_REASON.exec((error as Error).message);
		throw badInput(`${where}: is not valid JSON${reason === null ? '' : ` (${oneLine(reason[0])})`}`);
	}
}

/**
 * Validates a value. The first problem becomes the sentence: `{where}: field "a.b" …`. Values are never
 * quoted, since they may be secrets.
 *
 * @throws TouchmarkError `bad-input`
 */
export function checked<T extends z.ZodType>(schema: T, value: unknown, where: string): z.output<T> {
	const parsed = schema.safeParse(value);
	if (parsed.success) return parsed.data;
	const issue = deepest(parsed.error.issues[0]);
	const field = issue.path.length > 0 ? `field "${issue.path.join('.')}": ` : '';
	throw badInput(`${where}: ${field}${oneLine(issue.message)}`);
}

type Issue = z.core.$ZodIssue;

/** Of a failed union, the issue of the branch that came closest: the one that has the right type. */
function deepest(issue: Issue): Issue {
	if (issue.code !== 'invalid_union') return issue;
	const branches = issue.errors.map((errors) => errors[0]).filter((inner) => inner !== undefined);
	const closest = branches.find((inner) => inner.code !== 'invalid_type') ?? branches[0];
	return closest === undefined ? issue : { ...closest, path: [...issue.path, ...closest.path] };
}

function oneLine(message: string): string {
	const line = message.replace(/\s+/g, ' ').trim();
	return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}
