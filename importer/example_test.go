package importer_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tallyman/formats"
	"tallyman/importer"
)

// A dry run reads a file, decides about each of its records, and accounts for every one of them. It needs no API. The
// records tell it what stands; here there are none.
func Example() {
	content := "external_reference,name,balance\nA-1,Ada,24000\nA-2,Bea,12.50\nA-1,Ada,24000\n"
	file := importer.File{
		Open:    func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(content)), nil },
		Customs: formats.CustomerOptions{Currency: "ZAR"},
		Scratch: os.TempDir(),
		Ledger:  noRecords{},
	}
	im := importer.New(nil, importer.Options{Existing: importer.Update, DryRun: true, Now: time.Now})

	ctx := context.Background()
	survey, err := im.Survey(ctx, file)
	if err != nil {
		fmt.Println("nothing of this file may be sent:", err)
		return
	}
	if err := im.Send(ctx, file, survey); err != nil { // nothing is sent in a dry run
		fmt.Println(err)
	}
	var outcomes, rejects bytes.Buffer
	account, err := im.Account(ctx, file, survey, &outcomes, &rejects)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(account.Read, "read")
	for _, outcome := range formats.Outcomes {
		if n := account.Counts[outcome]; n > 0 {
			fmt.Println(n, outcome)
		}
	}
	for _, p := range account.Problems {
		fmt.Printf("line %d: %s\n", p.Line, p.Reason)
	}
	// Output:
	// 3 read
	// 1 created
	// 1 duplicate
	// 1 rejected
	// line 3: bad_balance
}

// noRecords is a ledger that knows nothing, which is enough for a dry run.
type noRecords struct{}

func (noRecords) Standings(context.Context, []string) (map[string]importer.Standing, error) {
	return nil, nil
}

func (noRecords) Payments(context.Context, time.Time, []string) (map[string][]importer.Payment, error) {
	return nil, nil
}

func (noRecords) Rows(context.Context, int, int) ([]*importer.Row, error) { return nil, nil }

func (noRecords) Plan(context.Context, []*importer.Row, []importer.Finished) error { return nil }

func (noRecords) Record(context.Context, []importer.Advance, []importer.Finished) error { return nil }

var _ importer.Ledger = noRecords{}
