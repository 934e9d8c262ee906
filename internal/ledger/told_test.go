package ledger

import (
	"errors"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tallyman/formats"
)

func drawText(rt *rapid.T, label string) string {
	return rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", `"`, `\`, `a\"b`, "{}", ",\"x\":1", "Zoë\n", "\x7f\u2028"})).Draw(rt, label)
}

// TestTold: what is told of a row and of a customer is JSON, and comes back.
func TestTold(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		r := Row{
			Operation: OperationUpdate, Key: drawText(rt, "key"), Generation: rapid.Int().Draw(rt, "generation"), Refused: rapid.Bool().Draw(rt, "refused"),
			PlannedAt: fromMicros(rapid.Int64Range(0, 1<<52).Draw(rt, "planned")),
			Result: formats.OutcomeRow{
				Line: rapid.Int().Draw(rt, "line"), CustomerID: drawText(rt, "customer"), Payable: drawText(rt, "payable"),
				HTTPStatus: rapid.Int().Draw(rt, "status"), Attempts: rapid.Int().Draw(rt, "attempts"), Reason: drawText(rt, "reason"), Detail: drawText(rt, "detail"),
			},
		}
		copy(r.BodySHA256[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "body"))
		c := formats.Customer{
			Name: drawText(rt, "name"), Email: drawText(rt, "email"), Phone: drawText(rt, "phone"), Currency: drawText(rt, "currency"), DueDate: drawText(rt, "due"),
			Balance: formats.Balance{Set: rapid.Bool().Draw(rt, "owes")},
		}
		if c.Balance.Set {
			c.Balance.Minor = rapid.Int64().Draw(rt, "balance")
		}
		for i := range rapid.IntRange(0, 3).Draw(rt, "metadata") {
			c.Metadata = append(c.Metadata, formats.Metadatum{Key: string(rune('a' + i)), Value: drawText(rt, "value")})
		}
		told, stands := appendTold(nil, &r, &Standing{Asserted: c}), appendCustomer(nil, &c)
		if !jsontext.Value(told).IsValid() || !jsontext.Value(stands).IsValid() {
			rt.Fatalf("no JSON: %s %s", told, stands)
		}
		got, customer := Row{Operation: OperationUpdate}, formats.Customer{}
		if err := errors.Join(got.readTold(string(told)), readCustomer(string(stands), &customer)); err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(r, got) + cmp.Diff(c, customer); diff != "" {
			rt.Fatal(diff)
		}
		if err := readCustomer(string(stands[:len(stands)-1]), &customer); !errors.Is(err, errTold) {
			rt.Fatalf("cut off: %v", err)
		}
	})
}

// TestToldToPeople: SQL finds what stands in JSON under its names.
func TestToldToPeople(t *testing.T) {
	l := openTest(t, t.TempDir())
	f := begin(t, l, "2026-03-16", "aa")
	must(t, l.Record(t.Context(), f, nil, []Finished{created(1, "A", 5, time.UnixMicro(9))}))
	var line, balance int64
	var id, name, due, payable, key string
	must(t, l.read.QueryRowContext(t.Context(), `SELECT a.line, a.customer_id, a.name, a.due_date, a.payable, r.told ->> 'key', c.asserted ->> 'balance'
		FROM assertions a JOIN rows r USING (file_id, number) JOIN customers c ON c.reference = a.reference`).Scan(&line, &id, &name, &due, &payable, &key, &balance))
	got := []any{line, id, name, due, payable, key, balance}
	if diff := cmp.Diff([]any{int64(2), "bcus_A", "Name", "2026-12-01", "yes", planned(1, "A", "").Key, int64(5)}, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzMembers: no text makes the ledger fail in another way than by saying so.
func FuzzMembers(f *testing.F) {
	row := planned(1, "A", "")
	f.Add(string(appendTold(nil, &row, nil)))
	for _, text := range []string{`{}`, `{"balance":-5,"name":"a\"b"}`, `{"name":"a\`, `{"balance":1.5}`, `{"x":1}x`, `{"metadata.a":"é"}`, `{"body_sha256":"00"}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var r Row
		var c formats.Customer
		for _, err := range []error{r.readTold(text), readCustomer(text, &c)} {
			if err != nil && !errors.Is(err, errTold) {
				t.Error(err)
			}
		}
	})
}
