package page

import (
	"fmt"
	"strings"

	"tallyman/formats"
	"tallyman/internal/overview"
)

// The measures of a chart of columns, in units of its view box.
const (
	chartWidth  = 640
	chartHeight = 190
	chartBase   = 150 // where the columns stand
	chartTop    = 24
	mostDays    = 31
)

// dayChart shows what was billed and what was paid, by day, in one currency.
type dayChart struct {
	Currency string
	Columns  []column
	Labels   []label
	Text     string // the same in words
	Days     []formats.DayTotal
	Left     int // earlier days that are not shown
	Width    int
	Height   int
	Base     int
}

// column is one bar that stands.
type column struct {
	Class           string
	X, Y, W, H      int
	Value           string // printed above it, if there is room
	ValueX, ValueY  int
	Negative        bool
	Day, What, Full string
}

// label is a text below the columns.
type label struct {
	X, Y int
	Text string
}

// DayCharts is a chart for each currency. Where the report does not tell days, the whole period is one.
func (v view) DayCharts() []dayChart {
	days := v.Summary.Days
	if len(days) == 0 {
		name := "whole period"
		if v.Summary.BusinessDate != "" {
			name = v.Summary.BusinessDate
		}
		for _, t := range v.Summary.RollForward {
			days = append(days, formats.DayTotal{Date: name, Currency: t.Currency, Billed: t.Billed, Paid: t.Paid})
		}
	}
	var charts []dayChart
	for _, t := range v.Summary.RollForward {
		var own []formats.DayTotal
		for _, d := range days {
			if d.Currency == t.Currency {
				own = append(own, d)
			}
		}
		if len(own) > 0 {
			charts = append(charts, newDayChart(t.Currency, own))
		}
	}
	return charts
}

func newDayChart(currency string, days []formats.DayTotal) dayChart {
	c := dayChart{Currency: currency, Width: chartWidth, Height: chartHeight, Base: chartBase}
	c.Left = max(0, len(days)-mostDays)
	c.Days = days[c.Left:]
	most := &overview.Decimal{}
	for _, d := range c.Days {
		for _, text := range []string{d.Billed, d.Paid} {
			if v, err := overview.ParseDecimal(text); err == nil && v.Abs().Cmp(most) > 0 {
				most = v.Abs()
			}
		}
	}
	slot := chartWidth / len(c.Days)
	width := min(96, slot*4/10)
	var said []string
	for i, d := range c.Days {
		middle := i*slot + slot/2
		c.column("billed", d.Date, d.Billed, middle-width-1, width, most)
		c.column("paid", d.Date, d.Paid, middle+1, width, most)
		text := d.Date
		if len(c.Days) > 6 {
			text = strings.TrimLeft(text[max(0, len(text)-2):], "0") // the day of the month
		}
		c.Labels = append(c.Labels, label{middle, chartBase + 20, text})
		said = append(said, fmt.Sprintf("%s: billed %s, paid %s", d.Date, d.Billed, d.Paid))
	}
	c.Text = strings.Join(said, "; ")
	return c
}

// column adds a bar. One that goes down from zero is drawn upwards, hatched, with its sign above it.
func (c *dayChart) column(what, day, text string, x, width int, most *overview.Decimal) {
	v, err := overview.ParseDecimal(text)
	if err != nil {
		return
	}
	height := v.Abs().Share(most) * (chartBase - chartTop) / 1000
	if v.Sign() != 0 {
		height = max(height, 2)
	}
	bar := column{
		Class: what, X: x, Y: chartBase - height, W: width, H: height, Negative: v.Sign() < 0, Day: day, What: what,
		Full: readable(text), ValueX: x + width/2, ValueY: chartBase - height - 6,
	}
	if len(c.Days) <= 4 {
		bar.Value = bar.Full
	}
	c.Columns = append(c.Columns, bar)
}

// share is one status of one currency.
type share struct {
	Class           string
	Status, Closing string
	Customers       int64
	PerCent         string
	X, W            int
}

// shareChart is how the customers of a currency stand.
type shareChart struct {
	Currency  string
	Shares    []share
	Customers int64
	Text      string
}

// ShareCharts is a chart for each currency.
func (v view) ShareCharts() []shareChart {
	var charts []shareChart
	for _, t := range v.Summary.Customers {
		if n := len(charts); n == 0 || charts[n-1].Currency != t.Currency {
			charts = append(charts, shareChart{Currency: t.Currency})
		}
		c := &charts[len(charts)-1]
		c.Customers += t.Count
		c.Shares = append(c.Shares, share{Class: t.Status, Status: overview.Words(t.Status), Closing: t.Closing, Customers: t.Count})
	}
	for i := range charts {
		charts[i].measure()
	}
	return charts
}

// measure lays the shares side by side on a line of 1000 units.
func (c *shareChart) measure() {
	var before int64
	var said []string
	for i := range c.Shares {
		s := &c.Shares[i]
		from := int(before * 1000 / c.Customers)
		before += s.Customers
		s.X, s.W = from, max(int(before*1000/c.Customers)-from-2, 1)
		tenths := (s.Customers*2000/c.Customers + 1) / 2
		s.PerCent = fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
		said = append(said, fmt.Sprintf("%s %d, %s", s.Status, s.Customers, s.PerCent))
	}
	c.Text = strings.Join(said, "; ")
}

// ageBar is one bucket of one currency.
type ageBar struct {
	Bucket, Owed, PerCent string
	Customers             int64
	W                     int // of 1000
	Late                  bool
}

// ageChart is how old the debts of a currency are.
type ageChart struct {
	Currency, Owed string
	Bars           []ageBar
}

// AgeCharts is a chart for each currency.
func (v view) AgeCharts() []ageChart {
	var charts []ageChart
	for i, from := 0, 0; i < len(v.Ageing); i++ {
		if i+1 < len(v.Ageing) && v.Ageing[i+1].Currency == v.Ageing[from].Currency {
			continue
		}
		charts = append(charts, newAgeChart(v.Ageing[from:i+1]))
		from = i + 1
	}
	return charts
}

func newAgeChart(rows []overview.Ageing) ageChart {
	c := ageChart{Currency: rows[0].Currency}
	total := &overview.Decimal{}
	owed := make([]*overview.Decimal, len(rows))
	for i, row := range rows {
		owed[i], _ = overview.ParseDecimal(row.Owed) // printed by a Decimal
		total.Add(owed[i])
	}
	c.Owed = total.String()
	for i, row := range rows {
		w := owed[i].Share(total)
		c.Bars = append(c.Bars, ageBar{
			Bucket: ageName(row.Bucket), Owed: row.Owed, Customers: row.Customers, W: max(w, 4),
			PerCent: fmt.Sprintf("%d.%d %%", w/10, w%10), Late: row.Bucket != "" && row.Bucket != "current",
		})
	}
	return c
}

// ageName is a bucket in words.
func ageName(bucket string) string {
	switch bucket {
	case "":
		return "no due date"
	case "current":
		return "not yet due"
	}
	return bucket + " days late"
}
