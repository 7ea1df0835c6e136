package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// roomyHeap is how large the heap may grow before it is collected. A collection costs as much as what is alive, whatever has been
	// allocated: where little is alive it pays to wait for longer than until the heap has doubled, and where much is alive memory counts.
	roomyHeap = 48 << 20
	// leastPercent and mostPercent bound how much the heap may grow, in percent of what is alive.
	leastPercent, mostPercent = 40, 400
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

// run tunes until ctx is done.
func (c *collector) run(ctx context.Context) {
	if c.percent == 0 {
		return
	}
	c.tune()
	ticker := time.NewTicker(tuneEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if percent := percentFor(alive()); percent < c.percent*9/10 || percent > c.percent*11/10 {
			c.tune() // an inventory has been read, or policies
		}
	}
}

// tune gives back what has been left behind, and sets how much the heap may grow by what is alive then.
func (c *collector) tune() {
	debug.FreeOSMemory() // collects first
	c.set(percentFor(alive()))
}

// percentFor is how much the heap may grow, in percent of what is alive, in bytes.
func percentFor(alive uint64) int {
	room := max(roomyHeap, alive) - alive
	return int(min(max(room*100/max(alive, 1), leastPercent), mostPercent))
}

// alive is how many bytes the last collection has left.
func alive() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
