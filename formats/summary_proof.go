package formats

// SummaryPrevious is the report of the same business date that changes.csv compares with.
type SummaryPrevious struct {
	Run    string `json:"run"`    // name of its directory, a run id
	SHA256 string `json:"sha256"` // of its summary.json, hex
}

// DayTotal is what was billed and paid in one currency on one business date of the period.
type DayTotal struct {
	Date     string `json:"date"` // YYYY-MM-DD; empty for events of unknown time
	Currency string `json:"currency"`
	Billed   string `json:"billed"`
	Paid     string `json:"paid"`
}

// The words for the state of a journal in a summary.
const (
	JournalWhole    = "whole"
	JournalDamaged  = "damaged"   // a line is missing, changed or out of order
	JournalTornTail = "torn_tail" // the last line is cut off
)

// The words for Moment's own reports in a summary.
const (
	MomentReportAbsent = "absent" // none was given
	MomentReportGiven  = "given"  // those given cover the whole period
	MomentReportGap    = "gap"    // those given leave a part of the period open
)

// FileMissing is the state of a day file that should have come and has not; its name is the one expected.
const FileMissing = "missing"

// Completeness says how sure it is that nothing is missing from a report.
type Completeness struct {
	Files         []CompletenessFile `json:"files"`          // customer files of the period's business dates, without those that another has corrected
	ExpectedFiles int                `json:"expected_files"` // business dates of the period; 0 if the period is open or no day files are expected
	Journal       string             `json:"journal"`        // whole, damaged or torn_tail
	MomentReport  string             `json:"moment_report"`  // given, absent or gap
	Proven        bool               `json:"proven"`         // Moment's own reports cover the period and know of no payment that the journal lacks
	Match         *MatchTotal        `json:"match"`          // null without a report of Moment
}

// MatchTotal counts the rows of matches.csv.
type MatchTotal struct {
	Both          int64 `json:"both"`
	AmountDiffers int64 `json:"amount_differs"` // of both
	WebhookOnly   int64 `json:"webhook_only"`
	ReportOnly    int64 `json:"report_only"` // payments
	Refunds       int64 `json:"refunds"`     // that no event announced: none does
}

// CompletenessFile is one customer file of the period.
type CompletenessFile struct {
	Name    string `json:"name"`
	Date    string `json:"date"`     // YYYY-MM-DD
	DayFile bool   `json:"day_file"` // the file that is expected for its date, and no other one
	State   string `json:"state"`    // done, open, rejected, held, or missing: it should have come
}

// What the live comparison found about whether a payment lowers the balance that Moment shows.
const (
	LowersYes     = "yes"
	LowersNo      = "no"
	LowersUnknown = "unknown" // nobody paid who could tell, or the evidence contradicts itself
)

// Live says what came of the comparison with the balances that Moment shows now.
type Live struct {
	Mode     string `json:"mode"`     // none, exceptions or all
	Compared int64  `json:"compared"` // customers that Moment was asked about and showed a balance of
	Drift    int64  `json:"drift"`    // of them with another balance than the position
	// LowersBalance tells whether Moment lowers a balance when it is paid: yes, no or unknown. It is not documented, and
	// found out from paid customers whose balance was not asserted again.
	LowersBalance string `json:"lowers_balance"`
	// EvidenceYes and EvidenceNo count the customers that say so.
	EvidenceYes int64 `json:"evidence_yes"`
	EvidenceNo  int64 `json:"evidence_no"`
	// Stopped says why customers were not compared; empty if all were.
	Stopped string `json:"stopped"`
}
