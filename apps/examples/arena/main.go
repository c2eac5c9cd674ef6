// An arena: many small objects of one request, all freed at once.
package main

import "fmt"

type node struct {
	left, right *node
	value       int
}

// Go's arena package is an experiment; until it is none, a slice of nodes does.
type arena struct {
	nodes []node
}

func (a *arena) alloc() *node {
	a.nodes = append(a.nodes, node{})
	return &a.nodes[len(a.nodes)-1]
}

func build(a *arena, low, high int) *node {
	if low > high {
		return nil
	}
	n := a.alloc()
	n.value = (low + high) / 2
	n.left = build(a, low, n.value-1)
	n.right = build(a, n.value+1, high)
	return n
}

func sum(n *node) int {
	if n == nil {
		return 0
	}
	return sum(n.left) + n.value + sum(n.right)
}

func main() {
	total := 0
	for request := 0; request < 100; request++ {
		a := &arena{nodes: make([]node, 0, 1000)}
		total += sum(build(a, 1, 1000))
	}
	fmt.Println(total)
}
