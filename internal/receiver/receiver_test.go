package receiver

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"go.uber.org/goleak"

	"tallyman/internal/journal"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var noon = time.Date(2026, 11, 22, 12, 0, 0, 999_000_000, time.UTC)

const (
	path  = "/webhooks/moment"
	event = `{"id":"evt_1","type":"obligation.amount_applied"}`
)

// sender signs with the reference library, so that no mistake of ours can
// cancel itself out.
type sender struct {
	t      *testing.T
	url    string
	client *http.Client
	signer *standardwebhooks.Webhook
}

// endpoint is a receiver in front of a real journal, and its sender.
type endpoint struct {
	sender
	dir      string
	writer   *journal.Writer
	receiver *Receiver
	secrets  journal.Secrets
	log      *bytes.Buffer
}

// secretText returns the n-th secret as it would be configured.
func secretText(n int) string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat(string(rune('a'+n)), 32)))
}

func newSigner(t *testing.T, n int) *standardwebhooks.Webhook {
	t.Helper()
	s, err := standardwebhooks.NewWebhook(secretText(n))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{dir: t.TempDir(), log: new(bytes.Buffer)}
	var err error
	if e.writer, err = journal.Open(t.Context(), e.dir, journal.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.writer.Close() })
	for n := range 2 {
		s, err := journal.ParseSecret(secretText(n))
		if err != nil {
			t.Fatal(err)
		}
		e.secrets = append(e.secrets, s)
	}
	e.receiver, err = New(Options{
		Journal: e.writer, Secrets: e.secrets, Path: path, Now: func() time.Time { return noon },
		Log: slog.New(slog.NewTextHandler(e.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e.receiver)
	t.Cleanup(server.Close)
	e.sender = sender{t, server.URL, server.Client(), newSigner(t, 0)}
	return e
}

// delivery is a request in the making.
type delivery struct {
	method, path, body string
	header             http.Header
	chunked            bool
}

// signed returns a good delivery, signed off seconds from the receiver's clock.
func (s *sender) signed(id, body string, off int64) delivery {
	at := time.Unix(noon.Unix()+off, 0)
	signature, err := s.signer.Sign(id, at, []byte(body))
	if err != nil {
		s.t.Fatal(err)
	}
	return delivery{http.MethodPost, path, body, http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {fmt.Sprint(at.Unix())}, "Webhook-Signature": {signature},
	}, false}
}

func (s *sender) do(d delivery) (*http.Response, string) {
	s.t.Helper()
	body := io.Reader(strings.NewReader(d.body))
	if d.chunked {
		body = io.MultiReader(body) // of unknown length
	}
	r, err := http.NewRequestWithContext(context.Background(), d.method, s.url+d.path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header = d.header
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer, string(text)
}

// stored closes the journal and returns the bodies in it.
func (e *endpoint) stored() []string {
	e.t.Helper()
	if err := e.writer.Close(); err != nil {
		e.t.Fatal(err)
	}
	r, err := journal.Verify(context.Background(), e.dir, e.secrets)
	if err != nil {
		e.t.Fatal(err)
	}
	if r.DamageCount != 0 || r.Verified != r.Lines {
		e.t.Errorf("the journal is not sound: %+v", r)
	}
	var all []string
	if _, err := journal.Read(context.Background(), e.dir, func(l journal.Line) error {
		all = append(all, string(l.Record.Body))
		return nil
	}); err != nil {
		e.t.Fatal(err)
	}
	return all
}

func TestDeliveries(t *testing.T) {
	set := func(name, value string) func(*endpoint, *delivery) {
		return func(_ *endpoint, d *delivery) { d.header.Set(name, value) }
	}
	off := func(seconds int64) func(*endpoint, *delivery) {
		return func(e *endpoint, d *delivery) { *d = e.signed("msg_1", event, seconds) }
	}
	body := func(text string) func(*endpoint, *delivery) {
		return func(e *endpoint, d *delivery) { *d = e.signed("msg_1", text, 0) }
	}
	signature := func(change func(string) string) func(*endpoint, *delivery) {
		return func(_ *endpoint, d *delivery) {
			d.header.Set("Webhook-Signature", change(d.header.Get("Webhook-Signature")))
		}
	}
	tooLarge := strings.Repeat("x", journal.MaxBody+1)
	for _, c := range []struct {
		name   string
		change func(*endpoint, *delivery)
		status int
	}{
		{"good", off(0), 204},
		{"second secret", func(e *endpoint, d *delivery) { e.signer = newSigner(t, 1); *d = e.signed("msg_1", event, 0) }, 204},
		{"180 s old", off(-180), 204},
		{"179 s old", off(-179), 204},
		{"181 s old", off(-181), 401},
		{"180 s ahead", off(180), 204},
		{"179 s ahead", off(179), 204},
		{"181 s ahead", off(181), 401},
		{"years old", off(-1e9), 401},
		{"several signatures", func(_ *endpoint, d *delivery) {
			d.header.Set("Webhook-Signature", "v1,AAAA v2,x  "+d.header.Get("Webhook-Signature"))
		}, 204},
		{"spaces around a signature", func(_ *endpoint, d *delivery) {
			d.header.Set("Webhook-Signature", "  "+d.header.Get("Webhook-Signature")+"  ")
		}, 204},
		{"asymmetric signature beside", func(_ *endpoint, d *delivery) {
			d.header.Set("Webhook-Signature", "v1a,"+strings.Repeat("A", 86)+"== "+d.header.Get("Webhook-Signature"))
		}, 204},
		{"unknown type", body(`{"id":"evt_1","type":"brand.new"}`), 204},
		{"no JSON", body("hello\n"), 204},
		{"no UTF-8", body("\xff\xfe"), 204},
		{"empty body", body(""), 204},
		{"as large as may be", body(tooLarge[1:]), 204},
		{"chunked", func(_ *endpoint, d *delivery) { d.chunked = true }, 204},
		{"content type of another kind", set("Content-Type", "text/plain"), 204},
		{"id of 255", func(e *endpoint, d *delivery) { *d = e.signed(strings.Repeat("i", 255), event, 0) }, 204},
		{"id of other letters", func(e *endpoint, d *delivery) { *d = e.signed("мсг 1", event, 0) }, 204},

		{"another body", func(_ *endpoint, d *delivery) { d.body += " " }, 401},
		{"another id", set("Webhook-Id", "msg_2"), 401},
		{"another timestamp", set("Webhook-Timestamp", fmt.Sprint(noon.Unix()+1)), 401},
		{"wrong secret", func(e *endpoint, d *delivery) { e.signer = newSigner(t, 2); *d = e.signed("msg_1", event, 0) }, 401},
		{"signature of another version", func(_ *endpoint, d *delivery) {
			d.header.Set("Webhook-Signature", "v2"+d.header.Get("Webhook-Signature")[2:])
		}, 401},
		{"asymmetric signature alone", signature(func(v1 string) string { return "v1a" + v1[2:] }), 401},
		{"version in capitals", signature(func(v1 string) string { return "V1" + v1[2:] }), 401},
		{"without padding", signature(func(v1 string) string { return strings.TrimRight(v1, "=") }), 401},
		{"in hex", signature(func(v1 string) string {
			sum, _ := base64.StdEncoding.DecodeString(v1[3:])
			return fmt.Sprintf("v1,%x", sum)
		}), 401},
		{"in small letters", signature(strings.ToLower), 401},
		{"one bit more in the padding", signature(func(v1 string) string {
			at := len(v1) - 2 // the last letter holds four bits of the sum and two that must be 0
			return v1[:at] + string(v1[at]+1) + "="
		}), 401},
		{"behind a comma", signature(func(v1 string) string { return "v1,AAAA," + v1 }), 401},
		{"no version", signature(func(v1 string) string { return v1[3:] }), 401},
		{"empty entry", signature(func(string) string { return "v1," }), 401},
		{"rubbish for a signature", set("Webhook-Signature", "rubbish"), 401},

		{"no id", set("Webhook-Id", ""), 400},
		{"no timestamp", set("Webhook-Timestamp", ""), 400},
		{"no signature", set("Webhook-Signature", ""), 400},
		{"no headers", func(_ *endpoint, d *delivery) { d.header = http.Header{} }, 400},
		{"repeated id", func(_ *endpoint, d *delivery) { d.header.Add("Webhook-Id", "msg_1") }, 400},
		{"repeated timestamp", func(_ *endpoint, d *delivery) { d.header.Add("Webhook-Timestamp", fmt.Sprint(noon.Unix())) }, 400},
		{"repeated signature", func(_ *endpoint, d *delivery) { d.header.Add("Webhook-Signature", "v1,AAAA") }, 400},
		{"id of 256", func(e *endpoint, d *delivery) { *d = e.signed(strings.Repeat("i", 256), event, 0) }, 400},
		{"id that is no text", set("Webhook-Id", "a\xffb"), 400},
		{"tab in the id", set("Webhook-Id", "a\tb"), 400},
		{"plus", set("Webhook-Timestamp", fmt.Sprintf("+%d", noon.Unix())), 400},
		{"minus", set("Webhook-Timestamp", fmt.Sprintf("-%d", noon.Unix())), 400},
		{"leading zero", set("Webhook-Timestamp", fmt.Sprintf("0%d", noon.Unix())), 400},
		{"fraction", set("Webhook-Timestamp", fmt.Sprintf("%d.0", noon.Unix())), 400},
		{"exponent", set("Webhook-Timestamp", "1e9"), 400},
		{"other digits", set("Webhook-Timestamp", "١٧٩٥"), 400},
		{"date", set("Webhook-Timestamp", "2026-11-22"), 400},
		{"too many digits", set("Webhook-Timestamp", strings.Repeat("9", 19)), 400},
		{"a thousand signatures", signature(func(v1 string) string { return v1 + strings.Repeat(" v", 999) }), 400},
		{"tab between signatures", signature(func(v1 string) string { return "v2,x\t" + v1 }), 400},
		{"sixteen, the last one good", signature(func(s string) string { return strings.Repeat("v1,AAAA ", 15) + s }), 204},
		{"seventeen signatures", set("Webhook-Signature", strings.Repeat("v1,AAAA ", 17)), 400},
		{"signature over 4 KiB", set("Webhook-Signature", strings.Repeat("v", 4097)), 400},

		{"too large", body(tooLarge), 413},
		{"too large, chunked", func(e *endpoint, d *delivery) { *d = e.signed("msg_1", tooLarge, 0); d.chunked = true }, 413},
		{"too large and no headers", func(_ *endpoint, d *delivery) { d.body, d.header = tooLarge, http.Header{} }, 413},

		{"GET", func(_ *endpoint, d *delivery) { d.method = http.MethodGet }, 405},
		{"PUT", func(_ *endpoint, d *delivery) { d.method = http.MethodPut }, 405},
		{"another path", func(_ *endpoint, d *delivery) { d.path = "/" }, 404},
		{"a path below", func(_ *endpoint, d *delivery) { d.path += "/x" }, 404},
		{"a path and a slash", func(_ *endpoint, d *delivery) { d.path += "/" }, 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEndpoint(t)
			e.t = t
			d := e.signed("msg_1", event, 0)
			c.change(e, &d)
			answer, text := e.do(d)
			if answer.StatusCode != c.status {
				t.Errorf("status %d %q, want %d", answer.StatusCode, text, c.status)
			}
			stored := e.stored()
			if good := c.status == 204; good != (len(stored) == 1) || good && (stored[0] != d.body || text != "") {
				t.Errorf("stored %d events, answered %q", len(stored), text)
			}
			if c.status == 401 && strings.TrimSpace(text) != notAuthentic {
				t.Errorf("the answer tells why: %q", text)
			}
			if strings.Contains(e.log.String(), "evt_1") {
				t.Errorf("the log shows the body: %s", e.log)
			}
		})
	}
}

func TestDuplicateIsAnsweredWithoutASecondLine(t *testing.T) {
	e := newEndpoint(t)
	for off := range int64(3) { // re-signed by the sender each time
		if answer, text := e.do(e.signed("msg_1", event, off)); answer.StatusCode != 204 {
			t.Errorf("status %d %s", answer.StatusCode, text)
		}
	}
	e.do(e.signed("msg_1", event+" ", 0))
	if got := e.stored(); len(got) != 2 || got[1] != event+" " {
		t.Errorf("stored %q", got)
	}
	s := e.receiver.Stats()
	if s.Stored != 2 || s.Duplicates != 2 || s.Journal.Seq != 2 || s.Journal.Bytes < int64(2*len(event)) || s.Journal.Last.IsZero() {
		t.Errorf("stats %+v", s)
	}
}

func TestManyAtOnce(t *testing.T) {
	e := newEndpoint(t)
	var wg sync.WaitGroup
	for i := range 20 {
		d := [2]delivery{}
		for j := range d {
			d[j] = e.signed(fmt.Sprint("msg_", i), fmt.Sprint(i), int64(j))
		}
		for range 5 {
			for j := range d {
				wg.Go(func() {
					if answer, text := e.do(d[j]); answer.StatusCode != 204 {
						t.Errorf("status %d %s", answer.StatusCode, text)
					}
				})
			}
		}
	}
	wg.Wait()
	if got := e.stored(); len(got) != 20 {
		t.Errorf("%d lines for 20 events", len(got))
	}
}

func TestAllowedMethodsAreNamed(t *testing.T) {
	e := newEndpoint(t)
	if answer, _ := e.do(delivery{method: "GET", path: path}); answer.Header.Get("Allow") != "POST" {
		t.Errorf("allow %q", answer.Header.Get("Allow"))
	}
	if answer, _ := e.do(delivery{method: "POST", path: HealthPath}); answer.StatusCode != 405 || answer.Header.Get("Allow") != "GET, HEAD" {
		t.Errorf("status %d, allow %q", answer.StatusCode, answer.Header.Get("Allow"))
	}
}

// brokenJournal is a journal whose disk is gone.
type brokenJournal struct{}

func (brokenJournal) Append(context.Context, journal.Delivery) (journal.Result, error) {
	return journal.Result{}, journal.ErrBroken
}
func (brokenJournal) Health() error        { return journal.ErrBroken }
func (brokenJournal) Stats() journal.Stats { return journal.Stats{} }

func TestBrokenJournal(t *testing.T) {
	e := newEndpoint(t)
	if answer, text := e.do(delivery{method: "GET", path: HealthPath}); answer.StatusCode != 200 || text != "up\n" {
		t.Errorf("healthy: %d %q", answer.StatusCode, text)
	}
	e.receiver.opt.Journal = brokenJournal{}
	answer, _ := e.do(e.signed("msg_1", event, 0))
	if answer.StatusCode != 503 || answer.Header.Get("Retry-After") != "30" {
		t.Errorf("status %d, retry after %q", answer.StatusCode, answer.Header.Get("Retry-After"))
	}
	if answer, _ := e.do(delivery{method: "GET", path: HealthPath}); answer.StatusCode != 503 {
		t.Errorf("health %d", answer.StatusCode)
	}
	d := e.signed("msg_1", event, 0)
	d.header.Set("Webhook-Id", "msg_2")
	if answer, _ := e.do(d); answer.StatusCode != 401 {
		t.Errorf("a forged one learns of the state of the disk: %d", answer.StatusCode)
	}
	if s := e.receiver.Stats(); s.Unavailable != 1 || s.Forged != 1 || s.Healthy {
		t.Errorf("stats %+v", s)
	}
}

func TestForgedOnesAreLoggedNowAndThen(t *testing.T) {
	e := newEndpoint(t)
	now := noon
	e.receiver.refused.now = func() time.Time { return now }
	forge := func(times int) {
		for range times {
			d := e.signed("msg_1", event, 0)
			d.body = "forged"
			e.do(d)
		}
	}
	forge(50)
	if n := strings.Count(e.log.String(), "\n"); n != 1 {
		t.Errorf("%d lines", n)
	}
	now = now.Add(complaintsEvery)
	forge(1)
	if n := strings.Count(e.log.String(), "\n"); n != 2 || !strings.Contains(e.log.String(), "not_logged_before=49") {
		t.Errorf("log %s", e.log)
	}
	if s := e.receiver.Stats(); s.Forged != 51 {
		t.Errorf("stats %+v", s)
	}
}

func TestNewRefuses(t *testing.T) {
	s, err := journal.ParseSecret(secretText(0))
	if err != nil {
		t.Fatal(err)
	}
	good := Options{Journal: brokenJournal{}, Secrets: journal.Secrets{s}, Path: path}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Options){
		"no journal":       func(o *Options) { o.Journal = nil },
		"no secret":        func(o *Options) { o.Secrets = nil },
		"an empty secret":  func(o *Options) { o.Secrets = journal.Secrets{s, {}} },
		"no path":          func(o *Options) { o.Path = "" },
		"the health path":  func(o *Options) { o.Path = HealthPath },
		"a window below 0": func(o *Options) { o.Window = -time.Second },
		"no whole second":  func(o *Options) { o.Window = time.Millisecond },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func FuzzReadHeaders(f *testing.F) {
	f.Add("msg_1", "1795320062", "v1,AAAA")
	f.Add("\xff", "0", strings.Repeat(" v1,", 17))
	f.Add("a\x00", "٣", "\t")
	f.Fuzz(func(t *testing.T, id, stamp, signature string) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature}}
		got, err := readHeaders(h)
		if err != nil {
			var why *refusal
			if !errors.As(err, &why) || why.status != 400 {
				t.Fatalf("error %v", err)
			}
			return
		}
		if got.id != id || got.signature != signature || fmt.Sprint(got.timestamp) != stamp {
			t.Fatalf("read %+v", got)
		}
	})
}

// A secret that ends is accepted until that instant, and never keeps another one from being accepted.
func TestRetiredSecret(t *testing.T) {
	e := newEndpoint(t)
	both := e.signed("msg_both", event, 0)
	e.signer = newSigner(t, 1)
	both.header.Set("Webhook-Signature", e.signed("msg_both", event, 0).header.Get("Webhook-Signature")+" "+both.header.Get("Webhook-Signature"))
	for _, c := range []struct {
		name   string
		ends   time.Time
		d      delivery
		status int
	}{
		{"before", noon.Add(time.Nanosecond), e.signed("msg_1", event, 0), 204},
		{"at its end", noon, e.signed("msg_2", event, 0), 401},
		{"after, and signed with the other one too", noon.Add(-time.Hour), both, 204},
	} {
		e.receiver.opt.Ends = map[string]time.Time{e.secrets[1].ID(): c.ends}
		if answer, _ := e.do(c.d); answer.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", c.name, answer.StatusCode, c.status)
		}
	}
	if got := e.stored(); len(got) != 2 {
		t.Errorf("%d lines, want 2", len(got))
	}
	if !strings.Contains(e.log.String(), "receiver.retired") {
		t.Errorf("the log does not say why: %s", e.log)
	}
}
