/**
 * Untrusted text in HTML: what a suspect wrote must come out as text, in elements and in quoted attributes.
 *
 * @module
 */

const ENTITIES: Readonly<Record<string, string>> = {
	'&': '&amp;',
	'<': '&lt;',
	'>': '&gt;',
	'"': '&quot;',
	"'": '&#39;',
};

/** Control characters (C0, DEL, C1) other than tab, line feed and carriage return: HTML has no way to write them. */
const FORBIDDEN = /[^\P{Cc}\t\n\r]/gu;

/**
 * Escapes text for an element or a quoted attribute.
 *
 * @example
 * escapeHtml('<b>'); // '&lt;b&gt;'
 */
export function escapeHtml(text: string): string {
	return text.replace(FORBIDDEN, '\uFFFD').replace(/[&<>"']/g, (character) => ENTITIES[character]);
}
