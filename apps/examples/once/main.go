// Once: many goroutines need the settings, the first one reads them.
package main

import (
	"fmt"
	"sync"
)

var (
	once     sync.Once
	settings map[string]string
)

func load() {
	fmt.Println("loading")
	settings = map[string]string{"host": "localhost", "port": "8080"}
}

func setting(name string, out chan<- string) {
	once.Do(load)
	out <- settings[name]
}

func main() {
	out := make(chan string)
	for i := 0; i < 5; i++ {
		go setting("port", out)
	}
	for i := 0; i < 5; i++ {
		fmt.Println("port", <-out)
	}
}
