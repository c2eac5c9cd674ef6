// Strings: cut, split, joined, searched and replaced; they never change, so parts share them.
package main

import (
	"fmt"
	"strings"
)

func main() {
	line := "  key = one, two,three  "
	key, value, found := strings.Cut(strings.TrimSpace(line), " = ")
	fmt.Printf("%q %q %v\n", key, value, found)
	parts := strings.Split(value, ",")
	for i := range parts {
		parts[i] = strings.ToUpper(strings.TrimSpace(parts[i]))
	}
	fmt.Println(len(parts), strings.Join(parts, "|"))

	text := "the quick brown fox"
	fmt.Println(text[4:9], strings.Index(text, "brown"), strings.Contains(text, "cat"))
	fmt.Println(strings.ReplaceAll(text, " ", "_"))
	fmt.Println(strings.Repeat("=", 10), strings.Count("cheese", "e"))
	fmt.Println(strings.HasPrefix(text, "the"), strings.EqualFold("Go", "GO"))
	shift := func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return 'a' + (r-'a'+13)%26
		}
		return r
	}
	fmt.Println(strings.Map(shift, text), text == "the "+"quick "+text[10:])
}
