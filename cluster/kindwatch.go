package cluster

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/cache"

	"github.com/gesso-dev/gesso/policies"
)

// pageSize is how many objects are read at once. Only what policies read of a page is kept when the next one comes, so that this
// bounds the memory that reading ten thousand large objects takes.
const pageSize = 250

// kindWatch keeps the objects of one kind in a [policies.Inventory]. It has no store of its own but the names: what is kept of
// an object, the inventory keeps.
type kindWatch struct {
	kind     policies.InventoryKind
	resource dynamic.ResourceInterface
	log      logr.Logger
	into     atomic.Pointer[policies.Inventory]

	mu      sync.Mutex
	ids     map[cache.ObjectName]bool // what is in the inventory
	stopped bool                      // a list may outlive the watch, but it must not write then

	state   atomic.Pointer[kindStatus]
	settled chan struct{} // closed when it has been read, or could not be, for the first time
	stop    context.CancelFunc
	ended   chan struct{}
}

// kindStatus is how a watch is.
type kindStatus struct {
	synced  bool
	problem string // why it cannot be read, or why there is nothing; empty when all is well
}

// watch begins to watch a kind.
func (i *Inventory) watch(kind policies.InventoryKind) *kindWatch {
	ctx, stop := context.WithCancel(i.ctx)
	gvr := schema.GroupVersionResource{Group: kind.Group, Version: kind.Version, Resource: kind.Resource}
	w := &kindWatch{
		kind: kind, resource: i.client.Resource(gvr), ids: map[cache.ObjectName]bool{},
		settled: make(chan struct{}), stop: stop, ended: make(chan struct{}),
	}
	w.log = i.log.WithValues("kind", w.name(), "version", kind.Version)
	w.into.Store(i.filled)
	w.state.Store(&kindStatus{})
	go w.run(ctx, i.backoff)
	return w
}

// end stops the watch and waits until it writes nothing any more.
func (w *kindWatch) end() {
	w.stop()
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	<-w.ended
}

// name is how people call the kind: Kind.group.
func (w *kindWatch) name() string {
	return strings.TrimSuffix(w.kind.Kind+"."+w.kind.Group, ".")
}

func (w *kindWatch) status() kindStatus { return *w.state.Load() }

// run lists and watches again and again until ctx is done.
func (w *kindWatch) run(ctx context.Context, backoff wait.Backoff) {
	defer close(w.ended)
	logger := w.log.V(1)
	reflector := cache.NewReflectorWithOptions(lister{w}, &unstructured.Unstructured{}, w, cache.ReflectorOptions{
		Name: w.name(), TypeDescription: w.name(), Logger: &logger,
	})
	reflector.WatchListPageSize = pageSize
	delays := backoff
	for ctx.Err() == nil {
		err := reflector.ListAndWatchWithContext(ctx)
		if ctx.Err() != nil {
			return
		}
		if err == nil { // a watch that has come to its end
			delays = backoff
		} else {
			w.failed(err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(delays.Step()):
		}
	}
}

// failed notes why the kind could not be read. A kind that the cluster does not serve has no objects: that is an answer. It is
// asked for again, because its CRD may come.
func (w *kindWatch) failed(err error) {
	s := w.status()
	switch {
	case apierrors.IsNotFound(err), meta.IsNoMatchError(err):
		w.keepOnly(nil)
		s = kindStatus{true, fmt.Sprintf("the cluster does not serve %s in version %s, so there is none", w.name(), w.kind.Version)}
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		s.problem = fmt.Sprintf("Gesso may not list and watch %s", w.name())
	default:
		s.problem = "cannot be read: " + err.Error()
	}
	if !s.synced {
		s.problem += "; policies that read it cannot decide"
	} else if !apierrors.IsNotFound(err) && !meta.IsNoMatchError(err) {
		s.problem += "; policies that read it decide by what was known before"
	}
	w.set(s)
}

// set takes a status, and logs a problem that is new.
func (w *kindWatch) set(s kindStatus) {
	old := w.state.Swap(&s)
	switch {
	case s.problem == old.problem:
	case s.problem != "":
		w.log.Info("inventory: " + s.problem)
	default:
		w.log.Info("inventory: read")
	}
	select {
	case <-w.settled:
	default:
		close(w.settled)
	}
}

// lister lists and watches the kind. It has no watch-list semantics on purpose: by those the objects would all be held whole
// until the last one has come.
type lister struct{ *kindWatch }

// IsWatchListSemanticsUnSupported is asked for by the reflector.
func (l lister) IsWatchListSemanticsUnSupported() bool { return true }

// List is part of the interface and never called.
func (l lister) List(options metav1.ListOptions) (runtime.Object, error) {
	return l.ListWithContext(context.Background(), options)
}

// ListWithContext lists one page, puts its objects into the inventory, and returns nothing of them but their names.
func (l lister) ListWithContext(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	if options.ResourceVersion == "0" { // "any version" is answered from a cache that knows no pages
		options.ResourceVersion = ""
	}
	page, err := l.resource.List(ctx, options)
	if err != nil {
		return nil, err
	}
	for i := range page.Items {
		o := &page.Items[i]
		if err := l.put(o); err != nil {
			return nil, err
		}
		stub := map[string]any{}
		for _, field := range [][]string{{"apiVersion"}, {"kind"}, {"metadata", "name"}, {"metadata", "namespace"}} {
			if s, found, _ := unstructured.NestedString(o.Object, field...); found {
				_ = unstructured.SetNestedField(stub, s, field...) // of an empty map this cannot fail
			}
		}
		o.Object = stub
	}
	return page, nil
}

// Watch is part of the interface and never called.
func (l lister) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return l.WatchWithContext(context.Background(), options)
}

