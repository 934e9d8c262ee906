package config

import (
	"strings"
	"testing"
)

func TestWithhold(t *testing.T) {
	const text = `# the secret is sk_test_no
merchant: acme
api: {key: sk_test_abc, rate: 20} # beside it
inbox:
  password: "a"
  user: a
  key_passphrase: ${PASS}
receiver:
  secrets: ["whsec_one", '${TWO}', 'x${TWO}y', whsec_one]
notify:
  ping_url: https://hc-ping.com/uuid
`
	want := strings.NewReplacer("sk_test_abc", Withheld, `"a"`, `"`+Withheld+`"`, "whsec_one", Withheld, "x${TWO}y", Withheld, "https://hc-ping.com/uuid", Withheld).Replace(text)
	got, err := Withhold([]byte(text))
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
}

func TestWithholdRefusesWhatItCannotLeaveOut(t *testing.T) {
	for _, text := range []string{
		"api:\n  key: |\n    sk_test_abc\n",
		"api: {key: \"sk_\\x74est_abc\"}\n",
		"api: [\n",
		"inbox: {user: &secret sk_test_abc}\napi: {key: *secret}\n",
	} {
		if got, err := Withhold([]byte(text)); err == nil && strings.Contains(string(got), "sk_") {
			t.Errorf("%q became %q", text, got)
		}
	}
}
