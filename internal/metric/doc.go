// Package metric shows Prometheus what was done: as a file for the node exporter's textfile collector, or by HTTP.
//
// All figures come from what is on record, so that it does not matter which process shows them, or whether it was
// restarted since. None has a label that a customer, a file or a row gives its value to.
package metric
