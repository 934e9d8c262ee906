package workbook_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"tallyman/internal/reporttest"
	"tallyman/internal/workbook"
)

// calculate lets LibreOffice open a workbook, calculate every formula, and write each sheet as CSV, as it is shown.
func calculate(t *testing.T, book []byte) map[string][][]string {
	t.Helper()
	program, err := exec.LookPath("soffice")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("soffice is missing: CI=1 make office installs it")
		}
		t.Skip("NOT TESTED: soffice is missing, so no spreadsheet has opened the workbook; CI=1 make office installs it")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "report.xlsx")
	if err := os.WriteFile(path, book, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	// Comma, quotes, UTF-8; cells as shown; every sheet into a file of its own.
	cmd := exec.CommandContext(ctx, program, "-env:UserInstallation=file://"+filepath.Join(dir, "profile"), "--headless", "--norestore",
		"--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1", "--outdir", dir, path)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("soffice: %v\n%s", err, out)
	}
	sheets := map[string][][]string{}
	files, err := filepath.Glob(filepath.Join(dir, "report-*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("soffice has written nothing: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		reader := csv.NewReader(bytes.NewReader(text))
		reader.FieldsPerRecord = -1
		rows, err := reader.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		sheets[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "report-"), ".csv")] = rows
	}
	return sheets
}

// forget takes the values out of the formulas' cells: what is shown then is what the spreadsheet has calculated.
func forget(t *testing.T, book []byte) []byte {
	t.Helper()
	in, err := zip.NewReader(bytes.NewReader(book), int64(len(book)))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	out := zip.NewWriter(&b)
	forgotten := 0
	for _, part := range in.File {
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(part.Name, "xl/worksheets/") {
			value := regexp.MustCompile(`</f><v>[^<]*</v>`)
			forgotten += len(value.FindAll(text, -1))
			text = value.ReplaceAll(text, []byte("</f>"))
		}
		w, err := out.Create(part.Name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if forgotten == 0 {
		t.Fatal("no formula has a value")
	}
	return b.Bytes()
}

// A spreadsheet opens the workbook, shows what the files say, and its own sums agree with the printed control totals.
func TestOpensInLibreOffice(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 90})
	sheets := calculate(t, forget(t, write(t, dir, workbook.Options{SheetRows: 50})))
	checks := 0
	for _, row := range sheets["Summary"] {
		if len(row) > 7 && row[7] != "" && row[7] != "check" {
			checks++
			if row[7] != "✔ agrees" {
				t.Errorf("%q", row)
			}
		}
	}
	if checks < 10 {
		t.Errorf("%d checks in %q", checks, sheets["Summary"])
	}
	if got := len(sheets["Balances"]) + len(sheets["Balances 2"]); got != 92 {
		t.Errorf("%d rows of balances", got)
	}
	rows := csvRows(t, filepath.Join(dir, "balances.csv"))
	reference, name := slices.Index(rows[0], "external_reference"), slices.Index(rows[0], "name")
	for i, row := range sheets["Balances"] {
		if row[reference] != rows[i][reference] || row[name] != rows[i][name] {
			t.Errorf("row %d shows %q and %q, the file says %q and %q", i+1, row[reference], row[name], rows[i][reference], rows[i][name])
		}
		// LibreOffice writes a zero without its decimals into CSV.
		zero := func(text string) bool { return strings.Trim(text, "0.") == "" }
		if shown := strings.ReplaceAll(row[8], ",", ""); i > 0 && shown != rows[i][8] && !(zero(shown) && zero(rows[i][8])) {
			t.Errorf("row %d shows the amount %q, the file says %q", i+1, row[8], rows[i][8])
		}
	}
}

// A row that does not fit its total is seen by the spreadsheet itself.
func TestSpreadsheetSeesADifference(t *testing.T) {
	dir := reporttest.Write(t, reporttest.Options{Customers: 30, Quiet: true})
	reporttest.Replace(t, dir, "balances.csv", ",100.00,0.00,100.00,", ",100.01,0.00,100.00,")
	differ := 0
	for _, row := range calculate(t, forget(t, write(t, dir, workbook.Options{})))["Summary"] {
		if len(row) > 7 && row[7] == "✘ DIFFERS" {
			differ++
		}
	}
	if differ != 1 {
		t.Errorf("%d differences are seen", differ)
	}
}
