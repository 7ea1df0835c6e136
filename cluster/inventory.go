package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/gesso-dev/gesso/policies"
)

// Inventory fills a [policies.Inventory] from the cluster: it watches the kinds that the policies in force read, and no others.
// Make it with [NewInventory], tell it by [Inventory.Use] what is read, and end it by [Inventory.Stop]. All methods are safe for
// concurrent use.
type Inventory struct {
	client  dynamic.Interface
	log     logr.Logger
	backoff wait.Backoff

	ctx  context.Context // of all watches; ends with Stop
	stop context.CancelFunc

	mu     sync.Mutex
	filled *policies.Inventory // of the last Use
	kinds  map[string]*kindWatch
}

// NewInventory makes an inventory that reads through client. log gets what keeps it from reading, once for each reason.
func NewInventory(client dynamic.Interface, log logr.Logger) *Inventory {
	ctx, stop := context.WithCancel(context.Background())
	return &Inventory{
		client: client, log: log, ctx: ctx, stop: stop, kinds: map[string]*kindWatch{},
		// From a second up to half a minute: a kind whose CRD arrives later is found soon after it.
		backoff: wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.1, Steps: 1000, Cap: 30 * time.Second},
	}
}

// Use returns the inventory for the policies of a set. Kinds that are read as before go on being watched, and what is known of
// them is known at once; kinds that no policy of the set reads are watched no longer. What the inventory of an earlier set
// holds stays readable, for the reviews that still use it.
func (i *Inventory) Use(set *policies.Set) *policies.Inventory {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.filled = policies.NewInventory(set, i.filled)
	if i.ctx.Err() != nil {
		return i.filled
	}
	needed := map[string]policies.InventoryKind{}
	for _, kind := range set.InventoryKinds() {
		needed[reads(set, kind)] = kind
	}
	for id, w := range i.kinds {
		if _, still := needed[id]; still {
			w.into.Store(i.filled)
			continue
		}
		// What is read of it has changed, or nothing is. Ended before another watch of the kind begins, so that two of
		// them never write the same objects.
		w.end()
		delete(i.kinds, id)
	}
	for id, kind := range needed {
		if i.kinds[id] == nil {
			i.kinds[id] = i.watch(kind)
		}
	}
	return i.filled
}

// reads names a kind and all that the policies of the set read of it.
func reads(set *policies.Set, kind policies.InventoryKind) string {
	parts := map[string]bool{}
	for _, p := range set.Policies() {
		for _, k := range p.Inventory {
			if p.Enabled() && k.Group == kind.Group && k.Kind == kind.Kind {
				parts[strings.Join(append([]string{k.By}, slices.Sorted(slices.Values(k.Fields))...), "\n")] = true
			}
		}
	}
	header := strings.Join([]string{kind.Group, kind.Version, kind.Kind, kind.Resource}, "/")
	return strings.Join(append([]string{header}, slices.Sorted(maps.Keys(parts))...), "\n\n")
}

// Settle waits until every kind has been read or could not be, or ctx is done.
func (i *Inventory) Settle(ctx context.Context) {
	for _, w := range i.watches() {
		select {
		case <-w.settled:
		case <-ctx.Done():
			return
		}
	}
}

// Missing lists the kinds that have not been read yet, in words.
func (i *Inventory) Missing() []string {
	var all []string
	for _, w := range i.watches() {
		if s := w.status(); !s.synced {
			all = append(all, w.name())
		}
	}
	return all
}

// Notes say, a line for each kind that is not as it should be, what the person on call should know.
func (i *Inventory) Notes() []string {
	var all []string
	for _, w := range i.watches() {
		switch s := w.status(); {
		case s.problem != "":
			all = append(all, fmt.Sprintf("inventory of %s: %s", w.name(), s.problem))
		case !s.synced:
			all = append(all, fmt.Sprintf("inventory of %s: not read yet; policies that read it cannot decide", w.name()))
		}
	}
	return all
}

// watches returns the watches, sorted by name.
func (i *Inventory) watches() []*kindWatch {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.SortedFunc(maps.Values(i.kinds), func(a, b *kindWatch) int { return strings.Compare(a.name(), b.name()) })
}

// Stop ends all watches and waits for them.
func (i *Inventory) Stop() {
	i.stop()
	for _, w := range i.watches() {
		w.end()
	}
}
