package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/google/uuid"

	"tallyman/internal/config"
	"tallyman/internal/journal"
	"tallyman/internal/moment"
)

// key asks Moment for a customer that cannot exist: to be told that there is none, the key must be accepted.
func (d *doctor) key(ctx context.Context) {
	cfg := d.whole[config.SectionAPI]
	if cfg == nil {
		return
	}
	api := cfg.API
	client := moment.New(moment.Options{
		BaseURL: api.BaseURL, Key: api.Key.Reveal(), Rate: 1, Concurrency: 1, Timeout: api.Timeout, GiveUpAfter: api.GiveUpAfter,
		UserAgent: "tallyman/" + readVersion().Version,
	})
	defer client.Close()
	answer := client.Retrieve(ctx, uuid.NewString())
	which := fmt.Sprintf("%s, mode %s, key %s from %s", api.BaseURL, api.Mode, api.Key.Fingerprint(), api.Key.Source())
	said := fmt.Sprintf("%d %s", answer.Status, answer.Problem)
	switch answer.Class {
	case moment.NotFound:
		d.ok("key", "accepted (%s)", which)
		if answer.Problem == (moment.Problem{}) {
			d.note("key", "the answer to a customer that does not exist says nothing more than 404: see that api.base_url is Moment's")
		}
	case moment.Unauthorized, moment.Invalid:
		d.fail("key", fmt.Sprintf("refused: %s (%s)", said, which), "take the secret key of this mode from Moment, and see that it was not deleted")
	case moment.Throttled, moment.ServerError:
		d.fail("key", fmt.Sprintf("could not be tried: %s (%s)", said, which), "try again in a while")
	case moment.NotSent, moment.Silence:
		d.fail("key", fmt.Sprintf("could not be tried: no usable answer: %v (%s)", answer.Err, which), "see that api.base_url is right and can be reached from here, through the proxy if there is one")
	case moment.OK:
		d.fail("key", fmt.Sprintf("there is a customer under a reference that was made up just now (%s)", which), "see that api.base_url is Moment's")
	default:
		d.fail("key", fmt.Sprintf("could not be tried: %s: %v (%s)", said, answer.Err, which), "see that api.base_url is Moment's")
	}
}

// receiver checks the webhook secrets, and looks whether anybody listens for webhooks.
func (d *doctor) receiver(ctx context.Context) {
	cfg := d.whole[config.SectionReceiver]
	if cfg == nil {
		if !d.receives() {
			d.note("webhooks", "there is no secret in the configuration: payments cannot be received")
		}
		return
	}
	good := 0
	for _, s := range cfg.Receiver.AllSecrets() {
		if _, err := journal.ParseSecret(s.Reveal()); err != nil {
			d.fail("webhooks", fmt.Sprintf("%s: %v", s.Source(), err), "")
			continue
		}
		good++
	}
	if good > 0 {
		d.ok("webhooks", "%s can be used", count(good, "secret"))
	}
	dialer := net.Dialer{Timeout: 2 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", cfg.Receiver.Listen)
	if err != nil {
		d.note("receiver", "nobody listens on %s now: tallyman receive must run for payments to be received", cfg.Receiver.Listen)
		return
	}
	_ = conn.Close()
	d.ok("receiver", "somebody listens on %s", cfg.Receiver.Listen)
}

// mostSkew is how far the clock may be from Moment's. Events are refused beyond receiver.window, which is minutes.
const mostSkew = time.Minute

// clock compares the clock with the time that the API's answers bear, and with when this program was made.
func (d *doctor) clock(ctx context.Context) {
	calendar := d.base.Reconcile.Calendar()
	now := d.app.now()
	said := fmt.Sprintf("%s in %s, the last complete business date is %s", now.In(calendar.Location()).Format(time.RFC3339), calendar.Location(), calendar.LastComplete(now))
	if built := buildTime(); now.Before(built) {
		d.fail("clock", said+"; this program is from "+built.Format(time.RFC3339), "set the clock, and keep it by NTP")
		return
	}
	server, err := serverTime(ctx, d.base.API)
	if err != nil {
		d.ok("clock", "%s (not compared: no answer with a date from %s)", said, d.base.API.BaseURL)
		return
	}
	if skew := d.app.now().Sub(server); skew.Abs() > mostSkew {
		d.fail("clock", fmt.Sprintf("%s, which is %s off the time of %s", said, skew.Round(time.Second), d.base.API.BaseURL), "set the clock, and keep it by NTP: webhooks more than receiver.window off are refused")
		return
	}
	d.ok("clock", "%s", said)
}

// buildTime returns when the program was made as far as the build knew; zero else.
func buildTime() time.Time {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, setting := range build.Settings {
		if setting.Key == "vcs.time" {
			t, _ := time.Parse(time.RFC3339, setting.Value)
			return t
		}
	}
	return time.Time{}
}

// serverTime asks for nothing but the headers of the API's first page, without the key.
func serverTime(ctx context.Context, api config.API) (time.Time, error) {
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}
	client := &http.Client{
		Transport: transport, Timeout: api.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, api.BaseURL+"/", nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask for the time: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask for the time: %w", err)
	}
	defer resp.Body.Close()
	return http.ParseTime(resp.Header.Get("Date"))
}
