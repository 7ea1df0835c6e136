// Package cluster is everything that watches: the metadata of Namespaces, the webhook configurations, and the other objects that
// policies read. What it holds is answered from memory; nothing in it calls the API server while a review waits.
package cluster

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	"github.com/gesso-dev/gesso/internal/convention"
)

// MaxWait is how long [Namespaces.Namespace] waits for a Namespace that has not been seen. One that was created by the same
// apply as the object under review arrives within milliseconds.
const MaxWait = 250 * time.Millisecond

// Namespaces is a cache of the metadata of all Namespaces. Make it with [NewNamespaces] and run [Namespaces.Start]. All
// methods are safe for concurrent use.
type Namespaces struct {
	informer cache.SharedIndexInformer
	handler  cache.ResourceEventHandlerRegistration
	// known holds what reviews read, name → *convention.Namespace. Reading it takes no lock, so that a burst of events
	// cannot hold up a review. Values are never written to after they are stored.
	known sync.Map

	mu      sync.Mutex // held for map accesses only, by those who wait and by the event handler
	waiting map[string]*waiters
}

// waiters are the reviews that wait for one name.
type waiters struct {
	seen  chan struct{} // closed when the Namespace is known: wakes all at once
	count int
}

// NewNamespaces makes a cache that reads through client. log gets the errors of the watch, which is retried for ever.
func NewNamespaces(client metadata.Interface, log logr.Logger) (*Namespaces, error) {
	n := &Namespaces{
		informer: metadatainformer.NewFilteredMetadataInformer(client, corev1.SchemeGroupVersion.WithResource("namespaces"),
			metav1.NamespaceAll, 0, cache.Indexers{}, nil).Informer(),
		waiting: map[string]*waiters{},
	}
	if err := n.informer.SetTransform(strip); err != nil {
		return nil, fmt.Errorf("set up namespace cache: %w", err)
	}
	err := n.informer.SetWatchErrorHandlerWithContext(func(_ context.Context, _ *cache.Reflector, err error) {
		log.Error(err, "watching namespaces failed, trying again")
	})
	if err != nil {
		return nil, fmt.Errorf("set up namespace cache: %w", err)
	}
	n.handler, err = n.informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    n.store,
		UpdateFunc: func(_, obj any) { n.store(obj) },
		DeleteFunc: n.forget,
	})
	if err != nil {
		return nil, fmt.Errorf("set up namespace cache: %w", err)
	}
	return n, nil
}

// Start watches until ctx is done, which is not an error. It must be called once.
func (n *Namespaces) Start(ctx context.Context) error {
	n.informer.RunWithContext(ctx)
	return nil
}

// Synced reports whether every Namespace that existed at the start is known.
func (n *Namespaces) Synced() bool { return n.handler.HasSynced() }

// Namespace returns the metadata of a Namespace, which is shared and must not be modified: at once when it is known, else as
// soon as it is seen. When ctx or [MaxWait] is over first, the error says that it has not been seen. The API server is
// never asked.
func (n *Namespaces) Namespace(ctx context.Context, name string) (*convention.Namespace, error) {
	if ns, ok := n.load(name); ok {
		return ns, nil
	}
	ctx, cancel := context.WithTimeout(ctx, MaxWait)
	defer cancel()
	for {
		seen := n.join(name)
		// Look again only now: what was stored before joining woke nobody.
		ns, ok := n.load(name)
		if !ok {
			select {
			case <-seen:
				ns, ok = n.load(name) // may be gone again
			case <-ctx.Done():
			}
		}
		n.leave(name, seen)
		if ok {
			return ns, nil
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("namespace %q: not seen yet", name)
		}
	}
}

func (n *Namespaces) load(name string) (*convention.Namespace, bool) {
	v, ok := n.known.Load(name)
	if !ok {
		return nil, false
	}
	ns, ok := v.(*convention.Namespace)
	return ns, ok
}

// join returns the channel that is closed when name is seen.
func (n *Namespaces) join(name string) <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.waiting[name]
	if w == nil {
		w = &waiters{seen: make(chan struct{})}
		n.waiting[name] = w
	}
	w.count++
	return w.seen
}

// leave undoes join, so that names that never come leave nothing behind.
func (n *Namespaces) leave(name string, seen <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	w := n.waiting[name]
	if w == nil || w.seen != seen { // woken: wake has removed it, and others may have joined anew
		return
	}
	if w.count--; w.count == 0 {
		delete(n.waiting, name)
	}
}

// wake lets go everybody who waits for name.
func (n *Namespaces) wake(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if w := n.waiting[name]; w != nil {
		close(w.seen)
		delete(n.waiting, name)
	}
}

// store is called by the informer, for one event at a time.
func (n *Namespaces) store(obj any) {
	m, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok {
		return
	}
	n.known.Store(m.Name, &convention.Namespace{Name: m.Name, Labels: m.Labels, Annotations: m.Annotations})
	n.wake(m.Name)
}

// forget is called by the informer.
func (n *Namespaces) forget(obj any) {
	if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok { // deleted while the watch was broken
		n.known.Delete(gone.Key)
		return
	}
	if m, ok := obj.(*metav1.PartialObjectMetadata); ok {
		n.known.Delete(m.Name)
	}
}

// strip drops what nobody reads before it is kept: these two are most of the bytes of a Namespace.
func strip(obj any) (any, error) {
	if m, ok := obj.(*metav1.PartialObjectMetadata); ok {
		m.ManagedFields = nil
		delete(m.Annotations, corev1.LastAppliedConfigAnnotation)
	}
	return obj, nil
}
