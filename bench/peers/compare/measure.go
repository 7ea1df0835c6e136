package compare

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	admissionv1 "k8s.io/api/admission/v1"
)

// Options are how the engines are measured.
type Options struct {
	// Rounds is how many turns each engine has in each case, and Turn the CPU time of one.
	Rounds int
	Turn   time.Duration
	// GOGC is the target of the collector: 100 is Go's own, and more is like a process that has more to keep than these have.
	GOGC int
}

// Yardstick is what is measured in every process: the AdmissionReview, decoded by encoding/json.
func Yardstick() Peer {
	return Peer{Name: "encoding/json", Load: func(context.Context, Case) (Engine, error) { return yardstick{}, nil }}
}

type yardstick struct{}

func (yardstick) Prepare(review []byte) (Judgement, error) { return decoding(review), nil }

type decoding []byte

func (d decoding) Run() error {
	return json.NewDecoder(bytes.NewReader(d)).Decode(&admissionv1.AdmissionReview{})
}

func (decoding) Refusing() ([]string, error) { return nil, nil }

// Measure checks and measures all peers in all cases, Gesso and the yardstick beside them.
func Measure(ctx context.Context, o Options, peers []Peer) (*Process, error) {
	defer debug.SetGCPercent(debug.SetGCPercent(o.GOGC))
	peers = append([]Peer{Gesso()}, peers...)
	p := &Process{Versions: versions()}
	for i, c := range Cases() {
		all := peers
		if i == 0 {
			all = append(slices.Clip(peers), Yardstick())
		}
		rows, err := measureCase(ctx, o, c, all)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			p.Yardstick = rows[len(rows)-1].Microseconds
			rows = rows[:len(rows)-1]
		}
		p.Cases = append(p.Cases, Measured{Name: c.Name, Rows: rows})
	}
	return p, nil
}

// contender is a peer with its good Pod, and its turns.
type contender struct {
	peer  Peer
	judge Judgement
	turns []turn
}

func measureCase(ctx context.Context, o Options, c Case, peers []Peer) ([]Row, error) {
	good, err := Good()
	if err != nil {
		return nil, err
	}
	var all []*contender
	for _, p := range peers {
		engine, err := p.Load(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", p.Name, c.Name, err)
		}
		if _, ok := engine.(yardstick); !ok {
			if err := Check(p, c, engine); err != nil {
				return nil, err
			}
		}
		judge, err := engine.Prepare(good)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", p.Name, c.Name, err)
		}
		all = append(all, &contender{peer: p, judge: judge})
	}
	for round := range o.Rounds + 1 {
		for _, c := range all {
			t, err := take(ctx, c.judge, o.Turn)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.peer.Name, err)
			}
			if round > 0 { // the first is to get warm
				c.turns = append(c.turns, t)
			}
		}
	}
	var rows []Row
	for _, c := range all {
		rows = append(rows, rowOf(c))
	}
	return rows, nil
}

// turn is what one engine took in one round.
type turn struct {
	runs          int
	cpu           time.Duration
	allocs, bytes uint64
}

func take(ctx context.Context, j Judgement, budget time.Duration) (turn, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began, err := used()
	if err != nil {
		return turn{}, err
	}
	t := turn{}
	for batch := 1; t.cpu < budget; {
		if err := ctx.Err(); err != nil {
			return turn{}, err
		}
		for range batch {
			if err := j.Run(); err != nil {
				return turn{}, err
			}
		}
		t.runs += batch
		now, err := used()
		if err != nil {
			return turn{}, err
		}
		if t.cpu = now - began; t.cpu < budget/20 { // looking at the clock must not be what is measured
			batch *= 2
		}
	}
	runtime.ReadMemStats(&after)
	runtime.GC()
	now, err := used()
	t.cpu = now - began
	t.allocs, t.bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	return t, err
}

// used is the CPU time of this process so far, in all its threads, for itself and in the kernel.
func used() (time.Duration, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0, err
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano()), nil
}

func rowOf(c *contender) Row {
	r := Row{Peer: c.peer.Name}
	var allocs, bytes []float64
	for _, t := range c.turns {
		runs := float64(t.runs)
		r.Turns = append(r.Turns, float64(t.cpu.Nanoseconds())/1000/runs)
		allocs, bytes = append(allocs, float64(t.allocs)/runs), append(bytes, float64(t.bytes)/runs)
	}
	r.Microseconds, r.Allocs, r.Bytes = median(r.Turns), median(allocs), median(bytes)
	return r
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
