package policies

import (
	"runtime"
	"runtime/metrics"
	"sync/atomic"
)

// guard stops one evaluation: when its time is up, and when it holds more memory than an evaluation may. The evaluator asks at every
// step, by Cancelled; the built-in functions between two steps are bounded (bounds.go).
//
// No verdict depends on memory but "took too much memory".
type guard struct {
	stopped atomic.Bool
	full    atomic.Bool

	// The rest belongs to the goroutine that evaluates.
	steps    int
	produced int64  // by bounded functions, when memory was last looked at
	base     uint64 // live memory of the process when it was first looked at
	live     uint64 // after the last collection that the guard asked for
}

const (
	// guardSteps is how many steps pass between two looks at memory: they take well under a millisecond, and hardly a policy of the
	// library gets so far.
	guardSteps = 1024
	// guardBytes is how much the bounded functions of all evaluations together may give before each looks again.
	guardBytes = 2 << 20
	// guardLimit is how much the memory of the process may grow, or half of what it was where that is more, until the evaluations that
	// go on for long are stopped. Who of several that run at once is to blame is not known; the long ones are.
	guardLimit = 32 << 20
)

// produced counts the bytes that the bounded functions have given, in the whole process. It only makes guards look at memory earlier.
// They cannot be told apart, because most functions are called without the context of their evaluation.
var produced atomic.Int64 //nolint:gochecknoglobals // a hint and no state, see above

// Cancel implements topdown.Cancel.
func (g *guard) Cancel() { g.stopped.Store(true) }

// Cancelled implements topdown.Cancel.
func (g *guard) Cancelled() bool {
	if g.stopped.Load() {
		return true
	}
	g.steps++
	if g.steps%guardSteps != 0 && produced.Load()-g.produced < guardBytes {
		return false
	}
	g.produced = produced.Load()
	if !g.tooMuch() {
		return false
	}
	g.full.Store(true)
	g.stopped.Store(true)
	return true
}

// tooMuch looks at the memory of the process. What is in use includes what nobody uses any more; before an evaluation is stopped for it,
// that is collected.
func (g *guard) tooMuch() bool {
	inUse, live := memory()
	if g.base == 0 {
		g.base, g.live = live, live
	}
	limit := max(guardLimit, g.base/2)
	if inUse < g.live+limit {
		return false
	}
	runtime.GC()
	_, g.live = memory()
	return g.live > g.base+limit
}

// memory returns the bytes of objects on the heap, and of those that were alive at the last collection.
func memory() (inUse, live uint64) {
	samples := [2]metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(samples[:])
	return samples[0].Value.Uint64(), samples[1].Value.Uint64()
}
