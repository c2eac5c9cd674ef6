// sync.Map: many goroutines store and load without a lock of the program's.
package main

import (
	"fmt"
	"sort"
	"sync"
)

func register(m *sync.Map, name string, id int, won chan<- bool) {
	_, loaded := m.LoadOrStore(name, id)
	won <- !loaded
}

func main() {
	var m sync.Map
	won := make(chan bool)
	for id := 0; id < 20; id++ {
		go register(&m, fmt.Sprintf("node%d", id%4), id%4, won)
	}
	winners := 0
	for id := 0; id < 20; id++ {
		if <-won {
			winners++
		}
	}
	fmt.Println(winners, "were first")

	m.Store("node1", 100)
	id, _ := m.LoadAndDelete("node2")
	fmt.Println("deleted", id)
	_, ok := m.Load("node2")
	fmt.Println("still there:", ok)
	var names []string
	m.Range(func(name, id any) bool {
		names = append(names, fmt.Sprintf("%s=%d", name, id))
		return true
	})
	sort.Strings(names)
	fmt.Println(names)
}
