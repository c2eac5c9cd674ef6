// Defer: calls that are made when the function returns, the last one first.
package main

import "fmt"

type file struct {
	name string
}

func open(name string) *file {
	fmt.Println("open", name)
	return &file{name}
}

func (f *file) close() {
	fmt.Println("close", f.name)
}

func merge(from, to string) bool {
	in := open(from)
	defer in.close()
	if from == to {
		return false
	}
	out := open(to)
	defer out.close()
	fmt.Println("copy", in.name, "to", out.name)
	return true
}

func main() {
	fmt.Println(merge("a", "b"))
	fmt.Println(merge("a", "a"))
	for i := 0; i < 3; i++ {
		defer fmt.Println("deferred", i)
	}
	fmt.Println("main returns")
}
