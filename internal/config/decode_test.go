package config

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestDecodeProblems(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string // beginnings of the problems
	}{
		{"empty file", "", nil},
		{"comments only", "# nothing\n\n", nil},
		{"byte order mark", "\ufeffmerchant: acme\n", nil},
		{"line ends of Windows", "merchant: acme\r\napi: {rate: 5}\r\n", nil},
		{"list", "- merchant: acme\n", []string{"tallyman.yaml:1:1: is not a list of keys and values"}},
		{"text", "merchant\n", []string{"tallyman.yaml:1:1: is not a list of keys and values"}},
		{"second document", "merchant: acme\n---\nmerchant: beta\n", []string{"tallyman.yaml:2:1: holds a second document"}},
		{"tab", "api:\n\trate: 5\n", []string{"tallyman.yaml:2:1: is not readable as YAML: found character that cannot start any token"}},
		{"bracket", "schedule: [\napi: {}\n", []string{"tallyman.yaml:3:1: is not readable as YAML"}},
		{"control character", "merchant: acme\ndata_dir: a\x01b\n", []string{"tallyman.yaml:2:12: is not readable as YAML"}},
		{"no UTF-8", "merchant: acme\ndata_dir: a\xe9b\n", []string{"tallyman.yaml:2:12: is not readable as YAML"}},
		{"value empty", "merchant:\n", []string{"tallyman.yaml:1:1: merchant has no value; write a value, \"\" for nothing"}},
		{"value null", "merchant: ~\n", []string{"tallyman.yaml:1:1: merchant has no value"}},
		{"section empty", "api:\nmerchant: acme\n", []string{"tallyman.yaml:1:1: api has no value; write what belongs under it"}},
		{"guard empty", "imports: {guards: {max_missing: }}\n", []string{"tallyman.yaml:1:20: imports.guards.max_missing has no value; write a value"}},
		{"section as value", "api: fast\n", []string{"tallyman.yaml:1:6: api must hold keys of its own"}},
		{"section as list", "api: [1]\n", []string{"tallyman.yaml:1:1: api must hold keys of its own"}},
		{"value as section", "merchant: {a: b}\n", []string{"tallyman.yaml:1:1: merchant must be a single value"}},
		{"value as list", "merchant: [a]\n", []string{"tallyman.yaml:1:1: merchant must be a single value"}},
		{"list as value", "reports: {formats: csv}\n", []string{"tallyman.yaml:1:20: reports.formats must be a list"}},
		{"list of lists", "reports: {formats: [[csv]]}\n", []string{"tallyman.yaml:1:21: reports.formats[0] must be a single value"}},
		{"item empty", "receiver:\n  secret_files:\n    - \n", []string{"tallyman.yaml:3:6: receiver.secret_files[0] has no value"}},
		{"tag", "api: {rate: !!float 5}\n", []string{"tallyman.yaml:1:13: api.rate carries a YAML tag"}},
		{"merge key", "api:\n  <<: {rate: 5}\n", []string{"tallyman.yaml:2:3: api has a key that is no plain word"}},
		{"complex key", "? [a]\n: b\n", []string{"tallyman.yaml:1:3: has a key that is no plain word"}},
		{"alias", "merchant: &m acme\ninbox: {user: *m}\n", nil},
		{"alias of itself", "files: {format: columns, columns: &c {external_reference: r, name: *c}}\n", []string{"tallyman.yaml:1:62: files.columns.name must be a single value"}},
		{"unknown alias", "merchant: *m\n", []string{"tallyman.yaml:1:11: is not readable as YAML: unknown anchor referenced"}},
		{"number with a fraction", "api: {rate: 2.5}\n", []string{"tallyman.yaml:1:13: api.rate must be a whole number, not \"2.5\""}},
		{"number too large", "reconcile: {tolerance: 9223372036854775808}\n", []string{"tallyman.yaml:1:24: reconcile.tolerance must be a whole number"}},
		{"truth", "inbox: {agent: maybe}\n", []string{"tallyman.yaml:1:16: inbox.agent must be true or false, not \"maybe\""}},
		{"zero without a unit", "inbox: {settle: 0}\n", []string{"tallyman.yaml:1:17: inbox.settle must be a duration with a unit"}},
		{"percentage without sign", "imports: {guards: {max_missing: 20}}\n", []string{"tallyman.yaml:1:33: imports.guards.max_missing must be a percentage such as 5%, or off, not \"20\""}},
		{"key near", "api: {tiemout: 5s}\n", []string{"tallyman.yaml:1:7: api.tiemout is not a key that is known; did you mean timeout?"}},
		{"key elsewhere", "timezone: UTC\n", []string{"tallyman.yaml:1:1: timezone is not a key that is known; did you mean reconcile.timezone?"}},
		{"key of another section", "inbox: {secrets: []}\n", []string{"tallyman.yaml:1:9: inbox.secrets is not a key that is known; did you mean receiver.secrets?"}},
		{"key of nothing", "api: {zzzzz: 5s}\n", []string{"tallyman.yaml:1:7: api.zzzzz is not a key that is known; remove it; known under api: base_url, key,"}},
		{"key in a list", "schedule: [{cron: \"@daily\", run: nightly, rum: x}]\n", []string{"tallyman.yaml:1:43: schedule[0].rum is not a key that is known; did you mean run?"}},
		{"long value", "api: {mode: " + strings.Repeat("x", 100) + "}\n", []string{"tallyman.yaml:1:13: api.mode must be test or live, not \"" + strings.Repeat("x", 40) + "…\""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := problems(t, tt.text, environ(), 0)
			if len(got) != len(tt.want) {
				t.Fatalf("problems:\n%s\nwant %d beginning:\n%s", strings.Join(got, "\n"), len(tt.want), strings.Join(tt.want, "\n"))
			}
			for i := range got {
				if !strings.HasPrefix(got[i], tt.want[i]) {
					t.Errorf("problem\n%s\nwant\n%s", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestExpand(t *testing.T) {
	env := environ("NAME", "acme", "EMPTY", "", "INJECT", "x\napi:\n  rate: 1", "NESTED", "${NAME}")
	for _, tt := range []struct {
		name, text, want string
		problems         []string
	}{
		{"whole", "${NAME}", "acme", nil},
		{"within", "a-${NAME}-${NAME}", "a-acme-acme", nil},
		{"empty", "${EMPTY}", "", nil},
		{"dollar alone", "a$b$", "a$b$", nil},
		{"cannot add keys", "${INJECT}", "x\napi:\n  rate: 1", nil},
		{"is not looked at again", "${NESTED}", "${NAME}", nil},
		{"required and set", "${NAME:?say who}", "acme", nil},
		{"unset", "${GONE}", "", []string{"needs the environment variable GONE, which is not set"}},
		{"required and unset", "${GONE:?say who}", "", []string{"needs the environment variable GONE: say who"}},
		{"required and empty", "${EMPTY:?say who}", "", []string{"needs the environment variable EMPTY: say who"}},
		{"two unset", "${GONE}${AWAY}", "", []string{"needs the environment variable GONE, which is not set", "needs the environment variable AWAY, which is not set"}},
		{"not closed", "${NAME", "", []string{"has a ${ that is no variable"}},
		{"no name", "${}", "", []string{"has a ${ that is no variable"}},
		{"other syntax", "${NAME:-x}", "", []string{"has a ${ that is no variable"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDecoder("f", env.LookupEnv)
			got, ok := d.expand(tt.text, mark{1, 1}, "merchant")
			if ok != (tt.problems == nil) || ok && got != tt.want {
				t.Errorf("got %q, %v", got, ok)
			}
			var messages []string
			for _, f := range d.findings {
				messages = append(messages, f.Message)
			}
			if diff := cmp.Diff(tt.problems, messages); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// A variable in a key is not replaced, and one that is not set matters only to
// who needs its section.
func TestExpandWhere(t *testing.T) {
	if got := problems(t, "${A}: acme\n", environ("A", "merchant"), 0); len(got) != 1 || !strings.Contains(got[0], "is not a key") {
		t.Errorf("a key was replaced: %q", got)
	}
	const text = "merchant: acme\nreceiver: {secrets: [\"${A}\"], listen: \"${B}\"}\n"
	if got := problems(t, text, environ(), SectionMerchant); got != nil {
		t.Errorf("problems of a section that is not needed: %q", got)
	}
	if got := problems(t, text, environ(), SectionReceiver); len(got) != 2 {
		t.Errorf("problems: %q, want the two variables and nothing that follows from them", got)
	}
}

func FuzzLoad(f *testing.F) {
	for _, seed := range []string{
		"", "merchant: acme\n", "api: {rate: 5, key: ${K}}\n", "a: &a [*a]\n", "schedule: [{cron: TZ=0, run: x}]\n",
		"files: {columns: {name: \"{a} {b}\"}}\n", "? {a: b}\n: c\n", "x: !!binary zz\n", "reconcile: {cutoff: \"25:00\", timezone: ../../etc/passwd}\n",
		"imports: {guards: {max_missing: 1.005%}}\n", "inbox: {host_keys: [\"SHA256:\"]}\n", "\"a\x00b\": 1\n", "<<: [*x]\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		env := environ("K", "sk_test_1")
		env.ReadFile = func(name string) ([]byte, error) {
			if name == "tallyman.yaml" {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		}
		env.Stat = func(string) (fs.FileInfo, error) { return nil, fs.ErrNotExist }
		cfg, err := Load("tallyman.yaml", env, SectionAll)
		if err == nil {
			if cfg.Merchant == "" || cfg.API.Key.IsZero() || cfg.API.Rate < 1 || len(cfg.Receiver.Secrets) == 0 {
				t.Fatalf("accepted without what is required: %+v", cfg)
			}
			return
		}
		var wrong *Error
		if !errors.As(err, &wrong) || len(wrong.Problems) == 0 {
			t.Fatalf("error is %T %v", err, err)
		}
		for _, p := range wrong.Problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || p.Remedy == "" {
				t.Errorf("problem %+v lacks place, message or remedy", p)
			}
			if utf8.ValidString(text) && p.Line > 2+strings.Count(strings.NewReplacer("\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text), "\n") {
				t.Errorf("problem %+v is beyond the end", p)
			}
		}
	})
}
