// A read-write mutex: many readers look things up while now and then one writer adds.
package main

import (
	"fmt"
	"sync"
)

type table struct {
	mu    sync.RWMutex
	roots map[int]int
}

func (t *table) get(n int) (int, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	r, ok := t.roots[n]
	return r, ok
}

func (t *table) root(n int) int {
	if r, ok := t.get(n); ok {
		return r
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r := 0
	for r*r < n {
		r++
	}
	t.roots[n] = r
	return r
}

func main() {
	t := table{roots: map[int]int{}}
	sums := make(chan int)
	for i := 0; i < 4; i++ {
		go func() {
			sum := 0
			for n := 0; n < 1000; n++ {
				sum += t.root(n % 100)
			}
			sums <- sum
		}()
	}
	for i := 0; i < 4; i++ {
		fmt.Println("sum", <-sums)
	}
	fmt.Println(len(t.roots), "roots known")
}
