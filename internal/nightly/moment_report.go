package nightly

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"tallyman/formats"
	"tallyman/internal/config"
	"tallyman/reconciler"
)

// matchesFile stands in a report that Moment's own reports were given for.
const matchesFile = "matches.csv"

// momentReports are what Moment's own reports say.
type momentReports struct {
	rows   []reconciler.ReportPayment
	spans  []span // that they cover
	inputs []formats.SummaryInput
	seen   map[string]bool // transactions by type and id: a settlement report repeats those of a reconciliation report
}

type span struct{ from, to time.Time }

// readMomentReports reads the reports before anything is written: one of another shape is wrong usage.
func (r *Reporter) readMomentReports(q ReportRequest) (*momentReports, error) {
	if len(q.MomentReports) == 0 {
		return nil, nil
	}
	m := &momentReports{seen: map[string]bool{}}
	for _, path := range q.MomentReports {
		if err := m.read(path, r.MomentReport, r.Calendar.Location(), q); err != nil {
			return nil, &InputError{err}
		}
	}
	return m, nil
}

func (m *momentReports) read(path string, options formats.MomentReportOptions, location *time.Location, q ReportRequest) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read Moment's report: %w: check --moment-report", err)
	}
	defer f.Close()
	name := filepath.Base(path)
	options.Location = location
	src := newSummer(f)
	report, err := formats.ReadMomentReport(src, options, func(row formats.MomentReportRow) error {
		key := row.Type + "\x00" + row.ID
		if row.ID != "" && m.seen[key] {
			return nil
		}
		m.seen[key] = true
		m.rows = append(m.rows, reconciler.ReportPayment{
			MomentReportRow: row, Ref: fmt.Sprintf("%s:%d", name, row.Line),
			Inside: (q.From.IsZero() || !row.At.Before(q.From)) && (q.To.IsZero() || row.At.Before(q.To)),
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if _, err := io.Copy(io.Discard, src); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	hash, lines := src.result()
	m.inputs = append(m.inputs, formats.SummaryInput{Path: name, SHA256: hash, Lines: lines})
	if covered, ok := covers(report, name, location); ok {
		m.spans = append(m.spans, covered)
	}
	return nil
}

// reconName is the name of a daily reconciliation report; the last date is the end of its period
// (Moment: /documentation/reconciliation-reporting/reconciliation-report).
var reconName = regexp.MustCompile(`(?i)_Moment_Recon_.*_(\d{8})\.csv$`)

// covers tells which period a report covers: the one it says itself, else the day that its name ends with. A settlement
// report covers none, since it lists what was paid out and not what was paid.
func covers(report formats.MomentReport, name string, location *time.Location) (span, bool) {
	if !report.From.IsZero() && report.From.Before(report.To) {
		return span{report.From, report.To}, true
	}
	if found := reconName.FindStringSubmatch(name); found != nil {
		if day, err := time.ParseInLocation("20060102", found[1], location); err == nil {
			return span{day, day.AddDate(0, 0, 1)}, true
		}
	}
	return span{}, false
}

// gap returns the first instant of the period that no report covers; ok is false if there is none.
func (m *momentReports) gap(q ReportRequest) (at time.Time, ok bool) {
	slices.SortFunc(m.spans, func(a, b span) int { return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to)) })
	if q.From.IsZero() || q.To.IsZero() {
		return time.Time{}, true
	}
	at = q.From
	for _, s := range m.spans {
		if !s.from.After(at) && s.to.After(at) {
			at = s.to
		}
	}
	return at, at.Before(q.To)
}

// matchReports matches the payments of the report at hand with those of Moment's reports, writes matches.csv, and finds
// what the journal lacks.
func (r *Reporter) matchReports(engine *reconciler.Reconciler, m *momentReports, q ReportRequest) (*formats.MatchTotal, error) {
	webhooks, err := webhookPayments(q)
	if err != nil {
		return nil, err
	}
	rows := reconciler.Match(webhooks, m.rows)
	_, date, _ := r.dates(q)
	date = cmp.Or(q.Date, date)
	total := &formats.MatchTotal{}
	err = writeReport(q.fileWriter(), filepath.Join(q.Out, matchesFile), formats.NewMatchWriter, func(w *formats.MatchWriter) error {
		for i := range rows {
			rows[i].BusinessDate = date
			if err := w.Write(rows[i]); err != nil {
				return err
			}
			if finding, missed := count(total, &rows[i]); missed {
				if err := engine.Find(finding); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if at, open := m.gap(q); open {
		err = engine.Find(reconciler.Finding{Reason: formats.ReasonReportGap, Identity: date, Detail: gapDetail(at)})
	}
	return total, err
}

func gapDetail(at time.Time) string {
	if at.IsZero() {
		return "The period of this report has no beginning or no end, so Moment's reports cannot cover all of it: give --from and --to, or --date."
	}
	return fmt.Sprintf("Moment's reports do not cover the period from %s on: give the missing one with --moment-report as well.", at.UTC().Format(time.RFC3339))
}

// count adds a row to the totals. missed says that it is money that the journal has not heard of, or not so much of it.
func count(total *formats.MatchTotal, row *formats.MatchRow) (f reconciler.Finding, missed bool) {
	refund := strings.EqualFold(row.Type, "refund")
	switch {
	case row.Status == formats.MatchWebhookOnly:
		total.WebhookOnly++
		return f, false
	case row.Status == formats.MatchReportOnly && refund:
		total.Refunds++
		return f, false
	case row.Status == formats.MatchReportOnly:
		total.ReportOnly++
		f.Detail = fmt.Sprintf("Moment's report has this payment (%s) and no event announced it, so it counts nowhere. Ask Moment to send the event again, and reconcile anew.", row.ReportRef)
	case row.WebhookAmount != row.ReportAmount:
		total.Both++
		total.AmountDiffers++
		f.Detail = fmt.Sprintf("The event (%s) says %s %s and Moment's report (%s) says %s. Ask Moment which one is right.", row.JournalRef,
			formats.FormatMajor(row.WebhookAmount, row.Currency), row.Currency, row.ReportRef, formats.FormatMajor(row.ReportAmount, row.Currency))
	default:
		total.Both++
		return f, false
	}
	f.Reason, f.Identity, f.SeenAt = formats.ReasonCompletenessUnproven, cmp.Or(row.ReportID, row.ReportRef), row.ReportTime
	f.About = formats.ExceptionRow{
		ExternalReference: row.ExternalReference, CustomerID: row.CustomerID, PaymentID: row.PaymentID, EventID: row.EventID,
		Currency: row.Currency, Amount: formats.SumOf(row.ReportAmount), HasAmount: true,
	}
	return f, true
}

// webhookPayments reads the journal's payments back from payments.csv: those of the period, and those around it, which may
// be somebody's counterpart.
func webhookPayments(q ReportRequest) ([]reconciler.WebhookPayment, error) {
	t, err := openTable(q.Out, "payments.csv", "event_id", "payment_id", "obligation_id", "customer_id", "external_reference", "currency", "amount",
		"status", "reason", "event_time", "journal_ref")
	if err != nil {
		return nil, err
	}
	defer t.close()
	var payments []reconciler.WebhookPayment
	for {
		c, err := t.next()
		if c == nil {
			return payments, err
		}
		inside := c[7] == formats.StatusApplied || c[7] == formats.StatusUnapplied || c[7] == formats.StatusHeld
		sum, known := formats.ParseSum(c[6], c[5])
		amount, fits := sum.Int64()
		if !known || !fits || !inside && c[8] != formats.ReasonOutOfPeriod {
			continue
		}
		at, _ := time.Parse(time.RFC3339Nano, c[9])
		payments = append(payments, reconciler.WebhookPayment{
			EventID: c[0], PaymentID: c[1], ObligationID: c[2], CustomerID: c[3], ExternalReference: c[4], Currency: c[5], Amount: amount,
			At: at, Ref: c[10], Inside: inside,
		})
	}
}

// MomentReportOptions says how the configuration wants Moment's reports read.
func MomentReportOptions(cfg *config.Config) formats.MomentReportOptions {
	m := cfg.Reconcile.MomentReport
	return formats.MomentReportOptions{Columns: m.Columns, Minor: m.Amounts == "minor", Currency: cfg.Files.Currency}
}
