// Errors are values: wrapped with what was tried, compared with Is, taken apart with As.
package main

import (
	"errors"
	"fmt"
)

var errNoUser = errors.New("no such user")

type syntaxError struct {
	line int
	text string
}

func (e *syntaxError) Error() string {
	return fmt.Sprintf("line %d: unexpected %q", e.line, e.text)
}

func read(name string) error {
	switch name {
	case "root":
		return errNoUser
	case "odd":
		return &syntaxError{3, "}"}
	}
	return nil
}

func load(name string) error {
	if err := read(name); err != nil {
		return fmt.Errorf("load %s: %w", name, err)
	}
	return nil
}

func main() {
	for _, name := range []string{"me", "root", "odd"} {
		err := load(name)
		fmt.Println(err)
		if errors.Is(err, errNoUser) {
			fmt.Println("  ask for another name")
		}
		var syntax *syntaxError
		if errors.As(err, &syntax) {
			fmt.Println("  look at line", syntax.line)
		}
	}
}
