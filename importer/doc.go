// Package importer brings the customers of a file into Moment: it decides for each record what is to be done, puts that
// on record, does it, and accounts for every record with exactly one outcome.
//
// The part that cannot be undone is creating a customer: Moment documents neither a delete nor a list, so a duplicate
// can be neither removed nor found. The rules by which a request is sent again (faults.md sections 1 and 2.3):
//
//   - No answer: the same key and the same bytes again. Moment stores the first outcome under the key for 24 hours.
//   - A failure answer: Moment may have stored it, so the key will not heal. Look the customer up by reference; adopt it
//     if it is there, else use a new generation of the key, which is on record before it is sent.
//   - Anything that was sent more than 20 hours ago, or by a clock that has jumped: look up before sending.
//   - A conflict: look up and adopt, else wait and use the same key again, a bounded number of times. Never a new key.
//   - An update has no key and sets an absolute balance that a payment may have moved since: after silence, look first.
//   - A newer file counts more. While it is not known what a newer file's request has done, an older file's record waits.
//
// An Importer first surveys a file, then sends, then accounts for it; each of the three reads the file from its beginning.
// The records (Ledger) carry what must survive between them, and between runs: the intent before a request, the outcome
// after it.
package importer
