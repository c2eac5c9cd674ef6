// A worker pool: three workers take jobs from one channel and answer on another.
package main

import "fmt"

type result struct {
	n, divisors int
}

func worker(jobs <-chan int, results chan<- result) {
	for n := range jobs {
		r := result{n: n}
		for d := 1; d <= n; d++ {
			if n%d == 0 {
				r.divisors++
			}
		}
		results <- r
	}
}

func main() {
	jobs := make(chan int, 100)
	results := make(chan result, 100)
	for w := 0; w < 3; w++ {
		go worker(jobs, results)
	}
	for n := 1; n <= 100; n++ {
		jobs <- n
	}
	close(jobs)
	best := result{}
	for i := 0; i < 100; i++ {
		r := <-results
		if r.divisors > best.divisors || r.divisors == best.divisors && r.n < best.n {
			best = r
		}
	}
	fmt.Printf("%d has %d divisors\n", best.n, best.divisors)
}
