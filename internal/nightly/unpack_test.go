package nightly

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/gopenpgp/v3/crypto"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"tallyman/formats"
	"tallyman/internal/config"
	"tallyman/internal/ledger"
	"tallyman/internal/sandbox"
)

const twoCustomers = "external_reference,name,currency,balance\nA,Ann,ZAR,100\nB,Zoë,ZAR,200\n"

func compressed(t *testing.T, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(text))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// importing imports local files and returns what became of them.
func (w *world) importing(paths ...string) []FileResult {
	w.t.Helper()
	n := w.open("import")
	r, err := n.Import(w.t.Context(), ImportRequest{Sources: paths})
	if err := errors.Join(err, n.Close()); err != nil {
		w.t.Fatal(err)
	}
	return r.Files
}

func (w *world) write(name string, content []byte) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// encryptFor makes keys for the world's configuration and returns a message that is signed by a signer it names.
func (w *world) encryptFor(text string) []byte {
	w.t.Helper()
	gpg := crypto.PGP()
	make := func(name string) (*crypto.Key, string, string) {
		key, err := gpg.KeyGeneration().AddUserId(name, name+"@example.com").New().GenerateKey()
		if err != nil {
			w.t.Fatal(err)
		}
		private, err1 := key.Armor()
		public, err2 := key.GetArmoredPublicKey()
		if err := errors.Join(err1, err2); err != nil {
			w.t.Fatal(err)
		}
		return key, private, public
	}
	us, private, _ := make("us")
	biller, _, public := make("biller")
	w.cfg.Files.PGP = config.PGP{
		KeyFile: w.write("us.asc", []byte(private)), Signers: []string{w.write("biller.asc", []byte(public))}, RequireSignature: true,
	}
	handle, err := gpg.Encryption().Recipient(us).SigningKey(biller).New()
	if err != nil {
		w.t.Fatal(err)
	}
	message, err := handle.Encrypt([]byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	return message.Bytes()
}

func TestPackedFileIsImportedOnce(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	message := w.encryptFor(string(compressed(t, twoCustomers)))
	path := w.write("customers.csv.gz.pgp", message)
	for i, want := range []map[formats.Outcome]int{{formats.Created: 2}, {formats.Created: 2}} {
		f := w.importing(path)[0]
		if diff := cmp.Diff(want, f.Outcomes); diff != "" || f.Fault != "" || f.State != ledger.FileDone {
			t.Errorf("import %d: %+v", i, f)
		}
		if filepath.Base(f.Outcome) != "customers.outcome.csv" || !slices.Contains(f.Notes, "unpacked: pgp, then gzip") {
			t.Errorf("%s, %q", f.Outcome, f.Notes)
		}
	}
	if n := len(w.api.Customers(sandbox.Test)); n != 2 {
		t.Errorf("%d customers were created", n)
	}
	if left, err := filepath.Glob(filepath.Join(w.cfg.DataDir, "spool", "*")); err != nil || len(left) > 0 {
		t.Errorf("left in the spool: %q, %v", left, err)
	}
}

// A file whose packing, signature or checksum is wrong is rejected before a row of it is read.
func TestPackedFileIsRejected(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	message := w.encryptFor(twoCustomers)
	message[len(message)-30] ^= 1
	sum := w.write("sum.csv", []byte(twoCustomers))
	w.write("sum.csv.md5", fmt.Appendf(nil, "%x  sum.csv\n", md5.Sum([]byte("other"))))
	for path, want := range map[string]string{
		w.write("changed.csv.pgp", message):                       "bad_pgp",
		w.write("cut.csv.gz", compressed(t, twoCustomers)[:40]):   "bad_gzip",
		w.write("plain.csv", compressed(t, twoCustomers)):         "packed_file",
		w.write("trailer.csv", []byte("external_reference\n\"A")): "unclosed_quote",
		sum: "checksum_mismatch",
	} {
		f := w.importing(path)[0]
		if f.State != ledger.FileRejected || !strings.Contains(f.Fault, want) || f.Read != 0 {
			t.Errorf("%s: %+v", filepath.Base(path), f)
		}
	}
	if n := len(w.api.Customers(sandbox.Test)); n != 0 {
		t.Errorf("%d customers were created", n)
	}
}

func TestWrongKeyFileIsWrongUsage(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	for _, pgp := range []config.PGP{{KeyFile: filepath.Join(w.dir, "none.asc")}, {KeyFile: w.write("key.asc", []byte("x"))}} {
		w.cfg.Files.PGP = pgp
		n, err := Open(t.Context(), Options{Config: w.cfg, Command: "import", Version: "test", Log: quiet(), Now: w.clock.Now})
		if _, ok := errors.AsType[*InputError](err); !ok || n != nil {
			t.Errorf("%v", err)
		}
	}
}

// What proves that a file is whole is told by what is not said.
func TestCompletenessIsSaid(t *testing.T) {
	w := newWorld(t, sandbox.Options{})
	proven := func(f FileResult) bool {
		return !slices.ContainsFunc(f.Notes, func(note string) bool { return strings.HasPrefix(note, "completeness not provable") })
	}
	alone := w.write("alone.csv", []byte(twoCustomers))
	if proven(w.importing(alone)[0]) {
		t.Error("a file with nothing beside it is proven")
	}
	w.write("alone.csv.done", nil)
	if !proven(w.importing(alone)[0]) {
		t.Error("a .done beside it proves nothing")
	}
	w.cfg.Files.Trailer = config.Trailer{Match: "T", CountColumn: "name"}
	if !proven(w.importing(w.write("trailer.csv", []byte(twoCustomers+"T,2,,\n")))[0]) {
		t.Error("a trailer proves nothing")
	}
}

// beside writes a file that stands beside the day file of 15 March.
func (w *world) beside(ending, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.api.InboxDir(), "za_sandbox_dailyfile_2026-03-15.csv"+ending), []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// A checksum in the inbox proves a file whole, or has it rejected; it goes where its file goes.
func TestChecksumInTheInbox(t *testing.T) {
	const text = "external_reference,name\nA,Ann\nB,Bob\n"
	for _, c := range []struct {
		why, ending, sum, fault string
	}{
		{"md5", ".md5", fmt.Sprintf("%x *name.csv\n", md5.Sum([]byte(text))), ""},
		{"sha256", ".sha256", fmt.Sprintf("%X", sha256.Sum256([]byte(text))), ""},
		{"md5 of something else", ".md5", "00112233445566778899aabbccddeeff", "checksum_mismatch"},
		{"sha256 of something else", ".sha256", strings.Repeat("0", 64), "checksum_mismatch"},
		{"no checksum", ".md5", "tomorrow", "bad_checksum_file"},
		{"half a checksum", ".sha256", strings.Repeat("0", 32), "bad_checksum_file"},
		{"an empty one", ".md5", "", "bad_checksum_file"},
		{"a large one", ".md5", strings.Repeat("x", 100<<10), "bad_checksum_file"},
	} {
		w := newWorld(t, sandbox.Options{})
		w.cfg.Inbox.Settle = 10 * time.Millisecond
		w.beside("", text)
		w.beside(c.ending, c.sum)
		r := w.night("2026-03-15")
		if len(r.Files) != 1 || len(r.Faults) != 0 || len(r.Waiting) != 0 || !strings.HasPrefix(r.Files[0].Fault, c.fault) || (c.fault == "") != (r.Files[0].State == ledger.FileDone) {
			t.Errorf("%s: %+v, %q, %q", c.why, r.Files, r.Faults, r.Waiting)
		}
		where := w.cfg.Inbox.Archive
		if c.fault != "" {
			where = w.cfg.Inbox.Rejected
		}
		for _, ending := range []string{"", c.ending} {
			if _, err := os.Stat(filepath.Join(w.api.InboxDir(), filepath.Base(where), "za_sandbox_dailyfile_2026-03-15.csv"+ending)); err != nil {
				t.Errorf("%s: %v", c.why, err)
			}
		}
	}
}

// A checksum that is wrong at the first look and still being written is no reason to reject the file.
func TestChecksumStillBeingWritten(t *testing.T) {
	const text = "external_reference,name\nA,Ann\nB,Bob\n"
	right := fmt.Sprintf("%x", md5.Sum([]byte(text)))
	for _, c := range []struct {
		why         string
		meanwhile   func(*world)
		files, wait int
	}{
		{"the rest of the checksum comes", func(w *world) { w.beside(".md5", right) }, 1, 0},
		{"more of the checksum comes", func(w *world) { w.beside(".md5", right[:30]) }, 0, 1},
		{"the rest of the file comes", func(w *world) { w.beside("", text+"C,Cy\n") }, 0, 1},
	} {
		w := newWorld(t, sandbox.Options{})
		w.cfg.Inbox.Settle = 10 * time.Millisecond
		w.beside("", text)
		w.beside(".md5", right[:20])
		n, err := Open(t.Context(), Options{Config: w.cfg, Command: "run", Version: "test", Now: w.clock.Now, Log: slog.New(onRecord{"a checksum does not fit", func() { c.meanwhile(w) }})})
		if err != nil {
			t.Fatal(err)
		}
		r, err := n.Run(t.Context(), RunRequest{Date: "2026-03-15"})
		if err := errors.Join(err, n.Close()); err != nil {
			t.Fatal(err)
		}
		if len(r.Files) != c.files || len(r.Waiting) != c.wait || len(r.Faults) != 0 || (c.files > 0 && r.Files[0].State != ledger.FileDone) {
			t.Errorf("%s: %+v, %q, %q", c.why, r.Files, r.Waiting, r.Faults)
		}
	}
}

// onRecord is a log that does something when something is said.
type onRecord struct {
	said string
	then func()
}

func (o onRecord) Enabled(context.Context, slog.Level) bool { return true }
func (o onRecord) WithAttrs([]slog.Attr) slog.Handler       { return o }
func (o onRecord) WithGroup(string) slog.Handler            { return o }
func (o onRecord) Handle(_ context.Context, r slog.Record) error {
	if strings.HasPrefix(r.Message, o.said) {
		o.then()
	}
	return nil
}

// TestSamples reads the files that docs/files.md shows, with the configuration it shows beside them.
func TestSamples(t *testing.T) {
	const dir = "../../testdata/files/"
	for _, c := range []struct {
		file, config   string
		good, rejected int
		total          string
	}{
		{file: "customers.csv", good: 4, total: "1227425"},
		{file: "za_acme_dailyfile_2026-11-22.csv", config: "za_acme_dailyfile.yaml", good: 3, total: "144450"},
		{file: "billing-export.csv", config: "billing-export.yaml", good: 2, total: "122256"},
		{file: "wrong.csv", good: 1, rejected: 8, total: "400"},
	} {
		files := config.Default().Files
		if c.config != "" {
			cfg, err := config.Load(dir+c.config, config.Environment{}, config.SectionFiles)
			if err != nil {
				t.Fatal(err)
			}
			files = cfg.Files
		}
		got, err := Check(t.Context(), dir+c.file, files, CheckOptions{Problems: 20})
		if err != nil {
			t.Fatal(err)
		}
		if got.Fault != nil || got.Good != c.good || got.Rejected != c.rejected || got.Profile.Currencies[0].Total != c.total {
			t.Errorf("%s: %+v %+v", c.file, got, got.Profile)
		}
	}
}
