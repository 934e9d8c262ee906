package nightly

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"tallyman/formats"
	"tallyman/importer"
	"tallyman/internal/config"
	"tallyman/internal/ledger"
)

// Hold is one guard that a file has tripped (design.md section 5).
type Hold struct {
	Guard  string `json:"guard"`  // key below imports.guards, or canary
	Limit  string `json:"limit"`  // as configured
	Detail string `json:"detail"` // with figures, for people
}

// The guards, by their keys.
const (
	guardRejected      = "max_rejected"
	guardMissing       = "max_missing"
	guardBalanceChange = "max_balance_change"
	guardUnitShift     = "unit_shift"
	guardSameContent   = "same_content"
	guardCanary        = "canary"
)

// fewRecords is below how many a share says nothing.
const fewRecords = 20

// guards look at one file before anything of it is sent. What is needed of the ledger is prepared before the file is
// read, so that reading it once is enough.
type guards struct {
	config config.Guards
	ledger *ledger.Ledger // nil: there is none, and nothing to compare with
	file   ledger.File
	before *ledger.File   // the day file to compare with, if there is one
	census *ledger.Census // nil if nothing is compared
	rules  map[string]int // records by the first rule they break
}

// newGuards returns the guards of a file that nobody has looked at yet: one that was approved, or of which something is
// on record, has none (nil).
func (n *Night) newGuards(ctx context.Context, file ledger.File) (*guards, error) {
	g := &guards{config: n.config.Imports.Guards, ledger: n.ledger, file: file, rules: map[string]int{}}
	if n.ledger == nil {
		return g, nil
	}
	_, approved, err := n.ledger.ApprovalOf(ctx, file.ID)
	if err != nil || approved {
		return nil, err
	}
	if started, err := n.ledger.Started(ctx, file.ID); err != nil || started {
		return nil, err
	}
	return g, g.prepare(ctx, n.spool)
}

// prepare finds out what the file is to be compared with.
func (g *guards) prepare(ctx context.Context, scratch string) error {
	if g.file.DayFile && !(g.config.MaxMissing.Off() && g.config.MaxBalanceChange.Off()) {
		before, ok, err := g.ledger.DayFileBefore(ctx, g.file)
		if err != nil {
			return err
		}
		if ok {
			g.before = &before
		}
	}
	customers := false
	if g.config.UnitShift {
		var err error
		if customers, err = g.ledger.AnyCustomer(ctx); err != nil {
			return err
		}
	}
	if g.before == nil && !customers {
		return nil
	}
	var err error
	g.census, err = g.ledger.NewCensus(ctx, scratch)
	return err
}

// close ends what prepare began.
func (g *guards) close(ctx context.Context) error {
	if g == nil || g.census == nil {
		return nil
	}
	return g.census.Close(ctx)
}

// look returns what a survey is to show the records to.
func (g *guards) look(ctx context.Context) func(*formats.CustomerRecord) error {
	if g == nil {
		return nil
	}
	return func(r *formats.CustomerRecord) error {
		if len(r.Problems) > 0 {
			g.rules[r.Problems[0].Rule]++
		}
		if g.census == nil || r.Customer.ExternalReference == "" {
			return nil
		}
		return g.census.Add(ctx, &r.Customer, len(r.Problems) == 0)
	}
}

// judge returns the guards that the file has tripped, in the order of the configuration.
func (g *guards) judge(ctx context.Context, s *importer.Survey) ([]Hold, error) {
	if g == nil {
		return nil, nil
	}
	var held []Hold
	for _, look := range []func(context.Context, *importer.Survey) ([]Hold, error){
		g.rejected, g.missing, g.balanceChange, g.unitShift, g.sameContent,
	} {
		tripped, err := look(ctx, s)
		if err != nil {
			return nil, err
		}
		held = append(held, tripped...)
	}
	return held, nil
}

func (g *guards) rejected(_ context.Context, s *importer.Survey) ([]Hold, error) {
	limit := g.config.MaxRejected
	if s.Records < fewRecords || !limit.Exceeded(int64(s.Rejected), int64(s.Records)) {
		return nil, nil
	}
	detail := fmt.Sprintf("%s of the %s records would be rejected%s", grouped(s.Rejected), grouped(s.Records), g.commonest())
	return []Hold{{guardRejected, limit.String(), detail}}, nil
}

// commonest names the rule that most of the wrong records break, so that a person knows where to look.
func (g *guards) commonest() string {
	if len(g.rules) == 0 {
		return ""
	}
	rule := slices.MinFunc(slices.Collect(maps.Keys(g.rules)), func(a, b string) int {
		return cmp.Or(g.rules[b]-g.rules[a], strings.Compare(a, b))
	})
	return fmt.Sprintf(", %s of them for %s", grouped(g.rules[rule]), rule)
}

