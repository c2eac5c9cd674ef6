// Buffered input: a scanner reads lines and words, a reader up to a byte, a writer collects.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

const poem = `The fog comes
on little cat feet.

It sits looking
over harbor and city
`

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()

	lines := bufio.NewScanner(strings.NewReader(poem))
	for n := 1; lines.Scan(); n++ {
		fmt.Fprintf(out, "%d: %s\n", n, lines.Text())
	}

	words := bufio.NewScanner(strings.NewReader(poem))
	words.Split(bufio.ScanWords)
	longest := ""
	for words.Scan() {
		if len(words.Text()) > len(longest) {
			longest = words.Text()
		}
	}
	fmt.Fprintln(out, "the longest word is", longest)

	in := bufio.NewReader(strings.NewReader("a=1;b=2;c"))
	for {
		field, err := in.ReadString(';')
		fmt.Fprintf(out, "%s %v\n", field, err)
		if err == io.EOF {
			break
		}
	}
}
