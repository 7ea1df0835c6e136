package policies

import "time"

// crew runs functions in goroutines that are used again: an evaluation goes deep, and a new goroutine would have to copy its stack over and
// over until there is room enough.
type crew struct{ jobs chan func() }

// crewIdle is how long a goroutine waits for something to do before it ends.
const crewIdle = 10 * time.Second

func newCrew() *crew { return &crew{jobs: make(chan func())} }

// do runs f in another goroutine. It never waits. f must not panic.
func (c *crew) do(f func()) {
	select {
	case c.jobs <- f: // somebody is waiting for it
	default:
		go c.work(f)
	}
}

func (c *crew) work(f func()) {
	idle := time.NewTimer(crewIdle)
	defer idle.Stop()
	for {
		f()
		idle.Reset(crewIdle)
		select {
		case f = <-c.jobs:
		case <-idle.C:
			return
		}
	}
}
