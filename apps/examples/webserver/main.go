// An HTTP server, asked by a client in the same program.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
)

var visits int64

func hello(w http.ResponseWriter, r *http.Request) {
	n := atomic.AddInt64(&visits, 1)
	fmt.Fprintf(w, "Hello, %s! You are visitor %d.\n", r.URL.Query().Get("name"), n)
}

func get(addr, path string) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, addr)
	answer, err := io.ReadAll(c)
	if err != nil {
		log.Fatal(err)
	}
	status, rest, _ := strings.Cut(string(answer), "\r\n")
	_, body, _ := strings.Cut(rest, "\r\n\r\n")
	fmt.Printf("%s: %s\n%s", path, status, body)
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", hello)
	go http.Serve(l, mux)
	get(l.Addr().String(), "/hello?name=gopher")
	get(l.Addr().String(), "/hello?name=Ada+Lovelace")
}
