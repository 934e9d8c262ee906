package formats

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"testing"
)

// benchmarkFile is a plain customer file of so many rows.
func benchmarkFile(rows int) []byte {
	var out bytes.Buffer
	out.WriteString("external_reference,name,email,phone,currency,balance,metadata.tariff,due_date\n")
	for i := range rows {
		fmt.Fprintf(&out, "ACC-%d,Customer Number %d,customer%d@example.com,+2782%07d,ZAR,%d,home,2026-12-01\n", i, i, i, i%10_000_000, i%100_000)
	}
	return out.Bytes()
}

// BenchmarkPlainCSV is what encoding/csv needs to read a file and do nothing: the measure of BenchmarkCustomerReader.
func BenchmarkPlainCSV(b *testing.B) {
	file := benchmarkFile(200_000)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		r := csv.NewReader(bytes.NewReader(file))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkCustomerReader(b *testing.B) {
	file := benchmarkFile(200_000)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		r, err := NewCustomerReader(bytes.NewReader(file), CustomerOptions{PhoneCountry: "ZA"})
		if err != nil {
			b.Fatal(err)
		}
		for {
			if record, err := r.Next(); errors.Is(err, io.EOF) {
				break
			} else if err != nil || len(record.Problems) > 0 {
				b.Fatal(record, err)
			}
		}
	}
}
