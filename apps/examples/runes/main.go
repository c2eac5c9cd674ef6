// Runes: a string is bytes, read as UTF-8; a byte that is no UTF-8 counts as U+FFFD.
package main

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

func describe(s string) {
	fmt.Println(len(s), "bytes,", utf8.RuneCountInString(s), "runes, valid:", utf8.ValidString(s))
	for i, r := range s {
		fmt.Printf("%3d %U %s letter: %v\n", i, r, string(r), unicode.IsLetter(r))
	}
}

func reverse(s string) string {
	runes := []rune(s)
	for i, j := 0, len(runes)-1; i < j; i, j = i+1, j-1 {
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}

func main() {
	describe("Gö1世")
	describe("a\xffb")
	fmt.Println(reverse("Hello, 世界"))
}
