package page_test

import (
	"bytes"
	"html"
	"regexp"
	"strings"
	"testing"
	"time"

	"tallyman/internal/overview"
	"tallyman/internal/page"
	"tallyman/internal/reporttest"
)

// write makes the page of a report; with may change what it shows.
func write(t *testing.T, dir string, with func(*overview.Overview)) string {
	t.Helper()
	o, err := overview.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if with != nil {
		with(o)
	}
	loc, err := time.LoadLocation("Africa/Johannesburg")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := page.Write(&b, o, page.Options{Merchant: "acme", Location: loc}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// words is the page's text without its tags.
func words(text string) string {
	text = regexp.MustCompile(`(?s)<style>.*?</style>|</?(p|td|th|tr|li|ul|h[1-6]|div|dt|dd|text|title|rect|strong|br)\b[^>]*>`).ReplaceAllString(text, " ")
	text = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, "")
	return regexp.MustCompile(`[ \n\t]+`).ReplaceAllString(html.UnescapeString(text), " ")
}

func TestVerdict(t *testing.T) {
	good := words(write(t, reporttest.Write(t, reporttest.Options{Customers: 30, Quiet: true}), nil))
	if !strings.Contains(good, "All right Every total agrees") || strings.Contains(good, "Not all right") {
		t.Errorf("%s", good[:600])
	}
	bad := words(write(t, reporttest.Write(t, reporttest.Options{Customers: 30}), nil))
	for _, want := range []string{
		"Not all right", "Payments of customers that nobody knows: 2, BHD 1234.567, ZAR 123.45.",
		"unknown_customer 2 BHD 1\u202f234.567 ZAR 123.45",
	} {
		if !strings.Contains(bad, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// Every part that finance is promised stands on the page, with its figures as words.
func TestParts(t *testing.T) {
	page := write(t, reporttest.Write(t, reporttest.Options{Customers: 300}), nil)
	text := words(page)
	for _, want := range []string{
		"acme · Reconciliation 2026-11-22", "From 22 November 2026, 00:00 to 23 November 2026, 00:00 (Africa/Johannesburg)",
		"✔ adds up", "Billed and paid by day", "Where the customers stand", "How old the debts are", "90+ days late",
		"What the figures are made of", "Moment's report not given", "What changed since the last report of this date",
		"Prepared by", "Reviewed by", "Nobody has signed these figures yet",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, want := range []string{`role="img" aria-label="Billed and paid by day, ZAR.`, `aria-label="Customers by status, JPY.`} {
		if !strings.Contains(page, want) {
			t.Errorf("a chart has no words: %s", want)
		}
	}
}

// A signature stands on the page, and so does what moved since.
func TestSignature(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 10, Quiet: true})
	signed := &overview.Signed{By: "Thandi <b>", Note: "as agreed", At: time.Date(2026, 11, 23, 6, 0, 0, 0, time.UTC)}
	text := words(write(t, dir, func(o *overview.Overview) { o.Signed = signed }))
	if !strings.Contains(text, "Signed by Thandi <b> on 23 November 2026, 08:00: as agreed.") || !strings.Contains(text, "✔ unchanged") || !strings.Contains(text, "All right") {
		t.Errorf("%s", text)
	}
	signed.Moved = []overview.Moved{{Figure: "ZAR paid", Signed: "1200.00", Now: "1300.00"}}
	text = words(write(t, dir, func(o *overview.Overview) { o.Signed = signed }))
	if !strings.Contains(text, "Not all right") || !strings.Contains(text, "ZAR paid 1\u202f200.00 1\u202f300.00") {
		t.Errorf("%s", text)
	}
}

// What strangers write is shown and does nothing: it is escaped, and set apart from the text around it.
func TestHostileTextIsInert(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 30})
	hostile := `<script>document.title='owned'</script>` + "\u202e{{.}}"
	page := write(t, dir, func(o *overview.Overview) {
		for i := range o.Breaks {
			o.Breaks[i].Reference, o.Breaks[i].Detail, o.Breaks[i].Owner = hostile, hostile, hostile
		}
	})
	if strings.Contains(page, "<script") || strings.Count(page, "<bdi>&lt;script&gt;") != 9 {
		t.Errorf("%d set apart", strings.Count(page, "<bdi>&lt;script&gt;"))
	}
}

// The page needs nothing but itself, and may do nothing.
func TestSelfContained(t *testing.T) {
	page := write(t, reporttest.Write(t, reporttest.Options{Customers: 30}), nil)
	if !strings.Contains(page, `content="default-src 'none'; style-src 'unsafe-inline'"`) {
		t.Error("the content policy is missing")
	}
	for _, word := range []string{"<script", "<link", "<img", "<iframe", "<object", "@import", "url(", "http:", "https:", "javascript:", " src=", " href=", " onload"} {
		if strings.Contains(page, word) {
			t.Errorf("the page has %q", word)
		}
	}
}

func TestSameBytes(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 30})
	first := write(t, dir, nil)
	if second := write(t, dir, nil); first != second {
		t.Error("the bytes differ")
	}
}
