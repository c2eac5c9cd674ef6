// Sorting: numbers, words, structures by one member and stably by another; then searching.
package main

import (
	"fmt"
	"sort"
)

type person struct {
	name string
	age  int
}

func main() {
	numbers := []int{5, 2, 8, 1, 9, 3}
	sort.Ints(numbers)
	i := sort.SearchInts(numbers, 8)
	fmt.Println(numbers, "8 is at", i)
	words := []string{"pear", "apple", "fig"}
	sort.Strings(words)
	fmt.Println(words, sort.StringsAreSorted(words))

	people := []person{{"Ada", 36}, {"Ken", 79}, {"Rob", 36}, {"Ann", 25}}
	sort.Slice(people, func(i, j int) bool { return people[i].name > people[j].name })
	fmt.Println(people)
	sort.SliceStable(people, func(i, j int) bool { return people[i].age < people[j].age })
	fmt.Println(people)
}
