// A mutex: a counter by name that many goroutines use.
package main

import (
	"fmt"
	"sync"
)

type counter struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *counter) inc(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[name]++
}

func main() {
	c := counter{n: map[string]int{}}
	var wg sync.WaitGroup
	count := func(name string, times int) {
		defer wg.Done()
		for i := 0; i < times; i++ {
			c.inc(name)
		}
	}
	wg.Add(3)
	go count("a", 1000)
	go count("b", 2000)
	go count("a", 3000)
	wg.Wait()
	fmt.Println(c.n)
}
