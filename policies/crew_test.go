package policies

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestCrew: a goroutine that has nothing to do takes the next function, one that is busy does not, and none stays for ever.
func TestCrew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails where a goroutine is left
		c := newCrew()
		blocked := make(chan struct{})
		order := []string{}
		c.do(func() { <-blocked; order = append(order, "first") })
		synctest.Wait()
		c.do(func() { order = append(order, "second") }) // does not wait for the first
		synctest.Wait()
		close(blocked)
		synctest.Wait()
		select {
		case c.jobs <- func() { order = append(order, "third") }: // somebody waits for work
		default:
			t.Error("nobody takes the next one")
		}
		synctest.Wait()
		if len(order) != 3 || order[0] != "second" || order[1] != "first" {
			t.Errorf("order is %q", order)
		}
		time.Sleep(2 * crewIdle) // injected: the clock of the bubble jumps
	})
}
