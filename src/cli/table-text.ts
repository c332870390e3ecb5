/**
 * Tables in a terminal.
 *
 * @module
 */

/** Columns side by side; those that are not text stand right. @param text numbers of the columns that are */
export function tableText(table: readonly (readonly string[])[], text: readonly number[]): string {
	const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
	return table
		.map((row) =>
			row
				.map((cell, column) =>
					text.includes(column) ? cell.padEnd(widths[column]) : cell.padStart(widths[column]),
				)
				.join('  ')
				.trimEnd(),
		)
		.join('\n');
}
