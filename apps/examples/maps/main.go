// Maps: words are counted and listed in order; keys may be structures.
package main

import (
	"fmt"
	"sort"
	"strings"
)

type point struct {
	x, y int
}

func main() {
	count := map[string]int{}
	for _, word := range strings.Fields("the cat and the dog and the bird") {
		count[word]++
	}
	words := make([]string, 0, len(count))
	for word := range count {
		words = append(words, word)
	}
	sort.Strings(words)
	for _, word := range words {
		fmt.Printf("%-5s%d\n", word, count[word])
	}

	n, ok := count["cow"]
	fmt.Println("cow:", n, ok)
	delete(count, "the")
	fmt.Println(len(count), "left:", count)

	seen := map[point]bool{}
	at := point{}
	for _, step := range "NNESWWN" {
		seen[at] = true
		switch step {
		case 'N':
			at.y++
		case 'S':
			at.y--
		case 'E':
			at.x++
		case 'W':
			at.x--
		}
	}
	fmt.Println("now at", at, "after", len(seen), "places, was at the start:", seen[point{}])
}
