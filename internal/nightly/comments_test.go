package nightly

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/xuri/excelize/v2"

	"tallyman/formats"
)

// What finance writes comes back from a workbook as from a CSV file, and goes before what stood there.
func TestReturnedComments(t *testing.T) {
	dir := t.TempDir()
	book := excelize.NewFile()
	if _, err := book.NewSheet("Exceptions"); err != nil {
		t.Fatal(err)
	}
	for i, row := range [][]any{{"Exceptions of today"}, {"exception_id", "reason", "owner", "comment"}, {"ex_1", "x", "Lindiwe", "=asked"}, {"ex_2", "x"}} {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		if err != nil {
			t.Fatal(err)
		}
		if err := book.SetSheetRow("Exceptions", cell, &row); err != nil {
			t.Fatal(err)
		}
	}
	workbook, csv, other := filepath.Join(dir, "back.xlsx"), filepath.Join(dir, "back.csv"), filepath.Join(dir, "other.xlsx")
	if err := book.SaveAs(workbook); err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string]string{csv: "exception_id,owner,comment\nex_1,Lindiwe,'=asked\n", other: "no workbook"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	last := map[string]formats.Comment{"ex_1": {Owner: "Sipho"}, "ex_3": {Comment: "old"}}
	for _, path := range []string{workbook, csv} {
		got, err := returnedComments(last, path)
		if err != nil || len(got) != 2 || got["ex_1"] != (formats.Comment{Owner: "Lindiwe", Comment: "=asked"}) || got["ex_3"].Comment != "old" {
			t.Errorf("%s: %+v, %v", path, got, err)
		}
	}
	if last["ex_1"].Owner != "Sipho" {
		t.Error("the last report's comments were changed")
	}
	for _, path := range []string{other, filepath.Join(dir, "none.csv")} {
		if _, err := returnedComments(nil, path); err == nil {
			t.Errorf("%s is read", path)
		}
	}
}
