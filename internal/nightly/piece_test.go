package nightly

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
)

// Pieces stand in the file in their order, however many workers made them.
func TestPiecesInOrder(t *testing.T) {
	numbers := make([]int, 5000)
	for i := range numbers {
		numbers[i] = i
	}
	var got, want bytes.Buffer
	for _, n := range numbers {
		fmt.Fprintln(&want, n)
	}
	var firsts []int
	err := writePieces(&got, slices.Chunk(numbers, 7), func(w io.Writer, piece []int, _ int) (int, error) {
		for _, n := range piece {
			fmt.Fprintln(w, n)
		}
		return piece[0], nil
	}, func(first int) { firsts = append(firsts, first) })
	if err != nil || got.String() != want.String() || len(firsts) != 715 || !slices.IsSorted(firsts) {
		t.Errorf("%v, %d of %d bytes", err, got.Len(), want.Len())
	}
}

// A piece that fails fails the file, and so does a file that takes no more; nothing goes on in the background.
func TestPiecesThatFail(t *testing.T) {
	broken := errors.New("broken")
	numbers := make([]int, 100)
	numbers[50] = 1
	write := func(w io.Writer, piece []int, _ int) (int, error) {
		if slices.Contains(piece, 1) {
			return 0, broken
		}
		_, err := w.Write([]byte("0"))
		return 0, err
	}
	ignore := func(int) {}
	var got bytes.Buffer
	if err := writePieces(&got, slices.Chunk(numbers, 1), write, ignore); !errors.Is(err, broken) || got.Len() != 50 {
		t.Errorf("%v, %d bytes", err, got.Len())
	}
	full := writerFunc(func([]byte) (int, error) { return 0, broken })
	if err := writePieces(full, slices.Chunk(numbers[:50], 1), write, ignore); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
