// Embedding: the files of the folder embed/ are a part of the program.
package main

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed embed
var all embed.FS

func main() {
	files, _ := fs.Sub(all, "embed")
	greeting, err := fs.ReadFile(files, "greeting.txt")
	fmt.Print(string(greeting))
	fmt.Println(err)

	poems, _ := fs.ReadDir(files, "poems")
	for _, p := range poems {
		text, _ := fs.ReadFile(files, "poems/"+p.Name())
		fmt.Printf("%s, %d bytes: %s", p.Name(), len(text), text)
	}
	_, err = fs.ReadFile(files, "poems/none.txt")
	fmt.Println(err)
}
