// churn.go: the trace of churn.c, for Go.  See there.
package main

import (
	"fmt"
	"os"
	"runtime"
)

var sizes = [...]uint32{8, 16, 24, 32, 48, 64, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512, 640, 768,
	1024, 1536, 2048, 3072, 4096, 6144, 8192, 16384, 32768, 65536, 131072, 524288}
var weights = [...]uint32{600, 1700, 900, 1500, 1200, 1100, 500, 400, 250, 300, 240, 200, 260, 120, 100, 180, 70, 60,
	140, 60, 70, 30, 60, 14, 24, 10, 6, 3, 2, 1}

const slots, hours, perHour, samples = 1 << 18, 24, 400000, 240

var x uint64 = 88172645463325252

func rnd() uint64 {
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	return x
}

var live [slots][]byte

func main() {
	var total uint32
	for _, w := range weights {
		total += w
	}
	var peakSys, peakInuse, sumInuse, sumLive, bytes uint64
	n := 0
	for step := 0; step < hours*perHour; step++ {
		r := uint32(rnd() % uint64(total))
		k := 0
		for r >= weights[k] {
			r -= weights[k]
			k++
		}
		size := sizes[k] - uint32(rnd()%uint64(sizes[k]/4+1))
		// The load of the hour: slots in use, from a quarter at night to all at noon.
		h := step / perHour
		up := h
		if h > 12 {
			up = 24 - h
		}
		use := uint64(slots/4 + slots*3/4*up/12)
		at := rnd() % use
		if rnd()%4 != 0 { // most objects die young: they take turns in a few slots
			at = rnd() % (use / 64)
		}
		bytes += uint64(size) - uint64(len(live[at]))
		live[at] = make([]byte, size)
		if step%16 == 0 { // who is above the load of the hour goes
			i := use + rnd()%uint64(slots)
			if i < slots && live[i] != nil {
				bytes -= uint64(len(live[i]))
				live[i] = nil
			}
		}
		if step%(hours*perHour/samples) == 0 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			if m.HeapSys > peakSys {
				peakSys = m.HeapSys
			}
			if m.HeapInuse > peakInuse {
				peakInuse = m.HeapInuse
			}
			sumInuse += m.HeapInuse
			sumLive += bytes
			n++
		}
	}
	mib := func(v uint64) float64 { return float64(v) / (1 << 20) }
	fmt.Fprintf(os.Stdout, "churn sys %.1f inuse %.1f mean %.1f live %.1f MiB\n", mib(peakSys), mib(peakInuse),
		mib(sumInuse)/float64(n), mib(sumLive)/float64(n))
}
