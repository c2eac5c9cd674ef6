// Any value as text, and values compared in depth.
package main

import (
	"fmt"
	"reflect"
)

type point struct {
	X, Y int
}

type shape struct {
	Name   string
	Points []point
	Tags   map[string]bool
	Next   *shape
}

func triangle() shape {
	points := []point{{0, 0}, {3, 0}, {0, 4}}
	return shape{"triangle", points, map[string]bool{"right": true, "closed": true}, nil}
}

func main() {
	a, b := triangle(), triangle()
	fmt.Println(a)
	fmt.Printf("%+v\n", a)
	fmt.Printf("%v %+v\n", &a.Points[1], a.Points)
	fmt.Printf("%T %T %T\n", a.Name, a.Points[0].X, a.Tags)
	fmt.Println(reflect.DeepEqual(a, b))
	b.Points[2].Y = 5
	fmt.Println(reflect.DeepEqual(a, b))
	fmt.Println([3]float64{0.5, 1e21, 1.0 / 3}, []string{"a", "b"}, []byte("hi"))
}
