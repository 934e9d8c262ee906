package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The configuration keys of the two addresses, by which the log calls them.
const (
	pingKey    = "notify.ping_url"
	webhookKey = "notify.webhook_url"
)

// post is one message to one address.
type post struct {
	key     string // of the configuration
	address string
	below   string // a further element of the address's path, or empty
	media   string
	body    []byte
}

// refused is an answer that no further attempt would change.
type refused struct{ status string }

func (r refused) Error() string {
	return fmt.Sprintf("it was answered %s: check the address", r.status)
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		TLSHandshakeTimeout:   attemptTimeout,
		ResponseHeaderTimeout: attemptTimeout,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
	}
}

// tell sends a message until it has arrived, is refused, or the context ends.
func (n *Notifier) tell(ctx context.Context, log *slog.Logger, what string, p post) {
	for pause := n.options.Pause; ; pause *= 2 {
		err := n.try(ctx, p)
		if err == nil {
			return
		}
		if final, ok := errors.AsType[refused](err); ok {
			log.Warn("the run goes on, but "+what+" of it could not be told", "to", p.key, "error", final.Error())
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			log.Warn("the run goes on, but "+what+" of it could not be told in time", "to", p.key, "error", err.Error())
			return
		}
	}
}

// try sends the message once. Redirects are not followed: they would carry the message somewhere else.
func (n *Notifier) try(ctx context.Context, p post) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	address, err := join(p.address, p.below)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(p.body))
	if err != nil {
		return refused{"by nobody, for it is no address"}
	}
	req.Header.Set("User-Agent", n.options.UserAgent)
	if p.media != "" {
		req.Header.Set("Content-Type", p.media)
	}
	resp, err := n.transport.RoundTrip(req)
	if err != nil {
		return withoutAddress(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	switch code := resp.StatusCode; {
	case code < 300:
		return nil
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout:
		return fmt.Errorf("it was answered %s", resp.Status)
	default:
		return refused{resp.Status}
	}
}

// join adds an element to the path of an address and leaves its query alone.
func join(address, below string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", refused{"by nobody, for it is no address"}
	}
	if below != "" {
		u.Path = strings.TrimRight(u.Path, "/") + "/" + below
		u.RawPath = ""
	}
	return u.String(), nil
}

// withoutAddress takes the address, which is a secret, out of an error.
func withoutAddress(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
