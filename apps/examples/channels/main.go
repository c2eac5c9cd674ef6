// Channels: without a buffer they hand over, with one they keep; close ends a range.
package main

import "fmt"

func double(in <-chan int, out chan<- int) {
	for n := range in {
		out <- 2 * n
	}
	close(out)
}

func main() {
	in, out := make(chan int), make(chan int)
	go double(in, out)
	for i := 1; i <= 3; i++ {
		in <- i
		fmt.Println(i, "doubled is", <-out)
	}
	close(in)
	_, ok := <-out
	fmt.Println("more to come:", ok)

	letters := make(chan string, 3)
	letters <- "a"
	letters <- "b"
	fmt.Println("buffered:", len(letters), "of", cap(letters))
	close(letters)
	for s := range letters {
		fmt.Println(s)
	}
}
