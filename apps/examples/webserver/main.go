// An HTTP server, asked by a client in the same program.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync/atomic"
)

var visits int64

func hello(w http.ResponseWriter, r *http.Request) {
	n := atomic.AddInt64(&visits, 1)
	fmt.Fprintf(w, "Hello, %s! You are visitor %d.\n", r.URL.Query().Get("name"), n)
}

func get(url string) {
	r, err := http.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d %s", r.StatusCode, body)
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/hello", hello)
	go http.Serve(l, mux)
	server := "http://" + l.Addr().String()
	get(server + "/hello?name=gopher")
	get(server + "/hello?name=Ada+Lovelace")
	get(server + "/nothing")
}
