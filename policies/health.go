package policies

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// patience is how often in a row a policy may run out of time before it is set aside.
	patience = 3
	// asideFor is how long it is set aside; then one review tries it again.
	asideFor = 30 * time.Second
	// blame is the least time that a policy must have had to be blamed for not coming to an end. Where a review has less left, it is
	// the review that was late: a policy of the library takes well under a millisecond.
	blame = 100 * time.Millisecond
)

// health remembers whether a policy comes to an end, so that one that does not costs the others their time a few times only. It is the
// only thing that one review leaves for the next. No verdict depends on it but "set aside", and that is only ever said of a policy that
// could not decide.
type health struct {
	// ill is true from the first failure, of whatever sort, until the next verdict. Most are never, and cost no lock.
	ill atomic.Bool

	mu       sync.Mutex
	timeouts int       // in a row
	until    time.Time // set aside until then
	lost     int       // evaluations that did not stop when they were told to
}

// aside returns why the policy is not to be asked now, or "".
func (h *health) aside(now time.Time) string {
	if !h.ill.Load() {
		return ""
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.lost > 0:
		return reasonAside + ": an evaluation that ran out of time has not ended yet"
	case h.timeouts >= patience && now.Before(h.until):
		return fmt.Sprintf("%s for %s: it ran out of time or memory %d times in a row", reasonAside, asideFor, patience)
	case h.timeouts >= patience:
		h.until = now.Add(asideFor) // this review tries it; the others wait for what comes of it
	}
	return ""
}

// ended notes how an evaluation ended.
func (h *health) ended(now time.Time, inTime bool) {
	if inTime && !h.ill.Load() {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if inTime {
		h.timeouts = 0
		h.ill.Store(h.lost > 0)
		return
	}
	h.ill.Store(true)
	h.timeouts++
	h.until = now.Add(asideFor)
}

// lose and found note that an evaluation has been given up although it still runs, and that it has ended after all.
func (h *health) lose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ill.Store(true)
	h.lost++
}

func (h *health) found() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lost--
}

// erred notes that the policy could not decide, for another reason than time or memory.
func (h *health) erred() { h.ill.Store(true) }
