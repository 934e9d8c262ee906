package mail_test

import (
	"io"
	"mime"
	"mime/multipart"
	gonetmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tallyman/internal/mail"
	"tallyman/internal/mailtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func message(t *testing.T) mail.Message {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.xlsx")
	if err := os.WriteFile(path, []byte("the workbook"), 0o600); err != nil {
		t.Fatal(err)
	}
	return mail.Message{
		From: "tallyman@example.com", To: []string{"finance@example.com", "Ops <ops@example.com>"}, Subject: "acme 2026-03-16: all right",
		ID: "run@acme.tallyman", Date: time.Date(2026, 3, 17, 4, 30, 0, 0, time.UTC), Text: "all right\n.\n", HTML: "<h1>Zoë</h1>", Attachments: []string{path},
	}
}

// A message arrives over TLS with its body in two forms and its attachment.
func TestSend(t *testing.T) {
	for _, c := range []struct {
		name   string
		tls    string
		server mailtest.Options
	}{
		{"starttls with login", mail.StartTLS, mailtest.Options{Username: "acme", Password: "secret"}},
		{"starttls", mail.StartTLS, mailtest.Options{}},
		{"tls", mail.TLS, mailtest.Options{Implicit: true}},
		{"none", mail.None, mailtest.Options{Plain: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			box := mailtest.Start(t, c.server)
			server := mail.Server{Address: box.Address, TLS: c.tls, Username: c.server.Username, Password: c.server.Password, Roots: box.Roots}
			if err := server.Send(t.Context(), message(t)); err != nil {
				t.Fatal(err)
			}
			taken := box.Taken()
			if len(taken) != 1 {
				t.Fatalf("%d messages", len(taken))
			}
			got := taken[0]
			if got.From != "tallyman@example.com" || strings.Join(got.To, " ") != "finance@example.com ops@example.com" || got.TLS != (c.tls != mail.None) || got.User != c.server.Username {
				t.Errorf("%+v", got)
			}
			parsed, err := gonetmail.ReadMessage(strings.NewReader(got.Data))
			if err != nil {
				t.Fatal(err)
			}
			if id := parsed.Header.Get("Message-ID"); id != "<run@acme.tallyman>" || parsed.Header.Get("Subject") != "acme 2026-03-16: all right" {
				t.Errorf("%s %v", id, parsed.Header)
			}
			types := parts(t, parsed.Header.Get("Content-Type"), parsed.Body)
			if strings.Join(types, " ") != "text/plain text/html application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" {
				t.Errorf("%q", types)
			}
		})
	}
}

// parts are the types of a message's innermost parts.
func parts(t *testing.T, contentType string, body io.Reader) []string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return []string{kind}
	}
	var list []string
	reader := multipart.NewReader(body, params["boundary"])
	for {
		part, err := reader.NextPart()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, parts(t, part.Header.Get("Content-Type"), part)...)
	}
}

// What is not taken is an error, and a password never goes over a line in clear or stands in one.
func TestNotSent(t *testing.T) {
	refusing := mailtest.Start(t, mailtest.Options{Refuse: true})
	plain := mailtest.Start(t, mailtest.Options{Plain: true})
	login := mailtest.Start(t, mailtest.Options{Username: "acme", Password: "right"})
	for _, c := range []struct {
		name   string
		server mail.Server
		want   string
	}{
		{"refused", mail.Server{Address: refusing.Address, TLS: mail.StartTLS, Roots: refusing.Roots}, "451"},
		{"no TLS to be had", mail.Server{Address: plain.Address, TLS: mail.StartTLS}, "STARTTLS"},
		{"an unknown certificate", mail.Server{Address: refusing.Address, TLS: mail.StartTLS}, "certificate"},
		{"a wrong password", mail.Server{Address: login.Address, TLS: mail.StartTLS, Roots: login.Roots, Username: "acme", Password: "s3cr3t"}, "535"},
		{"nobody there", mail.Server{Address: "127.0.0.1:1", TLS: mail.StartTLS}, "refused"},
	} {
		err := c.server.Send(t.Context(), message(t))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, box := range []*mailtest.Server{refusing, plain, login} {
		if n := len(box.Taken()); n != 0 {
			t.Errorf("%d messages were taken", n)
		}
	}
}
