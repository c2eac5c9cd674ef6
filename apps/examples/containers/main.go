// Containers: a cache of the entries used last, made of a list and a map.
package main

import (
	"container/list"
	"fmt"
)

type entry struct {
	key, value string
}

type cache struct {
	room  int
	order *list.List
	at    map[string]*list.Element
}

func (c *cache) put(key, value string) {
	c.at[key] = c.order.PushFront(entry{key, value})
	if c.order.Len() > c.room {
		last := c.order.Remove(c.order.Back()).(entry)
		delete(c.at, last.key)
	}
}

func (c *cache) get(key string) string {
	e := c.at[key]
	if e == nil {
		return "(gone)"
	}
	c.order.MoveToFront(e)
	return e.Value.(entry).value
}

func main() {
	c := cache{2, list.New(), map[string]*list.Element{}}
	c.put("one", "eins")
	c.put("two", "zwei")
	fmt.Println("one:", c.get("one"))
	c.put("three", "drei")
	fmt.Println("two:", c.get("two"))
	for e := c.order.Front(); e != nil; e = e.Next() {
		fmt.Println(e.Value)
	}
}
