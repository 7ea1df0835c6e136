package main

import "testing"

func TestPercentFor(t *testing.T) {
	for alive, want := range map[uint64]int{
		0:         mostPercent,
		8 << 20:   400,
		16 << 20:  200,
		24 << 20:  100,
		32 << 20:  50,
		40 << 20:  leastPercent,
		256 << 20: leastPercent,
	} {
		if got := percentFor(alive); got != want {
			t.Errorf("%d MiB: %d %%, want %d %%", alive>>20, got, want)
		}
	}
}

// TestCollectorLeavesGOGC: who sets GOGC knows better.
func TestCollectorLeavesGOGC(t *testing.T) {
	t.Setenv("GOGC", "100")
	if c := newCollector(); c.percent != 0 {
		t.Errorf("the collector is set to %d %%", c.percent)
	}
}
