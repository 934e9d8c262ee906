package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// blanks are the lines of config.example.yaml with sample values, and what the
// starter has in their place.
var blanks = []string{
	"# The configuration of tallyman: every key, with its default, unit and reason.\n", "# tallyman's configuration: every key, with its default, unit and reason.\n",
	"# Keys without a default stand here with a sample value, marked \"required\" or\n# \"no default\".", "# Keys without a default are marked \"required\" or \"no default\"; fill in the former.\n#",
	"\nmerchant: acme\n", "\nmerchant: \"\"\n",
	"\n  address: sftp.example.com:22\n", "\n  address: \"\"\n",
	"\n  # Required for the inbox. host:port.\n", "\n  # Required for the inbox. host:port, such as sftp.example.com:22.\n",
	"\n  user: acme\n", "\n  user: \"\"\n",
	"\n  key_file: ./id_ed25519\n", "\n  key_file: \"\"\n",
	"\n  host_keys: [\"SHA256:U59VmMiIqw97aQeZK5T2mVCK4XfHB7QuOX06JuBrglM\"]\n", "\n  host_keys: []\n",
	"\n  pattern: \"za_acme_dailyfile_{date}.csv\"\n", "\n  pattern: \"\"\n",
	"as in a shell. Any other file is a one-off.\n", "as in a shell. Any other file is a one-off. Such as\n  # \"za_acme_dailyfile_{date}.csv\".\n",
}

var update = flag.Bool("update", false, "write starter.yaml anew")

func TestStarterIsTheExample(t *testing.T) {
	example, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := string(example)
	for i := 0; i < len(blanks); i += 2 {
		if strings.Count(want, blanks[i]) != 1 {
			t.Fatalf("config.example.yaml does not have, once:\n%s", blanks[i])
		}
		want = strings.Replace(want, blanks[i], blanks[i+1], 1)
	}
	if *update {
		if err := os.WriteFile("starter.yaml", []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(starter)); diff != "" {
		t.Errorf("starter.yaml differs from config.example.yaml; run go test ./cmd/tallyman -run Starter -update (-want +got):\n%s", diff)
	}
	if bytes.Contains(starter, []byte("acme\n")) {
		t.Error("starter.yaml has a sample value")
	}
}
