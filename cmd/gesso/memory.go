package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// headroom is how much the heap may grow between two collections. A collection costs as much as what is alive, whatever has been
	// allocated: where little is alive it pays to wait for longer than until the heap has doubled.
	headroom = 32 << 20
	// leastPercent and mostPercent are the bounds of what headroom may mean.
	leastPercent, mostPercent = 50, 400
	// startPercent is for the start, which allocates much and keeps little.
	startPercent = 200
	// tuneEvery is how often the garbage collector is tuned to what is alive: an inventory grows.
	tuneEvery = 10 * time.Second
)

// collector tunes the garbage collector, unless GOGC does.
type collector struct{ percent int }

func newCollector() *collector {
	c := &collector{}
	if os.Getenv("GOGC") == "" {
		c.set(startPercent)
	}
	return c
}

func (c *collector) set(percent int) {
	c.percent = percent
	debug.SetGCPercent(percent)
}

// run gives back what the start has left behind, and tunes until ctx is done.
func (c *collector) run(ctx context.Context) {
	if c.percent == 0 {
		return
	}
	debug.FreeOSMemory()
	ticker := time.NewTicker(tuneEvery)
	defer ticker.Stop()
	for {
		if percent := percentFor(alive()); percent < c.percent*9/10 || percent > c.percent*11/10 {
			c.set(percent)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// percentFor is how much the heap may grow, in percent of what is alive, in bytes.
func percentFor(alive uint64) int {
	return int(min(max(headroom*100/max(alive, 1), leastPercent), mostPercent))
}

// alive is how many bytes the last collection has left.
func alive() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
