/**
 * Numbers as people read them in a report: grouped thousands, a true minus sign, few digits.
 *
 * @module
 */

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** A number with a fixed count of decimals; “n/a” for NaN, “∞” for infinities, and never a negative zero. */
export function decimalText(value: number, decimals: number): string {
	if (Number.isNaN(value)) return 'n/a';
	const text = Number.isFinite(value)
		? Math.abs(value).toLocaleString('en-US', {
				minimumFractionDigits: decimals,
				maximumFractionDigits: decimals,
			})
		: '∞';
	return value < 0 && /[1-9∞]/.test(text) ? `−${text}` : text;
}

/** A logarithm to about three digits: 0.35, 60.3, 5,000. */
export function logText(value: number): string {
	const size = Math.abs(value);
	return decimalText(value, size < 10 ? 2 : size < 1000 ? 1 : 0);
}

/** An error rate: 10⁻⁶ for a power of ten, else the number as it is. */
export function rateText(rate: number): string {
	const exponent = Math.round(Math.log10(rate));
	if (!(exponent < 0) || Number(`1e${exponent}`) !== rate) return String(rate);
	return `10⁻${[...String(-exponent)].map((digit) => SUPERSCRIPTS[Number(digit)]).join('')}`;
}

/** An error rate as odds: “1 in 1,000,000”. */
export function oddsText(rate: number): string {
	return rate > 0 && rate < 1 ? `1 in ${decimalText(Math.round(1 / rate), 0)}` : String(rate);
}
