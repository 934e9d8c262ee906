package journal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"tallyman/formats"
)

func TestStandardWebhooksVector(t *testing.T) {
	s, err := ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := s.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`)); got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestAgreesWithTheReferenceLibrary(t *testing.T) {
	const text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s, err := ParseSecret(text)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := standardwebhooks.NewWebhook(text)
	if err != nil {
		t.Fatal(err)
	}
	for i, body := range []string{"", "{}", "\xff\x00", strings.Repeat("x", 100_000)} {
		id, at := fmt.Sprintf("msg_%d", i), time.Unix(1795320062+int64(i), 0)
		stamp := fmt.Sprint(at.Unix())
		signature, err := theirs.Sign(id, at, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		if key, ok := (Secrets{s}).Verify(id, stamp, signature, []byte(body)); !ok || key != s.ID() {
			t.Errorf("we refuse what the library signed: %q", body)
		}
		h := http.Header{}
		h.Set("webhook-id", id)
		h.Set("webhook-timestamp", stamp)
		h.Set("webhook-signature", s.Sign(id, stamp, []byte(body)))
		if err := theirs.VerifyIgnoringTimestamp([]byte(body), h); err != nil {
			t.Errorf("the library refuses what we signed: %v", err)
		}
	}
}

func TestRawSecretIsTakenLiterally(t *testing.T) {
	const key = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s, err := ParseSecret("raw:" + key)
	if err != nil {
		t.Fatal(err)
	}
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte("id.1.body"))
	if want := "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil)); s.Sign("id", "1", []byte("body")) != want {
		t.Error("the text itself is not the key")
	}
}

func TestVerify(t *testing.T) {
	a, b, c := testSecret(t, 0), testSecret(t, 1), testSecret(t, 2)
	body := []byte(`{"id":"evt_1"}`)
	good := a.Sign("msg_1", "1795320062", body)
	other := c.Sign("msg_1", "1795320062", body)
	many := strings.Repeat(other+" ", 15)
	for _, tc := range []struct {
		name, id, stamp, signature, body string
		key                              string // "" = refused
	}{
		{"good", "msg_1", "1795320062", good, string(body), a.ID()},
		{"second secret", "msg_1", "1795320062", b.Sign("msg_1", "1795320062", body), string(body), b.ID()},
		{"good one last", "msg_1", "1795320062", other + " " + good, string(body), a.ID()},
		{"good one first", "msg_1", "1795320062", good + " " + other, string(body), a.ID()},
		{"other versions and empty items", "msg_1", "1795320062", "v1a,abc  v2," + good[3:] + " " + good + " ", string(body), a.ID()},
		{"sixteen items", "msg_1", "1795320062", many + good, string(body), a.ID()},
		{"seventeen items", "msg_1", "1795320062", many + other + " " + good, string(body), ""},
		{"over 4 KiB", "msg_1", "1795320062", good + " v2," + strings.Repeat("x", 4<<10), string(body), ""},
		{"unknown secret", "msg_1", "1795320062", other, string(body), ""},
		{"other body", "msg_1", "1795320062", good, string(body) + " ", ""},
		{"other id", "msg_2", "1795320062", good, string(body), ""},
		{"other timestamp", "msg_1", "1795320063", good, string(body), ""},
		{"same number, other text", "msg_1", "+1795320062", good, string(body), ""},
		{"no signature", "msg_1", "1795320062", "", string(body), ""},
		{"no version", "msg_1", "1795320062", good[3:], string(body), ""},
		{"version in capitals", "msg_1", "1795320062", "V1" + good[2:], string(body), ""},
		{"only another version", "msg_1", "1795320062", "v2" + good[2:], string(body), ""},
		{"cut short", "msg_1", "1795320062", good[:len(good)-5], string(body), ""},
		{"no padding", "msg_1", "1795320062", good[:len(good)-1], string(body), ""},
		{"something behind", "msg_1", "1795320062", good + "AAAA", string(body), ""},
		{"empty signature", "msg_1", "1795320062", "v1,", string(body), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			key, ok := (Secrets{a, b}).Verify(tc.id, tc.stamp, tc.signature, []byte(tc.body))
			if ok != (tc.key != "") || key != tc.key {
				t.Errorf("key %q, ok %v; want %q", key, ok, tc.key)
			}
		})
	}
	if _, ok := Secrets(nil).Verify("msg_1", "1795320062", good, body); ok {
		t.Error("verified without a secret")
	}
	if _, ok := (Secrets{{}}).Verify("msg_1", "1795320062", good, body); ok {
		t.Error("verified by the zero secret")
	}
}

func TestCheck(t *testing.T) {
	a, b := testSecret(t, 0), testSecret(t, 1)
	good := formats.JournalRecord{
		WebhookID: "msg_1", WebhookTimestamp: 5, Key: a.ID(), Body: []byte("x"),
		WebhookSignature: a.Sign("msg_1", "5", []byte("x")),
	}
	edit := func(f func(*formats.JournalRecord)) formats.JournalRecord {
		r := good
		f(&r)
		return r
	}
	for _, c := range []struct {
		name    string
		record  formats.JournalRecord
		secrets Secrets
		want    Verdict
	}{
		{"good", good, Secrets{b, a}, Verified},
		{"secret not at hand", good, Secrets{b}, Unverified},
		{"no secret", good, nil, Unverified},
		{"body changed", edit(func(r *formats.JournalRecord) { r.Body = []byte("y") }), Secrets{a}, Failed},
		{"key names another secret", edit(func(r *formats.JournalRecord) { r.Key = b.ID() }), Secrets{a, b}, Failed},
		{"no key, and it fits", edit(func(r *formats.JournalRecord) { r.Key = "" }), Secrets{b, a}, Verified},
		{"no key, and none fits", edit(func(r *formats.JournalRecord) { r.Key, r.Body = "", nil }), Secrets{b, a}, Unverified},
		{"no signature", edit(func(r *formats.JournalRecord) { r.WebhookSignature = "" }), Secrets{a}, Unverified},
		{"bare", formats.JournalRecord{Bare: true, Body: []byte("{}")}, Secrets{a}, Unverified},
	} {
		if got := c.secrets.Check(c.record); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := testSecret(f, 0)
	f.Add("msg_1", "5", "v1,AAAA v2,b", []byte("x"))
	f.Add("", "", " v1,"+strings.Repeat("A", 43)+"=", []byte(nil))
	f.Fuzz(func(t *testing.T, id, stamp, signature string, body []byte) {
		if _, ok := (Secrets{s}).Verify(id, stamp, signature, body); ok {
			if !strings.Contains(signature, s.Sign(id, stamp, body)) {
				t.Fatalf("verified by %q", signature)
			}
		}
		if len(signature)+100 > MaxSignatureBytes || strings.Count(signature, " ") > MaxSignatureItems-2 {
			return
		}
		if _, ok := (Secrets{s}).Verify(id, stamp, signature+" "+s.Sign(id, stamp, body), body); !ok {
			t.Fatal("a good entry is not found")
		}
	})
}