func (g *guards) missing(ctx context.Context, _ *importer.Survey) ([]Hold, error) {
	limit := g.config.MaxMissing
	if g.before == nil || limit.Off() {
		return nil, nil
	}
	gone, of, err := g.census.Missing(ctx, g.before.ID)
	if err != nil || !limit.Exceeded(gone, of) {
		return nil, err
	}
	detail := fmt.Sprintf("%s of the %s customers of %s are missing", grouped(gone), grouped(of), g.beforeName())
	return []Hold{{guardMissing, limit.String(), detail}}, nil
}

// beforeName names the day file to compare with, for people.
func (g *guards) beforeName() string {
	switch g.before.BusinessDate {
	case g.file.BusinessDate:
		return "the earlier file of the same date"
	case dayBefore(g.file.BusinessDate):
		return "yesterday's file"
	}
	return "the day file of " + g.before.BusinessDate
}

func (g *guards) balanceChange(ctx context.Context, _ *importer.Survey) ([]Hold, error) {
	limit := g.config.MaxBalanceChange
	if g.before == nil || limit.Off() {
		return nil, nil
	}
	before, now, err := g.census.Totals(ctx, g.before.ID)
	if err != nil {
		return nil, err
	}
	var held []Hold
	for _, currency := range currenciesOf(before, now) {
		was, is := before[currency], now[currency]
		if !limit.ExceededBig(big64(is.SubSum(was)), big64(was)) {
			continue
		}
		detail := fmt.Sprintf("the total owed in %s is %s, and was %s in %s", currency, is.Major(currency), was.Major(currency), g.beforeName())
		held = append(held, Hold{guardBalanceChange, limit.String(), detail})
	}
	return held, nil
}

func currenciesOf(totals ...map[string]formats.Sum) []string {
	var all []string
	for _, t := range totals {
		for currency := range t {
			all = append(all, currency)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// big64 is the size of a sum, without its sign.
func big64(s formats.Sum) *big.Int {
	v, _ := new(big.Int).SetString(s.Abs().String(), 10)
	return v
}

// unitShift holds a file in which more than half of the balances that can be compared have moved by the factor between
// minor and major units, in one direction. Among a few, only exactly 100 counts: a single bill may well be 60 times the
// last one.
func (g *guards) unitShift(ctx context.Context, _ *importer.Survey) ([]Hold, error) {
	if !bool(g.config.UnitShift) || g.census == nil {
		return nil, nil
	}
	var larger, smaller shifts
	compared := 0
	err := g.census.Balances(ctx, func(before, now int64) {
		if before == 0 || now == 0 || (before < 0) != (now < 0) {
			return
		}
		compared++
		larger.add(size(now), size(before))
		smaller.add(size(before), size(now))
	})
	if err != nil {
		return nil, err
	}
	var held []Hold
	for _, way := range []struct {
		word string
		shifts
	}{{"larger", larger}, {"smaller", smaller}} {
		count := way.near
		if compared < fewRecords {
			count = way.exact
		}
		if 2*count <= compared {
			continue
		}
		detail := fmt.Sprintf("%s of the %s balances that can be compared are about 100 times %s than last asserted: is files.amounts right (minor or major)?",
			grouped(count), grouped(compared), way.word)
		held = append(held, Hold{guardUnitShift, "true", detail})
	}
	return held, nil
}

// shifts counts balances that are about 100 times others.
type shifts struct{ near, exact int }

// add takes two sizes that are not 0.
func (s *shifts) add(large, small uint64) {
	times, rest := large/small, large%small
	if times >= 50 && times < 200 {
		s.near++
	}
	if times == 100 && rest == 0 {
		s.exact++
	}
}

// size is an amount without its sign.
func size(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func (g *guards) sameContent(ctx context.Context, _ *importer.Survey) ([]Hold, error) {
	if !bool(g.config.SameContent) || !g.file.DayFile || g.ledger == nil {
		return nil, nil
	}
	before, ok, err := g.ledger.SameContent(ctx, g.file)
	if err != nil || !ok {
		return nil, err
	}
	detail := fmt.Sprintf("it has the very bytes of the day file of %s, %s", before.BusinessDate, before.Name)
	return []Hold{{guardSameContent, "true", detail}}, nil
}

// heldFor says in one line why a file is held.
func heldFor(held []Hold) string {
	details := make([]string, len(held))
	for i, h := range held {
		details[i] = fmt.Sprintf("%s (imports.guards.%s: %s)", h.Detail, h.Guard, h.Limit)
		if h.Guard == guardCanary {
			details[i] = fmt.Sprintf("%s (imports.canary: %s)", h.Detail, h.Limit)
		}
	}
	return strings.Join(details, "; ")
}

// grouped prints a count as people read it: 4,211.
func grouped[N int | int64](n N) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// dayBefore returns the date before one; empty if it is none.
func dayBefore(date string) string {
	day, err := config.ParseDate(date)
	if err != nil {
		return ""
	}
	return day.AddDate(0, 0, -1).Format("2006-01-02")
}
