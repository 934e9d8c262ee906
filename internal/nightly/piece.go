package nightly

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"runtime"
	"sync"
)

// written is a piece of a file on its way from a worker to the file. It is used again for a later piece.
type written[P, M any] struct {
	piece P
	made  M
	text  bytes.Buffer
	err   error
	ready chan struct{}
}

// writePieces writes the pieces of a file in their order; as many are made into text at the same time as there are
// processors. What else was made of a piece is taken in that order too, and given back to write, to be used again for another
// one; at first that is the zero value.
func writePieces[P, M any](w io.Writer, pieces iter.Seq[P], write func(io.Writer, P, M) (M, error), take func(M)) error {
	workers := runtime.GOMAXPROCS(0)
	jobs, order, free := make(chan *written[P, M]), make(chan *written[P, M], 2*workers), make(chan *written[P, M], 4*workers)
	for range cap(free) {
		free <- &written[P, M]{ready: make(chan struct{}, 1)}
	}
	var group sync.WaitGroup
	group.Go(func() {
		defer close(jobs)
		defer close(order)
		for piece := range pieces {
			p := <-free
			p.piece = piece
			order <- p // first, so that no more are made than the file takes
			jobs <- p
		}
	})
	for range workers {
		group.Go(func() {
			for p := range jobs {
				p.text.Reset()
				p.made, p.err = write(&p.text, p.piece, p.made)
				p.ready <- struct{}{}
			}
		})
	}
	var err error
	for p := range order {
		<-p.ready
		if err = errors.Join(err, p.err); err == nil {
			_, err = w.Write(p.text.Bytes())
			take(p.made)
		}
		free <- p
	}
	group.Wait()
	return err
}
