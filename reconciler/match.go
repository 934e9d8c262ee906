package reconciler

import (
	"cmp"
	"slices"
	"time"

	"tallyman/formats"
)

// WebhookPayment is a payment as the journal has it.
type WebhookPayment struct {
	EventID, PaymentID, ObligationID string
	CustomerID, ExternalReference    string
	Currency                         string
	Amount                           int64 // minor units
	At                               time.Time
	Ref                              string // file:line
	Inside                           bool   // it belongs to the period
}

// ReportPayment is a transaction as Moment's own report has it.
type ReportPayment struct {
	formats.MomentReportRow
	Ref    string // file:line
	Inside bool   // it belongs to the period
}

// matchWindow is how far apart the times of one payment may be in journal and report.
const matchWindow = 48 * time.Hour

// What a match rests on, the surest first.
const (
	byPayment  = "payment_id"
	byAmount   = "customer_and_amount"
	byCustomer = "customer"
)

// Match brings the journal's payments and those of Moment's reports together, one to one: first by an id of the payment
// that both have, then by customer, currency and amount, the nearest in time first, at last by customer and currency alone.
// Moment documents no field that both must have (Moment: /documentation/reconciliation-reporting/reconciliation-report), so
// each row says what it rests on. What is outside the period can be somebody's counterpart and is no row of its own.
//
// The rows are those of both first, then those that the journal alone has, then those that the reports alone have, each
// in the order in which they were given.
func Match(webhooks []WebhookPayment, reported []ReportPayment) []formats.MatchRow {
	m := matcher{webhooks: webhooks, reported: reported, partner: make([]int, len(reported)), taken: make([]bool, len(webhooks)), by: make([]string, len(reported))}
	for i := range m.partner {
		m.partner[i] = -1
	}
	m.pair(byPayment, func(w *WebhookPayment) []string {
		return []string{w.PaymentID, w.ObligationID, w.EventID}
	}, func(p *ReportPayment) []string { return []string{p.PaymentID, p.MerchantReference, p.ID} })
	m.pairNear(byAmount, func(w *WebhookPayment, p *ReportPayment) bool { return w.Amount == p.Amount })
	m.pairNear(byCustomer, func(w *WebhookPayment, p *ReportPayment) bool { return (w.Amount < 0) == (p.Amount < 0) })
	return m.rows()
}

type matcher struct {
	webhooks []WebhookPayment
	reported []ReportPayment
	partner  []int // of each reported payment: the number of the webhook, or -1
	by       []string
	taken    []bool // webhooks
}

func (m *matcher) join(webhook, reported int, by string) {
	m.partner[reported], m.by[reported], m.taken[webhook] = webhook, by, true
}

// pair joins those that have an id in common.
func (m *matcher) pair(by string, ofWebhook func(*WebhookPayment) []string, ofReported func(*ReportPayment) []string) {
	byID := map[string][]int{}
	for i := range m.webhooks {
		for _, id := range ofWebhook(&m.webhooks[i]) {
			if id != "" {
				byID[id] = append(byID[id], i)
			}
		}
	}
	for i := range m.reported {
		for _, id := range ofReported(&m.reported[i]) {
			for _, w := range byID[id] {
				if m.partner[i] < 0 && !m.taken[w] && (m.webhooks[w].Amount < 0) == (m.reported[i].Amount < 0) {
					m.join(w, i, by)
				}
			}
		}
	}
}

// candidate is a pair that may be one payment.
type candidate struct {
	webhook, reported int
	distance          time.Duration
}

// pairNear joins those of one customer and currency that fit, the nearest in time first.
func (m *matcher) pairNear(by string, fit func(*WebhookPayment, *ReportPayment) bool) {
	byCustomer := map[[2]string][]int{}
	for i := range m.webhooks {
		w := &m.webhooks[i]
		if m.taken[i] {
			continue
		}
		for _, name := range []string{w.ExternalReference, w.CustomerID} {
			if name != "" {
				byCustomer[[2]string{name, w.Currency}] = append(byCustomer[[2]string{name, w.Currency}], i)
			}
		}
	}
	var candidates []candidate
	for i := range m.reported {
		p := &m.reported[i]
		if m.partner[i] >= 0 || p.CustomerReference == "" {
			continue
		}
		for _, w := range byCustomer[[2]string{p.CustomerReference, p.Currency}] {
			distance := m.webhooks[w].At.Sub(p.At).Abs()
			if distance <= matchWindow && fit(&m.webhooks[w], p) {
				candidates = append(candidates, candidate{w, i, distance})
			}
		}
	}
	slices.SortFunc(candidates, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.reported, b.reported), cmp.Compare(a.webhook, b.webhook))
	})
	for _, c := range candidates {
		if m.partner[c.reported] < 0 && !m.taken[c.webhook] {
			m.join(c.webhook, c.reported, by)
		}
	}
}

// rows lists what came of it.
func (m *matcher) rows() []formats.MatchRow {
	var both, alone, reported []formats.MatchRow
	for i := range m.reported {
		p := &m.reported[i]
		row := formats.MatchRow{
			Status: formats.MatchReportOnly, PaymentID: p.PaymentID, ExternalReference: p.CustomerReference, ReportID: p.ID, Type: p.Type,
			Currency: p.Currency, ReportAmount: p.Amount, ReportTime: p.At, ReportRef: p.Ref,
		}
		switch w := m.partner[i]; {
		case w >= 0 && (p.Inside || m.webhooks[w].Inside):
			row.Status, row.By = formats.MatchBoth, m.by[i]
			addWebhook(&row, &m.webhooks[w])
			both = append(both, row)
		case w < 0 && p.Inside:
			reported = append(reported, row)
		}
	}
	for i := range m.webhooks {
		if w := &m.webhooks[i]; !m.taken[i] && w.Inside {
			row := formats.MatchRow{Status: formats.MatchWebhookOnly, Currency: w.Currency}
			addWebhook(&row, w)
			alone = append(alone, row)
		}
	}
	return slices.Concat(both, alone, reported)
}

// addWebhook fills in the journal's side of a row.
func addWebhook(row *formats.MatchRow, w *WebhookPayment) {
	row.EventID, row.CustomerID, row.WebhookAmount, row.EventTime, row.JournalRef = w.EventID, w.CustomerID, w.Amount, w.At, w.Ref
	row.PaymentID = cmp.Or(w.PaymentID, row.PaymentID)
	row.ExternalReference = cmp.Or(w.ExternalReference, row.ExternalReference)
}
