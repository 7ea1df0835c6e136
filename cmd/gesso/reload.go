package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/policies"
	"github.com/gesso-dev/gesso/webhook"
)

// current is what reviews are answered by, swapped whole. A review takes what is in force when it begins, and keeps it.
type current struct{ pointer atomic.Pointer[inForce] }

// inForce is an engine, and what its policies know of other objects. It is never written to.
type inForce struct {
	*loaded
	inventory *policies.Inventory
}

// Answer answers by what is in force.
func (c *current) Answer(ctx context.Context, r *admission.Request, result *admission.Result) {
	now := c.pointer.Load()
	r.Inventory = now.inventory.Snapshot()
	now.Answer(ctx, r, result)
}

// inventories is where policies get other objects from; *cluster.Inventory is one.
type inventories interface {
	// Use returns the inventory of a set, and reads from now on what it needs and nothing else.
	Use(set *policies.Set) *policies.Inventory
	// Settle waits until everything has been read or could not be, or ctx is done.
	Settle(ctx context.Context)
}

// inventoryPatience is how long a reload waits for what new policies read. A policy that may refuse and does not know yet what
// there is would refuse everything.
const inventoryPatience = 3 * time.Second

// reloader keeps in force what the files say. Where they cannot be used, what was loaded last stays.
type reloader struct {
	flags        *engineFlags
	ownNamespace string
	inventories  inventories
	metrics      *webhook.Metrics
	log          logr.Logger
	current      current
	rejected     atomic.Pointer[rejection]
	own          atomic.Pointer[own]
	telling      sync.Mutex     // held by whoever tells of own
	judging      sync.WaitGroup // of those who judge it
}

// rejection is why the files are not in force.
type rejection struct {
	reason string
	since  time.Time
}

// trees are the files that decide.
func (r *reloader) trees() []tree {
	var all []tree
	for _, dir := range r.flags.policies {
		all = append(all, policyTree(dir))
	}
	for _, file := range []string{r.flags.profile, r.flags.exceptions} {
		if file != "" {
			all = append(all, tree{path: file})
		}
	}
	return all
}

// start loads for the first time. The error lists what is wrong with anything but the policies.
func (r *reloader) start(ctx context.Context) error {
	flags := *r.flags
	flags.options = append(slices.Clip(flags.options), policies.AnalyseLater()) // Ready comes first
	first, err := flags.load(ctx, r.ownNamespace, nil)
	if err != nil {
		return err
	}
	r.swap(first)
	if len(first.problems) > 0 {
		r.log.Info("policies are left out or not as they are written", "revision", first.Revision(), "problems", first.lines())
	}
	return nil
}

// reload loads again, and swaps if all goes well. It is called by one goroutine.
func (r *reloader) reload(ctx context.Context) {
	began := time.Now()
	old := r.current.pointer.Load()
	next, err := r.flags.load(ctx, r.ownNamespace, old.set)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		r.rejected.Store(&rejection{err.Error(), cmp.Or(r.rejectedSince(), began)})
		r.metrics.SetRejected()
		r.log.Error(err, "reload: the files cannot be used; what was loaded before stays in force", "revision", old.Revision())
		return
	}
	r.rejected.Store(nil)
	if next.Revision() == old.Revision() && slices.Equal(next.lines(), old.lines()) {
		r.metrics.SetAccepted()
		return // a comment in the Profile, or a file that went and came back
	}
	r.swap(next)
	r.log.Info("reload: in force", "from", old.Revision(), "revision", next.Revision(), "problems", next.lines(), "took", time.Since(began).String())
}

// swap puts an engine in force.
func (r *reloader) swap(next *loaded) {
	inventory := r.inventories.Use(next.set)
	if r.current.pointer.Load() != nil {
		ctx, cancel := context.WithTimeout(context.Background(), inventoryPatience)
		r.inventories.Settle(ctx)
		cancel()
	}
	now := &inForce{next, inventory}
	r.current.pointer.Store(now)
	l := webhook.Loaded{Revision: next.Revision(), Quarantined: next.quarantined()}
	for _, p := range next.Policies() {
		l.Policies = append(l.Policies, p.ID)
	}
	r.metrics.SetLoaded(l)
	r.judging.Go(func() {
		next.set.Analyse()
		r.judgeOwn(now)
	})
}

func (r *reloader) rejectedSince() (since time.Time) {
	if rejected := r.rejected.Load(); rejected != nil {
		since = rejected.since
	}
	return since
}
