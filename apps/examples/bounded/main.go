// Bounded parallelism: a goroutine for each text, but only three compute at a time.
package main

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync/atomic"
)

var running, most int32

type digest struct {
	i   int
	sum [32]byte
}

func compute(i int, slots chan bool, digests chan<- digest) {
	slots <- true
	n := atomic.AddInt32(&running, 1)
	for m := atomic.LoadInt32(&most); n > m; m = atomic.LoadInt32(&most) {
		atomic.CompareAndSwapInt32(&most, m, n)
	}
	sum := sha256.Sum256([]byte(strings.Repeat("text", i*1000)))
	atomic.AddInt32(&running, -1)
	<-slots
	digests <- digest{i, sum}
}

func main() {
	slots, digests := make(chan bool, 3), make(chan digest)
	for i := 0; i < 10; i++ {
		go compute(i, slots, digests)
	}
	var sums [10][32]byte
	for range sums {
		d := <-digests
		sums[d.i] = d.sum
	}
	for i, sum := range sums {
		fmt.Printf("%d %x\n", i, sum[:8])
	}
	fmt.Println("three at most:", most <= 3)
}
