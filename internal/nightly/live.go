package nightly

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tallyman/formats"
	"tallyman/internal/ledger"
	"tallyman/internal/moment"
	"tallyman/reconciler"
)

// Retriever asks Moment for one customer; *moment.Client is one.
type Retriever interface {
	Retrieve(ctx context.Context, customer string) moment.Answer
}

var _ Retriever = (*moment.Client)(nil)

// LiveComparison says which balances are compared with what Moment shows now.
type LiveComparison struct {
	Mode        string    // none, exceptions or all; empty is none
	API         Retriever // nil: Moment is not asked, for the reason in Off
	Off         string
	Concurrency int // requests at once; at least one
}

const (
	liveTries    = 3               // for one customer
	livePatience = 3               // customers in a row without an answer, and the rest is left
	liveMargin   = 2 * time.Minute // between a payment and an acknowledgement, within which nobody can tell which was first
)

// compareLive asks Moment for the balances that it shows now. A comparison that cannot be made is no reason to go without
// the report: it says so.
func (r *Reporter) compareLive(ctx context.Context, result *reconciler.Result, dir string, earlier earlierReports) (formats.Live, error) {
	mode := r.Live.Mode
	if mode == "" || r.Ledger == nil {
		mode = reconciler.LiveNone
	}
	off := formats.Live{Mode: mode, LowersBalance: formats.LowersUnknown}
	if mode == reconciler.LiveNone {
		return off, nil
	}
	if r.Live.API == nil {
		off.Stopped = r.Live.Off
		return off, nil
	}
	customers, err := r.standings(ctx, result.LiveCandidates(mode, earlier.drifted()...), dir)
	if err != nil {
		return off, err
	}
	asked, stopped := r.askMoment(ctx, customers)
	live := result.CompareLive(asked)
	live.Mode, live.Stopped = mode, stopped
	return live, nil
}

// standings finds out what was last asserted of customers and paid since.
func (r *Reporter) standings(ctx context.Context, candidates []reconciler.LiveCandidate, dir string) ([]reconciler.LiveCustomer, error) {
	references := make([]string, len(candidates))
	for i, c := range candidates {
		references[i] = c.ExternalReference
	}
	known, err := r.Ledger.Standings(ctx, ledger.File{}, references)
	if err != nil {
		return nil, err
	}
	var customers []reconciler.LiveCustomer
	byID, sentAt := map[string]int{}, map[string]time.Time{}
	for _, c := range candidates {
		s := known[c.ExternalReference]
		if s.CustomerID != c.CustomerID || !s.Asserted.Balance.Set {
			continue
		}
		byID[c.CustomerID], sentAt[c.CustomerID] = len(customers), s.SentAt
		customers = append(customers, reconciler.LiveCustomer{
			LiveCandidate: c, Currency: s.Asserted.Currency, Asserted: s.Asserted.Balance.Minor, Unsure: s.Unresolved,
		})
	}
	return customers, eachPaid(filepath.Join(dir, "payments.csv"), func(p paidRow) {
		i, ok := byID[p.customer]
		if !ok || customers[i].Currency != p.currency {
			return
		}
		distance := p.at.Sub(sentAt[p.customer])
		if distance.Abs() < liveMargin {
			customers[i].Unsure = true
		}
		if distance > 0 {
			customers[i].PaidSince = customers[i].PaidSince.AddSum(p.amount)
		}
	})
}

// paidRow is a payment of a report, of its period or not.
type paidRow struct {
	customer, currency string
	amount             formats.Sum
	at                 time.Time
}

// eachPaid calls f for the rows of a payments.csv that are money for a customer, whatever period they belong to: what
// Moment shows now knows no period.
func eachPaid(path string, f func(paidRow)) error {
	t, err := openTable(filepath.Dir(path), filepath.Base(path), "customer_id", "currency", "amount", "status", "reason", "event_time")
	if err != nil {
		return err
	}
	defer t.close()
	for {
		cells, err := t.next()
		if cells == nil {
			return err
		}
		if cells[3] != formats.StatusApplied && cells[4] != formats.ReasonOutOfPeriod {
			continue
		}
		amount, ok := formats.ParseSum(cells[2], cells[1])
		at, err := time.Parse(time.RFC3339Nano, cells[5])
		if ok && err == nil {
			f(paidRow{cells[0], cells[1], amount, at})
		}
	}
}

// askMoment asks for customers and returns those that it got an answer for, in order, and why it stopped asking, if it did.
func (r *Reporter) askMoment(ctx context.Context, customers []reconciler.LiveCustomer) (asked []reconciler.LiveCustomer, stopped string) {
	answered := make([]bool, len(customers))
	var mu sync.Mutex
	silent := 0
	ended := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return stopped != ""
	}
	group := errgroup.Group{}
	group.SetLimit(max(r.Live.Concurrency, 1))
	for i := range customers {
		if ended() {
			break
		}
		group.Go(func() error {
			if ended() {
				return nil
			}
			found, failure, fatal := r.askOne(ctx, customers[i])
			mu.Lock()
			defer mu.Unlock()
			if failure == "" {
				customers[i], answered[i], silent = found.customer, found.comparable, 0
				return nil
			}
			if silent++; stopped == "" && (fatal || silent >= livePatience) {
				stopped = failure
			}
			return nil
		})
	}
	_ = group.Wait()
	for i := range customers {
		if answered[i] {
			asked = append(asked, customers[i])
		}
	}
	return asked, stopped
}

// liveAnswer is a customer as Moment shows it. One without a balance, or with one in another currency, is not comparable.
type liveAnswer struct {
	customer   reconciler.LiveCustomer
	comparable bool
}

// askOne asks for one customer, a few times if need be. failure says why there is no answer; fatal, that there will be
// none for the others either.
func (r *Reporter) askOne(ctx context.Context, c reconciler.LiveCustomer) (found liveAnswer, failure string, fatal bool) {
	for range liveTries {
		a := r.Live.API.Retrieve(ctx, c.CustomerID)
		switch {
		case a.Class == moment.OK && a.Customer.ID != c.CustomerID:
			return liveAnswer{}, "Moment answered for another customer than it was asked for: check api.base_url", true
		case a.Class == moment.OK:
			c.Balance = a.Customer.Balance
			return liveAnswer{c, a.Customer.HasBalance && a.Customer.Currency == c.Currency}, "", false
		case a.Class == moment.NotFound:
			c.Missing = true
			return liveAnswer{c, true}, "", false
		case ctx.Err() != nil:
			return liveAnswer{}, "the run was interrupted", true
		case a.Class == moment.Unauthorized:
			return liveAnswer{}, fmt.Sprintf("Moment refuses the API key (%d): check api.key", a.Status), true
		case a.Class == moment.Misconfigured:
			return liveAnswer{}, fmt.Sprintf("Moment cannot be asked: %v", a.Err), true
		case a.GiveUp != nil:
			return liveAnswer{}, fmt.Sprintf("Moment did not answer: %v", a.GiveUp), true
		case a.Status != 0:
			failure = fmt.Sprintf("Moment answers %d to whoever asks for a customer", a.Status)
		default:
			failure = "Moment cannot be reached"
		}
	}
	return liveAnswer{}, failure, false
}

// live is the comparison of a nightly pass. stopped says that the import ended early.
func (n *Night) live(stopped bool) LiveComparison {
	c := LiveComparison{Mode: n.config.Reconcile.Live, Concurrency: n.config.API.Concurrency}
	switch {
	case n.client == nil:
		c.Off = "a dry run sends no requests"
	case stopped:
		c.Off = "the import stopped early"
	default:
		c.API = n.client
	}
	return c
}
