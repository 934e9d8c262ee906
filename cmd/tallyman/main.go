// Command tallyman imports customer files into Moment's Billing API, keeps the
// signed events of their payments, and reconciles the two.
//
// This package is the command line: a file a command, exit codes and the form
// of messages in exit.go, the wiring of the parts and nothing else of theirs.
package main

import (
	"os"
	"runtime/debug"
	_ "time/tzdata" // a slim machine or container has no time zones of its own
)

func main() {
	restrictFiles()
	collectLessOften()
	a := newApp()
	os.Exit(execute(a, newRoot(a), os.Args[1:]))
}

// collectLessOften lets garbage grow to four times what is in use, which is little at any time and the same for a file of any
// size: to collect it as often as Go does by itself takes a fifth of an import's processor time. GOGC still overrides.
func collectLessOften() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(400)
	}
}
