// Values that never change: each change makes a new version, and the old ones stay as they are.
package main

import "fmt"

func push(v []string, s string) []string {
	return append(v[:len(v):len(v)], s)
}

func set(v []string, i int, s string) []string {
	v = append([]string(nil), v...)
	v[i] = s
	return v
}

func with(m map[string]int, name string, n int) map[string]int {
	out := map[string]int{name: n}
	for k, v := range m {
		if k != name {
			out[k] = v
		}
	}
	return out
}

func watch(prices map[string]int, done chan<- int) {
	done <- prices["apple"] + prices["pear"]
}

func main() {
	v1 := push(push(nil, "a"), "b")
	v2 := push(v1, "c")
	v3 := set(v2, 0, "z")
	fmt.Println(v1, v2, v3)

	monday := with(with(nil, "apple", 30), "pear", 50)
	tuesday := with(monday, "apple", 35)
	done := make(chan int)
	go watch(monday, done)
	fmt.Println("monday", <-done)
	go watch(tuesday, done)
	fmt.Println("tuesday", <-done)
	fmt.Println(len(monday), monday["apple"], tuesday["apple"])
}
