// A concurrent crawler: each page is fetched once, all links of a page at the same time.
package main

import (
	"fmt"
	"sort"
	"sync"
)

type page struct {
	title string
	links []string
}

var web = map[string]page{
	"golang.org/":         {"The Go Programming Language", []string{"golang.org/pkg/", "golang.org/cmd/"}},
	"golang.org/pkg/":     {"Packages", []string{"golang.org/", "golang.org/pkg/fmt/", "golang.org/pkg/os/"}},
	"golang.org/pkg/fmt/": {"Package fmt", []string{"golang.org/", "golang.org/pkg/"}},
	"golang.org/pkg/os/":  {"Package os", []string{"golang.org/", "golang.org/pkg/"}},
}

type crawler struct {
	wg    sync.WaitGroup
	mu    sync.Mutex
	found map[string]string
}

func (c *crawler) visit(url string, depth int) {
	defer c.wg.Done()
	c.mu.Lock()
	_, seen := c.found[url]
	p, ok := web[url]
	if !ok {
		p.title = "not found"
	}
	c.found[url] = p.title
	c.mu.Unlock()
	if seen || depth == 0 {
		return
	}
	for _, link := range p.links {
		c.wg.Add(1)
		go c.visit(link, depth-1)
	}
}

func main() {
	c := crawler{found: map[string]string{}}
	c.wg.Add(1)
	go c.visit("golang.org/", 4)
	c.wg.Wait()
	var urls []string
	for url := range c.found {
		urls = append(urls, url)
	}
	sort.Strings(urls)
	for _, url := range urls {
		fmt.Printf("%s: %s\n", url, c.found[url])
	}
}