// WatchWithContext watches.
func (l lister) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return l.resource.Watch(ctx, options)
}

// put puts an object into the inventory.
func (w *kindWatch) put(o *unstructured.Unstructured) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return context.Canceled
	}
	if err := w.into.Load().PutDecoded(w.kind.Group, w.kind.Kind, o.Object); err != nil {
		return fmt.Errorf("take %s into the inventory: %w", w.name(), err)
	}
	w.ids[cache.MetaObjectToName(o)] = true
	return nil
}

// drop takes an object out of the inventory.
func (w *kindWatch) drop(id cache.ObjectName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	w.into.Load().Delete(w.kind.Group, w.kind.Kind, id.Namespace, id.Name)
	delete(w.ids, id)
}

// keepOnly drops what is not in keep: then the inventory is complete.
func (w *kindWatch) keepOnly(keep map[cache.ObjectName]bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stopped {
		return
	}
	for id := range w.ids {
		if !keep[id] {
			w.into.Load().Delete(w.kind.Group, w.kind.Kind, id.Namespace, id.Name)
			delete(w.ids, id)
		}
	}
	w.into.Load().MarkSynced(w.kind.Group, w.kind.Kind)
}

// Add is the reflector's word that there is a new object.
func (w *kindWatch) Add(obj any) error { return w.Update(obj) }

// Update is the reflector's word that an object has changed.
func (w *kindWatch) Update(obj any) error {
	o, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return fmt.Errorf("take %s into the inventory: it is a %T", w.name(), obj)
	}
	return w.put(o)
}

// Delete is the reflector's word that an object is gone.
func (w *kindWatch) Delete(obj any) error {
	o, ok := obj.(*unstructured.Unstructured)
	if !ok {
		return fmt.Errorf("take %s out of the inventory: it is a %T", w.name(), obj)
	}
	w.drop(cache.MetaObjectToName(o))
	return nil
}

// Replace is the reflector's word that these objects, which ListWithContext has put in already, are all there are.
func (w *kindWatch) Replace(list []any, _ string) error {
	keep := make(map[cache.ObjectName]bool, len(list))
	for _, obj := range list {
		if o, ok := obj.(*unstructured.Unstructured); ok {
			keep[cache.MetaObjectToName(o)] = true
		}
	}
	w.keepOnly(keep)
	w.set(kindStatus{synced: true})
	return nil
}

// Resync is part of the interface and does nothing.
func (w *kindWatch) Resync() error { return nil }
