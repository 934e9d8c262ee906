package journal

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tallyman/formats"
)

// readBy reads a journal by so many workers and such blocks, and prints all that was found.
func readBy(t *testing.T, path string, work Work) string {
	t.Helper()
	var out strings.Builder
	work.Key = formats.NewEventKey()
	work.Take = func(b *Batch) error {
		for i := range b.Lines {
			l := &b.Lines[i]
			fmt.Fprintf(&out, "%s %d %q %v %s %s %d\n", l.Ref(), l.Offset, l.Raw, l.Err, l.Signature, l.Event.ID, l.Event.Amount)
		}
		b.Release()
		return nil
	}
	sum, err := ReadBatches(t.Context(), path, work)
	fmt.Fprintf(&out, "%+v %v", sum, err)
	return out.String()
}

// No answer depends on how many workers there are or where a block ends: not in a journal that is whole, nor in one that
// is damaged, torn or compressed.
func TestReadingByWorkersAndBlocks(t *testing.T) {
	secret := testSecret(t, 0)
	dir := t.TempDir()
	fill(t, dir, 40)
	whole := readBytes(t, dir, pages[0])
	split := bytes.SplitAfter(whole, []byte("\n"))
	bare := `{"id":"evt_1","type":"obligation.amount_applied","data":{"customer_id":"bcus_1","amount":5,"currency":"ZAR"}}`
	for name, text := range map[string][]byte{
		"whole":    whole,
		"edited":   bytes.Replace(whole, []byte("msg_3"), []byte("msg_X"), 1),
		"swapped":  slices.Concat(append([][]byte{split[1], split[0]}, split[2:]...)...),
		"torn":     whole[:len(whole)-7],
		"bare":     []byte("\ufeff" + bare + "\r\n\n \n" + bare + "\nnonsense\n" + bare),
		"one":      []byte(bare),
		"nothing":  nil,
		"newlines": []byte("\n\n\n"),
		"rubbish":  append(slices.Clone(whole), "\x00\n\n{\"seq\":\n"...),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeBytes(t, text, dir, "a.jsonl")
			writeBytes(t, gzipped(t, text), dir, "b.jsonl.gz")
			writeBytes(t, gzipped(t, text)[:len(gzipped(t, text))*2/3], dir, "c.jsonl.gz")
			want := readBy(t, dir, Work{Workers: 1, Secrets: Secrets{secret}})
			for workers := 1; workers <= 8; workers++ {
				for _, block := range []int{1, 17, 300, 1000, blockSize} {
					if got := readBy(t, dir, Work{Workers: workers, Block: block, Secrets: Secrets{secret}}); got != want {
						t.Fatalf("%d workers, blocks of %d bytes:\n%s\nwant\n%s", workers, block, got, want)
					}
				}
			}
		})
	}
}

// Whoever takes batches may keep some and let others do the rest of the work; an error of theirs ends the reading.
func TestTakingBatchesEnds(t *testing.T) {
	dir := t.TempDir()
	writeBytes(t, bytes.Repeat([]byte("{\"id\":\"a\"}\n"), 10_000), dir, "a.jsonl")
	stop, taken := errors.New("stop"), 0
	_, err := ReadBatches(t.Context(), dir, Work{Block: 100, Take: func(*Batch) error {
		if taken++; taken == 3 {
			return stop
		}
		return nil
	}})
	if !errors.Is(err, stop) || taken != 3 {
		t.Errorf("%v after %d batches", err, taken)
	}
	done := make(chan *Batch, 100)
	go func() {
		for b := range done {
			b.Release()
		}
	}()
	defer close(done)
	sum, err := ReadBatches(t.Context(), dir, Work{Block: 1000, Take: func(b *Batch) error { done <- b; return nil }})
	if err != nil || sum.Lines != 10_000 {
		t.Errorf("%d lines, %v", sum.Lines, err)
	}
}

// A stream that hands out few bytes at a time, and an error at any place, lose no line before it.
func TestBlocksOfASlowStream(t *testing.T) {
	text := "one\ntwo\n\nthree and a long one\nfour"
	for size := 1; size < 40; size++ {
		r := newBlockReader(&slow{text: text, err: errBroken}, size)
		var got strings.Builder
		for {
			b := r.next(nil)
			got.Write(b.text)
			if b.offset+b.size != int64(got.Len()) {
				t.Fatalf("block at %d of %d bytes after %d", b.offset, b.size, got.Len())
			}
			if b.last {
				if !errors.Is(b.err, errBroken) {
					t.Fatalf("error %v", b.err)
				}
				break
			}
		}
		if want := strings.TrimSuffix(text, "four"); got.String() != want {
			t.Fatalf("blocks of %d: %q, want %q", size, got.String(), want)
		}
	}
}

var errBroken = errors.New("broken disk")

// slow hands out one byte at a time, and then an error.
type slow struct {
	text string
	err  error
}

func (s *slow) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, s.err
	}
	p[0], s.text = s.text[0], s.text[1:]
	return 1, nil
}

func BenchmarkReadBatches(b *testing.B) {
	dir := b.TempDir()
	line := `{"id":"evt_000000000000000000000123","type":"obligation.amount_applied","data":{"id":"ob_00000000000000000123","amount":1123,"currency":"ZAR","payment_id":"pay_00000000000000000123","customer_id":"bcus_00000000000000000000000023","created_at":"2026-11-22T08:45:00Z"}}` + "\n"
	writeBytes(b, []byte(strings.Repeat(line, 200_000)), dir, "a.jsonl")
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			b.SetBytes(int64(200_000 * len(line)))
			key, start := formats.NewEventKey(), time.Now()
			for b.Loop() {
				_, err := ReadBatches(b.Context(), dir, Work{Workers: workers, Key: key, Take: func(b *Batch) error { b.Release(); return nil }})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(200_000*b.N)/time.Since(start).Seconds(), "lines/s")
		})
	}
}
