// Contexts: a deadline, a cancellation and a value go along with a request through all its calls.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

type userKey struct{}

func work(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func handle(ctx context.Context, d time.Duration) {
	user, _ := ctx.Value(userKey{}).(string)
	ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
	defer cancel()
	err := work(ctx, d)
	fmt.Printf("%s: %v, too late: %v\n", user, err, errors.Is(err, context.DeadlineExceeded))
}

func main() {
	ctx := context.WithValue(context.Background(), userKey{}, "gopher")
	handle(ctx, 0)
	handle(ctx, time.Hour)
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	handle(ctx, time.Hour)
}
