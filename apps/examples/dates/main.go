// Dates and durations: made, written, read and counted with.
package main

import (
	"fmt"
	"time"
)

func main() {
	t := time.Date(2009, time.November, 10, 23, 0, 0, 0, time.UTC)
	fmt.Println(t.Format(time.RFC3339))
	fmt.Println(t.Format("Monday, 2 January 2006 at 3:04PM"))
	fmt.Println(t.AddDate(0, 3, 20).Format(time.RFC1123))

	moon, err := time.Parse(time.RFC3339, "1969-07-20T20:17:40Z")
	fmt.Println(moon.Weekday(), moon.YearDay(), err)
	fmt.Println(int(t.Sub(moon).Hours()/24), "days later,", moon.Before(t))
	_, err = time.Parse("2006-01-02", "2009-13-10")
	fmt.Println("month 13 is wrong:", err != nil)

	d, _ := time.ParseDuration("1h15m30.918s")
	fmt.Println(d, d.Round(time.Minute), d/2)
}
