// A finalizer: called by the collector when nobody holds an object any more.
package main

import (
	"fmt"
	"runtime"
	"time"
)

type handle struct {
	name string
}

var closed = make(chan string, 1)

func closeHandle(h *handle) {
	closed <- h.name
}

func use(name string, done chan<- int) {
	h := &handle{name}
	runtime.SetFinalizer(h, closeHandle)
	done <- len(h.name)
}

func main() {
	done := make(chan int)
	go use("log file", done)
	fmt.Println("used", <-done)
	for {
		runtime.GC()
		select {
		case name := <-closed:
			fmt.Println("closed", name)
			return
		case <-time.After(time.Millisecond):
		}
	}
}
