package unpack

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"tallyman/formats"
)

const content = "external_reference,name\nA,Zoë\n"

// unpackBytes unpacks a file of that name and returns what is within.
func unpackBytes(t testing.TB, name string, packed []byte, o Options) (string, Plain, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, packed, 0o600); err != nil {
		t.Fatal(err)
	}
	plain, err := File(t.Context(), path, name, dir, o)
	if err != nil {
		// What failed must leave nothing behind: it may be personal data.
		if left, _ := filepath.Glob(filepath.Join(dir, "*.plain*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
		return "", plain, err
	}
	text, readErr := os.ReadFile(plain.Path)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if info, err := os.Stat(plain.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	return string(text), plain, nil
}

func rule(err error) string {
	if fault, ok := errors.AsType[*formats.FileError](err); ok {
		return fault.Rule
	}
	if err != nil {
		return "error: " + err.Error()
	}
	return ""
}

func gzipped(t testing.TB, text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(text))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstandard(t testing.TB, text string) []byte {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll([]byte(text), nil)
}

func zipped(t testing.TB, files ...string) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, name := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(content)); err != nil && !strings.HasSuffix(name, "/") {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestCompressed(t *testing.T) {
	gz, zst := gzipped(t, content), zstandard(t, content)
	bomb := strings.Repeat("\x00", 64<<20)
	for _, c := range []struct {
		why, name string
		packed    []byte
		rule      string
		layers    []string
	}{
		{"not packed", "a.csv", []byte(content), "", nil},
		{"gzip", "a.csv.gz", gz, "", []string{"gzip"}},
		{"gzip, in capitals", "A.CSV.GZ", gz, "", []string{"gzip"}},
		{"gzip without .csv", "a.gz", gz, "", []string{"gzip"}},
		{"an ending alone is a name", ".gz", []byte(content), "", nil},
		{"gzip by name only", "a.csv.gz", []byte(content), "bad_gzip", nil},
		{"empty gzip", "a.csv.gz", nil, "bad_gzip", nil},
		{"cut gzip", "a.csv.gz", gz[:len(gz)-3], "bad_gzip", nil},
		{"changed gzip", "a.csv.gz", flip(gz, len(gz)-6), "bad_gzip", nil},
		{"two members", "a.csv.gz", append(bytes.Clone(gz), gz...), "several_members", nil},
		{"trailing bytes", "a.csv.gz", append(bytes.Clone(gz), "x"...), "several_members", nil},
		{"gzip bomb", "a.csv.gz", gzipped(t, bomb), "decompression_bomb", nil},
		{"zstd", "a.csv.zst", zst, "", []string{"zstd"}},
		{"zstd by name only", "a.csv.zst", []byte(content), "bad_zstd", nil},
		{"cut zstd", "a.csv.zst", zst[:len(zst)-3], "bad_zstd", nil},
		{"changed zstd", "a.csv.zst", flip(zst, len(zst)-5), "bad_zstd", nil},
		{"zstd bomb", "a.csv.zst", zstandard(t, bomb), "decompression_bomb", nil},
		{"zip", "a.zip", zipped(t, "b.csv"), "", []string{"zip"}},
		{"zip with a directory", "a.csv.zip", zipped(t, "dir/", "dir/b.csv"), "", []string{"zip"}},
		{"zip with a path that leads out", "a.zip", zipped(t, "../../b.csv"), "", []string{"zip"}},
		{"zip of two files", "a.zip", zipped(t, "b.csv", "c.csv"), "several_files", nil},
		{"empty zip", "a.zip", zipped(t), "several_files", nil},
		{"zip of a directory", "a.zip", zipped(t, "dir/"), "several_files", nil},
		{"Excel workbook", "a.zip", zipped(t, "[Content_Types].xml", "xl/workbook.xml"), "excel_workbook", nil},
		{"zip by name only", "a.zip", []byte(content), "bad_zip", nil},
		{"cut zip", "a.zip", zipped(t, "b.csv")[:60], "bad_zip", nil},
		{"changed zip", "a.zip", flip(zipped(t, "b.csv"), 45), "bad_zip", nil},
		{"encrypted zip", "a.zip", encryptedZip(t), "encrypted_zip", nil},
		{"twice", "a.csv.gz.zst", zst, "nested_packing", nil},
		{"the same twice", "a.csv.gz.gz", gz, "nested_packing", nil},
		{"without a key", "a.csv.pgp", gz, "no_pgp_key", nil},
	} {
		t.Run(c.why, func(t *testing.T) {
			text, plain, err := unpackBytes(t, c.name, c.packed, Options{})
			if rule(err) != c.rule {
				t.Fatalf("%v, want %q", err, c.rule)
			}
			if err != nil {
				return
			}
			if diff := cmp.Diff(c.layers, plain.Packed); diff != "" || text != content {
				t.Errorf("%q: %s", text, diff)
			}
		})
	}
}

func flip(b []byte, i int) []byte {
	out := bytes.Clone(b)
	out[i] ^= 0x55
	return out
}

// encryptedZip sets the flag that says so; the rest does not matter.
func encryptedZip(t *testing.T) []byte {
	b := zipped(t, "b.csv")
	central := bytes.Index(b, []byte("PK\x01\x02"))
	b[central+8] |= 1
	return b
}

func TestLimits(t *testing.T) {
	long := strings.Repeat(content, 1000)
	if _, _, err := unpackBytes(t, "a.gz", gzipped(t, long), Options{MaxSize: int64(len(long)) - 1}); rule(err) != "too_large" {
		t.Errorf("one byte too many: %v", err)
	}
	if text, _, err := unpackBytes(t, "a.gz", gzipped(t, long), Options{MaxSize: int64(len(long))}); err != nil || text != long {
		t.Errorf("just as large: %v", err)
	}
	// A file that repeats itself is no bomb as long as it is small.
	if _, _, err := unpackBytes(t, "a.gz", gzipped(t, strings.Repeat("\n", ratioFrom)), Options{}); err != nil {
		t.Error(err)
	}
}

func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv.gz")
	if err := os.WriteFile(path, gzipped(t, content), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := File(ctx, path, "a.csv.gz", dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestPlainName(t *testing.T) {
	for name, want := range map[string]string{
		"a.csv": "a.csv", "a.csv.gz": "a.csv", "a.csv.gz.pgp": "a.csv", "a.csv.ZIP": "a.csv", "a.pgp": "a", ".gz": ".gz", "gz": "gz", "a.gz.csv": "a.gz.csv", "": "",
	} {
		if got := PlainName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

// FuzzFile feeds foreign bytes to every decompressor: there is a fault or a file, within the limits, and nothing else.
func FuzzFile(f *testing.F) {
	for i, packed := range [][]byte{gzipped(f, content), zstandard(f, content), zipped(f, "b.csv"), gzipped(f, ""), []byte(content)} {
		f.Add(uint8(i), packed)
	}
	f.Fuzz(func(t *testing.T, kind uint8, packed []byte) {
		name := []string{"a.gz", "a.zst", "a.zip", "a.asc"}[kind%4]
		const most = 1 << 20
		text, _, err := unpackBytes(t, name, packed, Options{MaxSize: most})
		if err != nil && strings.HasPrefix(rule(err), "error") {
			t.Fatalf("not a fault of the file: %v", err)
		}
		if len(text) > most {
			t.Fatalf("%d bytes", len(text))
		}
	})
}
