// Package nightly orders the steps of a night: fetch the customer files, import them, reconcile the journal with what was
// asserted, deliver the results. The one-off import and the single report are steps of it.
package nightly
