package overview

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"tallyman/formats"
)

// Rows that are added up as they are printed come to what they come to when they are read back, in however many pieces.
func TestBalancesAsPrinted(t *testing.T) {
	var file bytes.Buffer
	w, err := formats.NewBalanceWriter(&file)
	if err != nil {
		t.Fatal(err)
	}
	printed, piece := NewBalances(), &BalanceRows{}
	for i := range int64(3000) {
		row := formats.BalanceRow{
			BusinessDate: "2026-11-22", ExternalReference: fmt.Sprintf("=A,%d", i), CustomerID: fmt.Sprint("bcus_", i), Name: "a \"b\"\nc",
			Currency: []string{"ZAR", "JPY", "BHD"}[i%3], Opening: formats.SumOf(i * 1000), Billed: formats.SumOf(-i), Paid: formats.SumOf(math.MaxInt64).Add(i),
			Closing: formats.SumOf(i - 1500), Status: formats.StatusPartPaid, DueDate: []string{"", "2026-11-22", "2026-10-01", "2025-01-01"}[i%4],
		}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
		if err := piece.AddPrinted(&row, w.Printed()); err != nil {
			t.Fatal(err)
		}
		if i%70 == 0 {
			printed.Add(piece)
			piece.Reset()
		}
	}
	printed.Add(piece)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "balances.csv"), file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	readBack, err := readBalances(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got, want Overview
	printed.tell(&got)
	readBack.tell(&want)
	if !reflect.DeepEqual(got, want) || len(got.Ageing) != 12 || len(got.Differences) != 3 {
		t.Errorf("printed %+v\nread back %+v", got, want)
	}
}
