// A reader of one's own: what comes from another one, each letter moved on by 13 places.
package main

import (
	"fmt"
	"io"
	"os"
	"strings"
)

type rot13Reader struct {
	r io.Reader
}

func rot13(c byte) byte {
	switch {
	case c >= 'a' && c <= 'z':
		return 'a' + (c-'a'+13)%26
	case c >= 'A' && c <= 'Z':
		return 'A' + (c-'A'+13)%26
	}
	return c
}

func (r rot13Reader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	for i := range p[:n] {
		p[i] = rot13(p[i])
	}
	return n, err
}

func main() {
	s := strings.NewReader("Lbh penpxrq gur pbqr!\n")
	n, err := io.Copy(os.Stdout, rot13Reader{s})
	fmt.Println(n, err)

	twice := rot13Reader{rot13Reader{strings.NewReader("as it was")}}
	b, _ := io.ReadAll(io.LimitReader(twice, 5))
	fmt.Println(string(b))
}
