// A pipeline with cancellation: cancelling the context ends stages that nobody reads from.
package main

import (
	"context"
	"fmt"
	"sync"
)

func generate(ctx context.Context, out chan<- int, wg *sync.WaitGroup) {
	defer wg.Done()
	for n := 1; ; n++ {
		select {
		case out <- n:
		case <-ctx.Done():
			return
		}
	}
}

func square(ctx context.Context, in <-chan int, out chan<- int, wg *sync.WaitGroup) {
	defer wg.Done()
	for {
		select {
		case n := <-in:
			select {
			case out <- n * n:
			case <-ctx.Done():
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	numbers, squares := make(chan int), make(chan int)
	wg.Add(2)
	go generate(ctx, numbers, &wg)
	go square(ctx, numbers, squares, &wg)
	for i := 0; i < 5; i++ {
		fmt.Println(<-squares)
	}
	cancel()
	wg.Wait()
	fmt.Println("both stages ended:", ctx.Err())
}
