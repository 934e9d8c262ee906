// Package workbook makes report.xlsx of a written report: the machine files as sheets that can be read, filtered and added
// up. Numbers are numbers in the currency's format, identifiers are text, times are in the report's zone, and every total is
// a formula over the rows with the printed control total beside it.
package workbook
