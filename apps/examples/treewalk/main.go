// Walking trees: two goroutines send the values of two trees, in order, to be compared.
package main

import "fmt"

type tree struct {
	left, right *tree
	value       int
}

func insert(t *tree, v int) *tree {
	if t == nil {
		return &tree{value: v}
	}
	if v < t.value {
		t.left = insert(t.left, v)
	} else {
		t.right = insert(t.right, v)
	}
	return t
}

func of(values ...int) *tree {
	var t *tree
	for _, v := range values {
		t = insert(t, v)
	}
	return t
}

func walk(t *tree, out chan<- int) {
	if t != nil {
		walk(t.left, out)
		out <- t.value
		walk(t.right, out)
	}
}

func walkAll(t *tree, out chan<- int) {
	defer close(out)
	walk(t, out)
}

func same(a, b *tree) bool {
	x, y := make(chan int), make(chan int)
	go walkAll(a, x)
	go walkAll(b, y)
	for v := range x {
		w, ok := <-y
		if !ok || v != w {
			return false
		}
	}
	_, ok := <-y
	return !ok
}

func main() {
	t := of(5, 3, 8, 1, 4)
	fmt.Println(same(t, of(1, 3, 4, 5, 8)))
	fmt.Println(same(t, of(1, 3, 4, 5, 9)))
	fmt.Println(same(t, of(1, 3)))
}
