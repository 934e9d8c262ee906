package reconciler

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"tallyman/formats"
)

func spillFiles(t testing.TB) func() (SpillFile, error) {
	return func() (SpillFile, error) { return os.CreateTemp(t.TempDir(), "spill") }
}

// A table knows every print it was given and no other, in memory and on disk, whatever it was told in between.
func TestPrintTable(t *testing.T) {
	for name, every := range map[string]int{"in memory": 0, "spilled now and then": 1000, "spilled all the time": 7} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, uint64(every)))
			table := printTable{keySize: moneyKeySize, valueSize: amountSize, spilled: spill{create: spillFiles(t)}}
			known := map[[2]uint64]uint32{}
			var prints [][2]uint64
			for i := range 20_000 / (1 + every%2*9) {
				print := [2]uint64{r.Uint64(), r.Uint64()}
				switch i % 5 {
				case 0: // many with one beginning, so that they crowd
					print[0] = 0x4242424242424242 + uint64(i%3)
				case 1: // and some that only the last bits tell apart
					print = [2]uint64{7, uint64(i) << 44}
				case 2:
					if len(prints) > 0 {
						print = prints[r.IntN(len(prints))]
					}
				}
				k := table.key(print)
				value, at, err := table.look(k)
				if err != nil {
					t.Fatal(err)
				}
				want, again := known[print]
				if again != (value != nil) || (again && binary.LittleEndian.Uint32(value) != want) {
					t.Fatalf("print %x: found %x, want %d %t", print, value, want, again)
				}
				table.touch(print)
				if !again {
					binary.LittleEndian.PutUint32(table.add(k, at), uint32(i))
					known[print], prints = uint32(i), append(prints, print)
				}
				if every > 0 && i%every == every-1 {
					if err := table.spillTo(&table.spilled); err != nil {
						t.Fatal(err)
					}
				}
			}
			if runs := len(table.spilled.runs); (runs > 0) != (every > 0) || runs > 12 {
				t.Errorf("%d runs", runs)
			}
			if err := table.spilled.close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// 40 bytes an event are what docs/benchmarks.md promises, in the mean and at any number of them, whether or not the tables
// know how many there will be.
func TestPrintTableIsSmall(t *testing.T) {
	for _, all := range []int{0, 400_000} {
		m := newMemory(nil)
		r := rand.New(rand.NewPCG(1, 2))
		for i := 1; i <= 400_000; i++ {
			if i%500 == 0 && all > 0 {
				m.goOn(int64(i), int64(all-i))
			}
			p := formats.EventPrints{ID: [2]uint64{r.Uint64(), r.Uint64()}, Money: [2]uint64{r.Uint64(), r.Uint64()}, Data: r.Uint64(), HasMoney: true}
			_, errSee := m.see(&p)
			_, _, errPay := m.pay(&p, 100)
			if err := errors.Join(errSee, errPay); err != nil {
				t.Fatal(err)
			}
			each := float64(m.first.bytes()+m.money.bytes()) / float64(i)
			if i >= 300_000 && i%5_000 == 0 && each > 41 && all == 0 {
				t.Fatalf("%.1f bytes an event at %d events", each, i)
			}
			if i == all && each > 39 {
				t.Fatalf("%.1f bytes an event at the end", each)
			}
		}
	}
}

// A wrong guess at how many there will be costs no more than twice the room, and changes nothing of what is known.
func TestPrintTableWithAWrongGoal(t *testing.T) {
	for _, ahead := range []int64{0, 1, 1 << 40} {
		m := newMemory(nil)
		r := rand.New(rand.NewPCG(1, 2))
		var prints []formats.EventPrints
		for i := range 100_000 {
			m.goOn(int64(i), ahead)
			p := formats.EventPrints{ID: [2]uint64{r.Uint64(), r.Uint64()}, Data: r.Uint64()}
			if seen, err := m.see(&p); err != nil || seen != unseen {
				t.Fatal(seen, err)
			}
			prints = append(prints, p)
		}
		for i := range prints {
			if seen, err := m.see(&prints[i]); err != nil || seen != repeated {
				t.Fatal(i, seen, err)
			}
		}
		if each := float64(m.first.bytes()) / 100_000; each > 45 {
			t.Errorf("%.1f bytes an event", each)
		}
	}
}

// nightOf reconciles some events, repeated, in conflict and alike, with at most so many bytes for them in memory.
func nightOf(t *testing.T, limit int64) string {
	r, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.memory = newMemory(spillFiles(t))
	r.memory.limit = limit
	if err := r.Assert(Assertion{CustomerID: "bcus_1", Currency: "ZAR", Balance: 1000}); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	draw := rand.New(rand.NewPCG(3, 4))
	for i := range 600 {
		n := draw.IntN(200)
		amount := []int64{1, 1, 1, 1 << 40}[draw.IntN(4)]
		body := fmt.Sprintf(`{"id":"evt_%d","type":"obligation.amount_applied","data":{"id":"ob_%d","payment_id":"pay_1","customer_id":"bcus_1","amount":%d,"currency":"ZAR"}}`, n, n/2, amount)
		row, err := r.Deliver(Delivery{Body: []byte(body), Signature: formats.SignatureUnverified, Ref: fmt.Sprint("j:", i)})
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&out, row)
	}
	if spilled := len(r.memory.first.spilled.runs) > 0; spilled != (limit > 0) {
		t.Errorf("limit %d: spilled is %t", limit, spilled)
	}
	result, err := r.Result()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintln(&out, result.Exceptions, result.Events, result.RollForward)
	return out.String()
}

// What is spilled is remembered as well as what is not.
func TestSpillChangesNothing(t *testing.T) {
	want := nightOf(t, 0)
	for _, reason := range []string{"duplicate_event", "conflicting_event", "possible_duplicate"} {
		if !strings.Contains(want, reason) {
			t.Fatalf("no line is %s", reason)
		}
	}
	for _, limit := range []int64{1, 20_000, 40_000} {
		if got := nightOf(t, limit); got != want {
			t.Errorf("limit %d:\n%s\nwant\n%s", limit, got, want)
		}
	}
}

// A disk that fails ends the report; no event is taken for a new one because it could not be looked up.
func TestSpillFails(t *testing.T) {
	broken := errors.New("disk full")
	if _, err := New(Options{Memory: 1}); err == nil {
		t.Error("a limit without files is accepted")
	}
	r, err := New(Options{Memory: 1, Spill: func() (SpillFile, error) { return nil, broken }})
	if err != nil {
		t.Fatal(err)
	}
	r.memory.limit = 1
	_, err = r.Deliver(Delivery{Body: []byte(`{"id":"evt_1","type":"obligation.amount_applied","data":{"customer_id":"bcus_1","amount":1,"currency":"ZAR"}}`), Signature: formats.SignatureUnverified, Ref: "j:1"})
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}
