// Select: the first channel that is ready wins; a timer gives up, default does not wait.
package main

import (
	"fmt"
	"time"
)

func ask(answers <-chan string) {
	select {
	case s := <-answers:
		fmt.Println("answer:", s)
	case <-time.After(20 * time.Millisecond):
		fmt.Println("no answer in 20ms")
	}
}

func main() {
	answers := make(chan string, 1)
	ask(answers)
	answers <- "42"
	ask(answers)
	for i := 0; i < 2; i++ {
		select {
		case answers <- "again":
			fmt.Println("there was room")
		default:
			fmt.Println("there was no room")
		}
	}
}
