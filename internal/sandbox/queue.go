package sandbox

import (
	"container/heap"
	"time"
)

// delivery is an event on its way, and how often it was tried.
type delivery struct {
	event Event
	due   time.Time
	order int
	tries int
}

// dueQueue hands out deliveries in the order they fall due.
type dueQueue struct {
	items  dueHeap
	pushed int
}

func (q *dueQueue) push(d delivery) {
	d.order = q.pushed
	q.pushed++
	heap.Push(&q.items, d)
}

// idle is how long to wait when nothing is queued; whatever comes wakes the
// waiter before.
const idle = time.Hour

// pop returns the first delivery if it is due, else how long that will take.
func (q *dueQueue) pop(now time.Time) (d delivery, wait time.Duration) {
	if len(q.items) == 0 {
		return delivery{}, idle
	}
	if wait := q.items[0].due.Sub(now); wait > 0 {
		return delivery{}, wait
	}
	return heap.Pop(&q.items).(delivery), 0
}

// dueHeap is a container/heap, stable for deliveries due at the same time.
type dueHeap []delivery

func (h dueHeap) Len() int { return len(h) }

func (h dueHeap) Less(i, j int) bool {
	if h[i].due.Equal(h[j].due) {
		return h[i].order < h[j].order
	}
	return h[i].due.Before(h[j].due)
}

func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

func (h *dueHeap) Push(x any) { *h = append(*h, x.(delivery)) }

func (h *dueHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}

var _ heap.Interface = (*dueHeap)(nil)
