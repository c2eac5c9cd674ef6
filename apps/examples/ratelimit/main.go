// A rate limiter: a bucket of tokens allows bursts, a ticker puts in one each 10 ms.
package main

import (
	"fmt"
	"time"
)

func refill(bucket chan<- bool, period time.Duration) {
	for range time.Tick(period) {
		select {
		case bucket <- true:
		default:
		}
	}
}

func main() {
	const burst, period = 3, 10 * time.Millisecond
	bucket := make(chan bool, burst)
	for i := 0; i < burst; i++ {
		bucket <- true
	}
	began := time.Now()
	go refill(bucket, period)
	for request := 1; request <= 8; request++ {
		<-bucket
		fmt.Println("request", request)
	}
	fmt.Println("five of them waited:", time.Since(began) >= 5*period)
}
