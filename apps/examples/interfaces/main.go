// Interfaces: shapes of several kinds that are used in one way.
package main

import (
	"fmt"
	"math"
)

type shape interface {
	area() float64
	scale(by float64)
}

type circle struct {
	r float64
}

func (c *circle) area() float64    { return math.Pi * c.r * c.r }
func (c *circle) scale(by float64) { c.r *= by }

type square struct {
	side float64
}

func (s *square) area() float64    { return s.side * s.side }
func (s *square) scale(by float64) { s.side *= by }

func main() {
	shapes := []shape{&circle{1}, &square{2}, &circle{3}}
	total := 0.0
	for _, s := range shapes {
		s.scale(2)
		fmt.Printf("%.2f\n", s.area())
		total += s.area()
	}
	fmt.Printf("total %.2f\n", total)
}
