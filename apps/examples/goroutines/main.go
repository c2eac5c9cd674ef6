// Goroutines: each computes by itself, a wait group waits for all of them.
package main

import (
	"fmt"
	"sync"
)

func square(i int, squares []int, wg *sync.WaitGroup) {
	defer wg.Done()
	squares[i] = i * i
}

func main() {
	var wg sync.WaitGroup
	squares := make([]int, 10)
	for i := range squares {
		wg.Add(1)
		go square(i, squares, &wg)
	}
	wg.Wait()
	fmt.Println(squares)
}
