// Numbers and text: each way, in any base, with errors that can be told apart.
package main

import (
	"errors"
	"fmt"
	"strconv"
)

func parse(s string) {
	n, err := strconv.ParseInt(s, 0, 16)
	switch {
	case err == nil:
		fmt.Println(s, "is", n)
	case errors.Is(err, strconv.ErrRange):
		fmt.Println(s, "is too large, the nearest is", n)
	case errors.Is(err, strconv.ErrSyntax):
		fmt.Println(s, "is no number")
	}
}

func main() {
	for _, s := range []string{"42", "-0x1f", "0b1010", "1_000", "99999", "12x"} {
		parse(s)
	}
	x, _ := strconv.ParseFloat("2.5e-3", 64)
	fmt.Println(x, strconv.FormatFloat(x, 'e', 3, 64))
	fmt.Println(strconv.FormatInt(-255, 16), strconv.FormatInt(35, 36), strconv.Itoa(1<<40))
	fmt.Println(strconv.Quote("tab\tand \"quotes\" and ☺\x00"))
}
