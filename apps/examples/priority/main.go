// A heap: a queue of jobs from which the most urgent one comes first.
package main

import (
	"container/heap"
	"fmt"
)

type job struct {
	urgency int
	name    string
}

type queue []job

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].urgency > q[j].urgency }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(job)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}

func main() {
	q := queue{{2, "water the plants"}, {9, "put out the fire"}, {4, "answer the mail"}}
	heap.Init(&q)
	heap.Push(&q, job{7, "answer the phone"})
	for len(q) > 0 {
		j := heap.Pop(&q).(job)
		fmt.Println(j.urgency, j.name)
	}
}
