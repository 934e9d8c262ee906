// Command tallyman imports customer files into Moment's Billing API, keeps the
// signed events of their payments, and reconciles the two.
//
// This package is the command line: a file a command, exit codes and the form
// of messages in exit.go, the wiring of the parts and nothing else of theirs.
package main

import (
	"os"
	_ "time/tzdata" // a slim machine or container has no time zones of its own
)

func main() {
	restrictFiles()
	a := newApp()
	os.Exit(execute(a, newRoot(a), os.Args[1:]))
}
