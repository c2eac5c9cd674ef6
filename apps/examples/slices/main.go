// Slices: a view of an array with a length and a capacity; append moves it when it is full.
package main

import "fmt"

func main() {
	s := []int{1, 2, 3, 4, 5}
	fmt.Println(s, len(s), cap(s))
	middle := s[1:3]
	middle[0] = 20
	fmt.Println("shared:", s, "room for", cap(middle)-len(middle), "more")

	middle = append(middle, 40)
	fmt.Println("append in place:", s)
	apart := append(s[1:3:3], 50)
	apart[0] = 0
	fmt.Println("append with a copy:", s, apart)

	squares := make([]int, 0, 4)
	grown := 0
	for i := 0; i < 100; i++ {
		if len(squares) == cap(squares) {
			grown++
		}
		squares = append(squares, i*i)
	}
	fmt.Println("grown", grown, "times to", len(squares), squares[96:])

	both := make([]int, 4)
	n := copy(both, s)
	fmt.Println("copied", n, both)
	both = append(both, squares[:3]...)
	both = append(both[:1], both[2:]...)
	sum := 0
	for _, v := range both {
		sum += v
	}
	fmt.Println(both, "sum", sum)

	board := make([][]byte, 3)
	for i := range board {
		board[i] = []byte("...")
		board[i][i] = 'x'
		fmt.Println(string(board[i]))
	}
}
