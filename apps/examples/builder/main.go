// A builder: a text made of many pieces without a new string for each.
package main

import (
	"fmt"
	"strings"
)

func main() {
	var b strings.Builder
	for row := 1; row <= 4; row++ {
		for col := 1; col <= 4; col++ {
			fmt.Fprintf(&b, "%4d", row*col)
		}
		b.WriteByte('\n')
	}
	b.WriteString("the multiplication table, ")
	b.WriteRune('①')
	b.WriteRune('–')
	b.WriteRune('④')
	fmt.Println(b.String())
	fmt.Println(b.Len(), "bytes")
}
