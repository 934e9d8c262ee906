// Package formats knows the files that tallyman reads and writes: the biller's customer files, the outcome and rejects
// files that answer them, the journal of webhook events, the expected balances, and the reports for finance. It also
// holds the money those files carry: int64 minor units with a currency, exact sums, and no float anywhere.
//
// The package does no network and keeps no state; it reads from io.Reader and writes to io.Writer.
package formats
