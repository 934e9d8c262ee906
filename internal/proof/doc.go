// Package proof breaks our own guards, one at a time, and requires that a test
// notices. It holds tests only.
//
// mutants.txt lists the guards: which lines of which file, what they become
// without the guard, and which tests must turn red. A fast test keeps the list
// true to the code; with -mutants every one of them is tried. The tree itself
// is never touched: the go command reads the broken file from an overlay.
package proof
