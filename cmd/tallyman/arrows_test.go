package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "tallyman"

// source is a parsed file of this module.
type source struct {
	path string // from the module's root, with slashes
	pkg  string // its directory: "formats", "internal/ledger"
	test bool
	set  *token.FileSet
	file *ast.File
}

// ours returns what the file imports of this module, as directories.
func (s source) ours() []string {
	var list []string
	for _, path := range s.imports() {
		if rest, ok := strings.CutPrefix(path, module+"/"); ok {
			list = append(list, rest)
		}
	}
	return list
}

func (s source) imports() []string {
	var list []string
	for _, spec := range s.file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		list = append(list, path)
	}
	return list
}

// at returns file:line for a message.
func (s source) at(n ast.Node) string {
	return s.path + ":" + strconv.Itoa(s.set.Position(n.Pos()).Line)
}

// sources parses every Go file of the module. It does not ask the go command:
// the rules hold for other systems' files too.
func sources(t *testing.T) []source {
	t.Helper()
	const root = "../.."
	var list []source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && rel != "." && (strings.HasPrefix(name, ".") || name == "testdata" || name == "bin") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		list = append(list, source{path: rel, pkg: filepath.ToSlash(filepath.Dir(rel)), test: strings.HasSuffix(name, "_test.go"), set: set, file: file})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 10 {
		t.Fatalf("found %d files only", len(list))
	}
	return list
}

// mayImport says whether a package's product code may import another of ours:
// the arrows of design.md section 3.
func mayImport(from, to string) bool {
	if to == "internal/sshdtest" || to == "internal/syscalltest" || to == "internal/reporttest" || to == "internal/mailtest" || strings.HasPrefix(to, "cmd/") || to == "internal/sandbox" && from != "cmd/tallyman" {
		return false
	}
	switch from {
	case "cmd/tallyman":
		return true
	case "formats", "internal/config", "internal/sandbox", "internal/sshdtest":
		// The sandbox stands for other people's systems: it shares nothing with
		// the code it is to try.
		return false
	case "importer", "reconciler":
		return to == "formats"
	case "internal/nightly", "internal/reporttest":
		return true
	}
	return strings.HasPrefix(from, "internal/") && (to == "formats" || strings.HasPrefix(to, "internal/") && to != "internal/config" && to != "internal/nightly")
}

func TestImportArrows(t *testing.T) {
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		for _, to := range s.ours() {
			if to != s.pkg && !mayImport(s.pkg, to) {
				t.Errorf("%s: %s must not import %s", s.path, s.pkg, to)
			}
		}
		for _, path := range s.imports() {
			first, _, _ := strings.Cut(path, "/")
			foreign := strings.Contains(first, ".")
			if s.pkg == "formats" && foreign && path != "github.com/gocarina/gocsv" && path != "github.com/nyaruka/phonenumbers" {
				t.Errorf("%s: formats must not import %s", s.path, path)
			}
			// Pure: no I/O, no clock, no log. Of time it needs the type, which
			// the calls below keep to.
			if s.pkg == "reconciler" && (foreign || slices.Contains([]string{"os", "io", "io/fs", "net", "net/http", "log", "log/slog", "database/sql"}, path)) {
				t.Errorf("%s: reconciler must not import %s", s.path, path)
			}
		}
	}
}

func TestMayImport(t *testing.T) {
	for arrow, want := range map[string]bool{
		"cmd/tallyman internal/ledger":        true,
		"cmd/tallyman internal/sshdtest":      false,
		"importer formats":                    true,
		"importer internal/moment":            false,
		"importer reconciler":                 false,
		"reconciler formats":                  true,
		"formats importer":                    false,
		"internal/moment importer":            false,
		"internal/ledger reconciler":          false,
		"internal/journal formats":            true,
		"internal/receiver internal/journal":  true,
		"internal/receiver internal/config":   false,
		"internal/nightly importer":           true,
		"internal/sandbox formats":            false,
		"internal/nightly internal/sandbox":   false,
		"cmd/tallyman internal/sandbox":       true,
		"internal/mailbox cmd/tallyman":       false,
		"internal/mailbox internal/nightly":   false,
		"internal/somethingnew internal/x/y":  true,
		"internal/somethingnew importer":      false,
		"somewhere internal/ledger":           false,
		"internal/nightly internal/sshdtest":  false,
		"internal/config formats":             false,
		"internal/sshdtest internal/mailbox":  false,
		"internal/nightly internal/config":    true,
		"internal/ledger internal/nightly":    false,
		"reconciler internal/ledger":          false,
		"internal/moment internal/moment/api": true,
	} {
		from, to, _ := strings.Cut(arrow, " ")
		if mayImport(from, to) != want {
			t.Errorf("%s: want %v", arrow, want)
		}
	}
}

// exact is where money is: no binary fraction may come near it. A line that
// must have one says why in a comment with "no money".
func exact(pkg string) bool {
	return slices.Contains([]string{"formats", "importer", "reconciler", "internal/ledger"}, pkg)
}

func TestNoFloatNearMoney(t *testing.T) {
	for _, s := range sources(t) {
		if s.test || !exact(s.pkg) {
			continue
		}
		allowed := map[int]bool{}
		for _, group := range s.file.Comments {
			for _, c := range group.List {
				if strings.Contains(c.Text, "no money") {
					allowed[s.set.Position(c.Pos()).Line] = true
				}
			}
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			found := ""
			switch n := n.(type) {
			case *ast.Ident:
				if slices.Contains([]string{"float32", "float64", "ParseFloat", "FormatFloat", "NewFloat", "SetFloat64", "Float64", "Float32"}, n.Name) {
					found = n.Name
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					found = n.Value
				}
			}
			if found != "" && !allowed[s.set.Position(n.Pos()).Line] {
				t.Errorf("%s: %s near money", s.at(n), found)
			}
			return true
		})
	}
}

// TestForbidden keeps out what would be a hole or a habit to regret.
func TestForbidden(t *testing.T) {
	everywhere := map[string]string{
		"InsecureIgnoreHostKey": "host keys are pinned",
		"InsecureSkipVerify":    "certificates are verified",
	}
	product := map[string]string{
		"time.Sleep":            "wait on a timer and the context",
		"http.Get":              "it has no deadline",
		"http.Post":             "it has no deadline",
		"http.DefaultClient":    "it has no deadline",
		"http.DefaultServeMux":  "anything linked in may serve on it",
		"http.DefaultTransport": "it is shared, and sends some requests twice",
		"rand.Seed":             "it is shared",
	}
	for _, s := range sources(t) {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if why, ok := everywhere[n.Name]; ok {
					t.Errorf("%s: %s: %s", s.at(n), n.Name, why)
				}
			case *ast.SelectorExpr:
				pkg, ok := n.X.(*ast.Ident)
				if !ok {
					return true
				}
				name := pkg.Name + "." + n.Sel.Name
				if why, bad := product[name]; bad && (!s.test || name == "time.Sleep") {
					t.Errorf("%s: %s: %s", s.at(n), name, why)
				}
				if name == "context.Background" && !s.test && s.pkg != "cmd/tallyman" && s.pkg != "internal/sshdtest" {
					t.Errorf("%s: %s: take the caller's", s.at(n), name)
				}
				if name == "time.Now" && !s.test && (s.pkg == "reconciler" || s.pkg == "formats") {
					t.Errorf("%s: %s: the same input gives the same output", s.at(n), name)
				}
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil && !s.test {
					t.Errorf("%s: func init: use a constructor", s.at(n))
				}
			}
			return true
		})
	}
}
