// An errgroup: several downloads at once, at most two at a time; the first error counts.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

var errNotFound = errors.New("not found")

func fetch(ctx context.Context, url string, size *int) error {
	if strings.HasSuffix(url, "/missing") {
		return fmt.Errorf("get %s: %w", url, errNotFound)
	}
	*size = len(url)
	return ctx.Err()
}

func fetchAll(urls []string) (int, error) {
	g, ctx := errgroup.WithContext(context.Background())
	g.SetLimit(2)
	sizes := make([]int, len(urls))
	for i, url := range urls {
		i, url := i, url
		g.Go(func() error { return fetch(ctx, url, &sizes[i]) })
	}
	if err := g.Wait(); err != nil {
		return 0, err
	}
	total := 0
	for _, n := range sizes {
		total += n
	}
	return total, nil
}

func main() {
	fmt.Println(fetchAll([]string{"a.org/", "b.org/news", "c.org/"}))
	_, err := fetchAll([]string{"a.org/missing", "b.org/missing"})
	fmt.Println("failed:", errors.Is(err, errNotFound))
}
