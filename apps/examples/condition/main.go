// A condition variable: a queue of bounded length, whose users wait for room or for content.
package main

import (
	"fmt"
	"sync"
)

type queue struct {
	mu      sync.Mutex
	changed *sync.Cond
	items   []int
}

func (q *queue) put(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 3 {
		q.changed.Wait()
	}
	q.items = append(q.items, n)
	q.changed.Broadcast()
}

func (q *queue) take() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 {
		q.changed.Wait()
	}
	n := q.items[0]
	q.items = q.items[1:]
	q.changed.Broadcast()
	return n
}

func main() {
	q := &queue{}
	q.changed = sync.NewCond(&q.mu)
	go func() {
		for i := 1; i <= 10; i++ {
			q.put(i * i)
		}
	}()
	for i := 0; i < 10; i++ {
		fmt.Print(q.take(), " ")
	}
	fmt.Println()
}
