// A pool: buffers are used again instead of being allocated for each message.
package main

import (
	"bytes"
	"fmt"
	"sync"
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func render(name string, n int) string {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	fmt.Fprintf(b, "Dear %s,\n", name)
	for i := 1; i <= n; i++ {
		fmt.Fprintf(b, "  %d. thank you\n", i)
	}
	return b.String()
}

func main() {
	fmt.Print(render("Ada", 2))
	fmt.Print(render("Brian", 1))
}
