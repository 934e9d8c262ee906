package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The units of docs/operations.md are units that systemd takes.
func TestUnitsOfTheManual(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("there is no systemd here")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var units []string
	for _, block := range regexp.MustCompile("(?s)```ini\n# /etc/systemd/system/(\\S+)\n(.*?)```").FindAllStringSubmatch(read(t, "../../docs/operations.md"), -1) {
		path := filepath.Join(dir, block[1])
		text := strings.ReplaceAll(block[2], "/usr/local/bin/tallyman", self)
		text = strings.ReplaceAll(text, "User=tallyman\n", "User=daemon\n")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		units = append(units, path)
		if strings.HasSuffix(block[1], ".service") {
			for _, want := range []string{"NoNewPrivileges=yes", "ProtectSystem=strict", "LoadCredential=", "User=", "UMask=0077"} {
				if !strings.Contains(text, want) {
					t.Errorf("%s lacks %s", block[1], want)
				}
			}
		}
	}
	if len(units) != 3 {
		t.Fatalf("units %q", units)
	}
	out, err := exec.Command(analyze, append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	if err != nil || strings.Contains(string(out), dir) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}
