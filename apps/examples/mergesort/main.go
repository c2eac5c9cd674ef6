// Fork and join: merge sort, whose halves are sorted at the same time.
package main

import (
	"fmt"
	"sort"
)

func merge(a, b []int) []int {
	out := make([]int, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		if a[0] <= b[0] {
			out = append(out, a[0])
			a = a[1:]
		} else {
			out = append(out, b[0])
			b = b[1:]
		}
	}
	out = append(out, a...)
	return append(out, b...)
}

func sorted(s []int, out chan<- []int) {
	if len(s) <= 1 {
		out <- s
		return
	}
	halves := make(chan []int, 2)
	go sorted(s[:len(s)/2], halves)
	go sorted(s[len(s)/2:], halves)
	out <- merge(<-halves, <-halves)
}

func main() {
	numbers := make([]int, 1000)
	for i := range numbers {
		numbers[i] = i * 7919 % 1000
	}
	out := make(chan []int)
	go sorted(numbers, out)
	s := <-out
	fmt.Println(len(s), sort.IntsAreSorted(s), s[:10], s[990:])
}
