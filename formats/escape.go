package formats

import "strings"

// Escape makes text safe in a file that is opened in a spreadsheet, where a cell that begins with = + - @ TAB CR or LF
// would be run as a formula (OWASP, CSV Injection): any number of apostrophes followed by one of these gets one
// apostrophe more. A phone number, + and 7 to 15 digits, is left alone; so must be the numbers that tallyman itself
// prints, which are not passed through here. Unescape gives the text back.
func Escape(text string) string {
	if !looksLikeFormula(text) || isPhoneNumber(text) {
		return text
	}
	return "'" + text
}

// Unescape undoes Escape: for every text, Unescape(Escape(text)) is text.
func Unescape(cell string) string {
	if strings.HasPrefix(cell, "'") && looksLikeFormula(cell) {
		return cell[1:]
	}
	return cell
}

// looksLikeFormula reports whether the first character that is no apostrophe makes a spreadsheet compute.
func looksLikeFormula(text string) bool {
	rest := strings.TrimLeft(text, "'")
	return rest != "" && strings.IndexByte("=+-@\t\r\n", rest[0]) >= 0
}

// isPhoneNumber reports whether text is an E.164 number as far as its shape goes.
func isPhoneNumber(text string) bool {
	digits, ok := strings.CutPrefix(text, "+")
	return ok && len(digits) >= 7 && len(digits) <= 15 && allDigits(digits)
}
