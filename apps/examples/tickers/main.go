// Timers and tickers: after a time, each time, called by itself, and stopped in time.
package main

import (
	"fmt"
	"time"
)

func main() {
	began := time.Now()
	ticker := time.NewTicker(5 * time.Millisecond)
	for i := 1; i <= 3; i++ {
		<-ticker.C
		fmt.Println("tick", i)
	}
	ticker.Stop()
	fmt.Println("three ticks took 15ms:", time.Since(began) >= 15*time.Millisecond)

	done := make(chan bool)
	time.AfterFunc(time.Millisecond, func() { done <- true })
	<-done
	fmt.Println("called")

	alarm := time.NewTimer(time.Hour)
	fmt.Println("stopped in time:", alarm.Stop())
	alarm.Reset(time.Millisecond)
	<-alarm.C
	fmt.Println("fired; stopped in time:", alarm.Stop())
}
