package formats

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Summary is summary.json: a whole reconciliation on one page, for people and machines (design.md section 8, Reports).
// Amounts are decimal strings in major units with the currency's digits; no figure is added across currencies.
type Summary struct {
	BusinessDate string           `json:"business_date"` // YYYY-MM-DD, or empty
	From         string           `json:"from"`          // RFC 3339, inclusive; empty if the period has no beginning
	To           string           `json:"to"`            // RFC 3339, exclusive; empty if the period has no end
	Timezone     string           `json:"timezone"`      // IANA name of the zone in which business dates are counted
	Inputs       []SummaryInput   `json:"inputs"`
	Journal      SummaryJournal   `json:"journal"`
	Events       []EventTotal     `json:"events"`
	Customers    []CustomerTotal  `json:"customers"`
	RollForward  []RollForward    `json:"roll_forward"`
	Exceptions   []ExceptionTotal `json:"exceptions"`
	Checks       []Check          `json:"checks"`
	Previous     *SummaryPrevious `json:"previous"` // null if there was none
	Days         []DayTotal       `json:"days"`     // by date, then currency
	Completeness Completeness     `json:"completeness"`
	Live         Live             `json:"live"`
}

// SummaryInput is one file that the figures come from.
type SummaryInput struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"` // of the bytes that were read, hex
	Lines  int64  `json:"lines"`
}

// SummaryJournal is the last line of the journal that was read; both are zero for a journal of bare events.
type SummaryJournal struct {
	Seq    int64  `json:"seq"`
	SHA256 string `json:"sha256"`
}

// EventTotal counts and adds up the journal lines of one currency, status and reason. Lines without a readable amount
// add nothing to Sum.
type EventTotal struct {
	Currency string `json:"currency"`
	Status   string `json:"status"`
	Reason   string `json:"reason"`
	Count    int64  `json:"count"`
	Sum      string `json:"sum"`
}

// CustomerTotal counts and adds up the rows of balances.csv of one currency and status.
type CustomerTotal struct {
	Currency string `json:"currency"`
	Status   string `json:"status"`
	Count    int64  `json:"count"`
	Closing  string `json:"closing"`
}

// RollForward is the control total of one currency: Opening + Billed - Paid = Closing.
type RollForward struct {
	Currency string `json:"currency"`
	Opening  string `json:"opening"`
	Billed   string `json:"billed"`
	Paid     string `json:"paid"`
	Closing  string `json:"closing"`
}

// ExceptionTotal counts the rows of exceptions.csv of one severity and reason.
type ExceptionTotal struct {
	Severity string `json:"severity"`
	Reason   string `json:"reason"`
	Count    int64  `json:"count"`
}

// Check is one proof of the report's own arithmetic: the same figure, computed in two ways.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"` // both figures, in words
}

// WriteSummary writes summary.json: the same summary always gives the same bytes. Lists without entries are written as
// empty lists.
func WriteSummary(w io.Writer, s Summary) error {
	s.Inputs = listed(s.Inputs)
	s.Events = listed(s.Events)
	s.Customers = listed(s.Customers)
	s.RollForward = listed(s.RollForward)
	s.Exceptions = listed(s.Exceptions)
	s.Checks = listed(s.Checks)
	s.Days = listed(s.Days)
	s.Completeness.Files = listed(s.Completeness.Files)
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(s); err != nil {
		return fmt.Errorf("write summary.json: %w", err)
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return fmt.Errorf("write summary.json: %w", err)
	}
	return nil
}

func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
