// TCP: a server that sends back what it gets, and three clients at the same time.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
)

func serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

func client(addr, text string, answers chan<- string) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, text)
	c.(*net.TCPConn).CloseWrite()
	b, err := io.ReadAll(c)
	if err != nil {
		log.Fatal(err)
	}
	answers <- string(b)
}

func main() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go serve(l)
	answers := make(chan string)
	for _, text := range []string{"one", "two", "three"} {
		go client(l.Addr().String(), text, answers)
	}
	got := map[string]bool{}
	for i := 0; i < 3; i++ {
		got[<-answers] = true
	}
	l.Close()
	fmt.Println(got)
}
