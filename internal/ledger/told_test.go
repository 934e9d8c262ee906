package ledger

import (
	"errors"
	"testing"

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
		told, stands := appendTold(nil, &r), appendCustomer(nil, &c)
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

// FuzzMembers: no text makes the ledger fail in another way than by saying so.
func FuzzMembers(f *testing.F) {
	row := planned(1, "A", "")
	f.Add(string(appendTold(nil, &row)))
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
