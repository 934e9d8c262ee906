// Package durable is what Go's os package leaves open about files that must survive a power cut, on each system: replacing
// one whole, syncing a directory, and knowing how much room there is.
package durable
