package overview

// Kind is what a column of a report's CSV file holds.
type Kind int

// The kinds of columns.
const (
	Text    Kind = iota // words, of us or of others
	ID                  // text that looks like a number now and then, and must not become one
	Money               // a decimal in major units of the row's currency
	Count               // an integer
	Date                // YYYY-MM-DD
	Instant             // RFC 3339
)

// KindOf tells the kind of a column by its name. One that it does not know is Text, which shows any content as it is.
func KindOf(column string) Kind {
	switch column {
	case "opening_balance", "billed", "paid", "closing_balance", "live_balance", "live_difference", "amount":
		return Money
	case "payment_count", "age_days":
		return Count
	case "business_date", "due_date":
		return Date
	case "first_paid_at", "last_paid_at", "event_time", "received_at", "first_seen":
		return Instant
	case "external_reference", "customer_id", "event_id", "obligation_id", "payment_id", "exception_id", "journal_ref":
		return ID
	}
	return Text
}
