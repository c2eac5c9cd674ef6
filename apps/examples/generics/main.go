// Generic code: functions for slices of any type, and a stack of any type.
package main

import "fmt"

func mapped[T, U any](s []T, f func(T) U) []U {
	var out []U
	for _, v := range s {
		out = append(out, f(v))
	}
	return out
}

func sum[T int | float64](s []T) T {
	var total T
	for _, v := range s {
		total += v
	}
	return total
}

type stack[T any] struct {
	items []T
}

func (s *stack[T]) push(v T) {
	s.items = append(s.items, v)
}

func (s *stack[T]) pop() T {
	v := s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return v
}

func half(n int) float64 { return float64(n) / 2 }
func word(n int) string  { return [...]string{"zero", "one", "two", "three"}[n] }

func main() {
	numbers := []int{1, 2, 3}
	fmt.Println(mapped(numbers, half), mapped(numbers, word))
	fmt.Println(sum(numbers), sum(mapped(numbers, half)))
	var words stack[string]
	for _, w := range mapped(numbers, word) {
		words.push(w)
	}
	fmt.Println(words.pop(), words.pop(), len(words.items))
}
