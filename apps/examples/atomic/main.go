// Atomic operations: a counter, a maximum and a flag without a lock.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

var hits, highest int64
var leader int32

func visit(id int64, wg *sync.WaitGroup) {
	defer wg.Done()
	if atomic.CompareAndSwapInt32(&leader, 0, 1) {
		fmt.Println("one of them is the leader")
	}
	for n := int64(0); n < 1000; n++ {
		atomic.AddInt64(&hits, 1)
	}
	old := atomic.LoadInt64(&highest)
	for old < id && !atomic.CompareAndSwapInt64(&highest, old, id) {
		old = atomic.LoadInt64(&highest)
	}
}

func main() {
	var wg sync.WaitGroup
	for id := int64(1); id <= 20; id++ {
		wg.Add(1)
		go visit(id, &wg)
	}
	wg.Wait()
	fmt.Println("hits", hits, "highest", highest)
}
