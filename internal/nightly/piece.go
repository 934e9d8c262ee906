package nightly

import (
	"bytes"
	"errors"
	"io"
	"iter"
	"runtime"
	"sync"
)

// written is a piece of a file on its way from a worker to the file.
type written[P, M any] struct {
	piece P
	made  M
	text  bytes.Buffer
	err   error
	ready chan struct{}
}

// writePieces writes the pieces of a file in their order; as many are made into text at the same time as there are
// processors. What else was made of a piece is taken in that order too.
func writePieces[P, M any](w io.Writer, pieces iter.Seq[P], write func(io.Writer, P) (M, error), take func(M)) error {
	workers := runtime.GOMAXPROCS(0)
	jobs, order := make(chan *written[P, M]), make(chan *written[P, M], 2*workers)
	var group sync.WaitGroup
	group.Go(func() {
		defer close(jobs)
		defer close(order)
		for piece := range pieces {
			p := &written[P, M]{piece: piece, ready: make(chan struct{})}
			order <- p // first, so that no more are made than the file takes
			jobs <- p
		}
	})
	for range workers {
		group.Go(func() {
			for p := range jobs {
				p.made, p.err = write(&p.text, p.piece)
				close(p.ready)
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
	}
	group.Wait()
	return err
}
