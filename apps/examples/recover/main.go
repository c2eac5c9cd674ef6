// Panic and recover: a deferred call ends a panic, of the program or of the runtime.
package main

import "fmt"

type node struct {
	value int
}

func guard(what string) {
	if r := recover(); r != nil {
		fmt.Printf("%s: recovered: %v\n", what, r)
	}
}

func element(s []int, i int) int {
	defer guard("element")
	return s[i]
}

func divide(a, b int) int {
	defer guard("divide")
	return a / b
}

func value(n *node) int {
	defer guard("value")
	return n.value
}

func custom(n int) {
	defer guard("custom")
	defer fmt.Println("still called during the panic")
	if n < 0 {
		panic(fmt.Sprintf("negative: %d", n))
	}
}

func main() {
	fmt.Println(element([]int{1, 2, 3}, 1), element([]int{1, 2, 3}, 5))
	fmt.Println(divide(7, 2), divide(7, 0))
	fmt.Println(value(&node{4}), value(nil))
	custom(-1)
}
