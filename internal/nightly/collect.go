package nightly

import (
	"os"
	"runtime/debug"
)

// While a file is imported little is in use, and the same for a file of any size. To collect garbage as often as Go does by
// itself takes a fifth of the processor's time then.
const (
	importGarbage = 400      // percent of what is in use
	importMemory  = 64 << 20 // bytes; above that it is collected as often as it takes
)

// collectLessOften lets more garbage gather until the function that it returns is called. The environment's GOGC and
// GOMEMLIMIT come first.
func collectLessOften() func() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	percent, limit := debug.SetGCPercent(importGarbage), debug.SetMemoryLimit(importMemory)
	return func() {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(limit)
	}
}
