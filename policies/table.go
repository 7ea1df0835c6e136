package policies

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/ast"
)

// table holds the objects of one declaration. What it keeps beside the Rego values themselves is as little as can be: those of one object
// are a hundred bytes.
type table struct {
	declaration
	shape  *shape
	shared sharing

	mu      sync.Mutex
	synced  bool
	objects map[string]*stored
	buckets map[string]*bucket
	changed []*bucket // those whose content is to be built
	// items are the buckets that have a content, as members of the object that policies see, and owners whose they are.
	items   [][2]*ast.Term
	owners  []*bucket
	version int // of the above
	rebuilt int // buckets that were built so far; for a test

	state atomic.Pointer[tableState] // nil when it must be built anew
}

// tableState is what a table holds at one moment: byKey is an object of keys, each an object of ids.
type tableState struct {
	synced bool
	byKey  *ast.Term
}

// stored is one object as a table keeps it.
type stored struct {
	id      *ast.Term // a text
	buckets []*bucket
	object  *ast.Term
}

// bucket holds the objects with one key.
type bucket struct {
	key     *ast.Term // a text
	members []*stored
	at      int  // where its content is in items, or nowhere
	changed bool // and therefore in the list of those
}

// projection is what read keeps of an object: not yet in the table.
type projection struct {
	id     string
	keys   []string
	object *ast.Term
}

func newTable(d declaration) *table {
	return &table{declaration: d, shape: newShape(d.fields), objects: map[string]*stored{}, buckets: map[string]*bucket{}}
}

var errNoName = errors.New("has no metadata.name")

func objectID(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// read projects an object. Errors hold its name and nothing else of it.
func (t *table) read(object map[string]any) (projection, error) {
	meta, _ := object["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	namespace, _ := meta["namespace"].(string)
	if name == "" {
		return projection{}, fmt.Errorf("an object of %s %w", groupKind{t.Group, t.Kind}, errNoName)
	}
	p := projection{id: objectID(namespace, name), keys: t.by.values(object)}
	if len(p.keys) == 0 {
		p.keys = []string{""}
	}
	var err error
	if p.object, err = t.shape.project(object, &t.shared); err != nil {
		return projection{}, fmt.Errorf("%s %s holds a value that is not JSON", groupKind{t.Group, t.Kind}, p.id)
	}
	return p, nil
}

func (t *table) put(p projection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.putLocked(p)
}

func (t *table) putLocked(p projection) {
	s, found := t.objects[p.id]
	if found && s.under(p.keys) {
		if s.object.Equal(p.object) {
			return // a change of a field that nobody reads, such as a status
		}
		s.object = p.object
		for _, b := range s.buckets {
			t.touchBucket(b)
		}
		t.touchLocked()
		return
	}
	if found {
		t.removeLocked(s)
	}
	s = &stored{id: ast.StringTerm(p.id), object: p.object, buckets: make([]*bucket, 0, len(p.keys))}
	t.objects[p.id] = s
	for _, key := range p.keys {
		b := t.buckets[key]
		if b == nil {
			b = &bucket{key: ast.StringTerm(key), at: nowhere}
			t.buckets[key] = b
		}
		b.members, s.buckets = append(b.members, s), append(s.buckets, b)
		t.touchBucket(b)
	}
	t.touchLocked()
}

// under reports whether the keys of an object are these.
func (s *stored) under(keys []string) bool {
	return slices.EqualFunc(s.buckets, keys, func(b *bucket, key string) bool {
		content, _ := text(b.key)
		return content == key
	})
}

func (t *table) removeLocked(s *stored) {
	id, _ := text(s.id)
	delete(t.objects, id)
	for _, b := range s.buckets {
		last := len(b.members) - 1
		b.members[slices.Index(b.members, s)] = b.members[last]
		b.members[last] = nil
		b.members = b.members[:last]
		t.touchBucket(b)
	}
	t.touchLocked()
}

func (t *table) touchBucket(b *bucket) {
	if !b.changed {
		b.changed = true
		t.changed = append(t.changed, b)
	}
}

func (t *table) replace(list []projection) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keep := make(map[string]bool, len(list))
	for _, p := range list {
		keep[p.id] = true
		t.putLocked(p)
	}
	for id, s := range t.objects {
		if !keep[id] {
			t.removeLocked(s)
		}
	}
	if !t.synced {
		t.synced = true
		t.touchLocked()
	}
}

func (t *table) delete(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s, found := t.objects[id]; found {
		t.removeLocked(s)
	}
}

func (t *table) markSynced() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.synced {
		t.synced = true
		t.touchLocked()
	}
}

// touchLocked makes the next reader build a new state. One that says that nothing is known stays until that changes.
func (t *table) touchLocked() {
	t.version++
	if state := t.state.Load(); state != nil && (state.synced || t.synced) {
		t.state.Store(nil)
	}
}

// current returns the state, and builds it first where something has changed. Only the keys that changed become Rego values anew; the
// object above them holds pointers. That object is put together outside the lock, so that writers do not wait for readers: of ten
// thousand keys it takes a few milliseconds.
func (t *table) current() *tableState {
	if state := t.state.Load(); state != nil {
		return state
	}
	t.mu.Lock()
	if !t.synced { // nobody may see what there is so far
		defer t.mu.Unlock()
		state := &tableState{}
		t.state.Store(state)
		return state
	}
	for _, b := range t.changed {
		t.build(b)
	}
	t.rebuilt += len(t.changed)
	t.changed = nil
	version, items := t.version, slices.Clone(t.items)
	t.mu.Unlock()
	state := &tableState{synced: true, byKey: ast.ObjectTerm(items...)}
	t.mu.Lock()
	defer t.mu.Unlock()
	if newer := t.state.Load(); newer != nil { // somebody else was faster
		return newer
	}
	if t.version == version {
		t.state.Store(state)
	}
	return state
}

// build makes the content of a bucket, and drops a bucket that is empty.
func (t *table) build(b *bucket) {
	b.changed = false
	if len(b.members) == 0 {
		key, _ := text(b.key)
		delete(t.buckets, key)
		t.drop(b)
		return
	}
	if b.at == nowhere {
		b.at = len(t.items)
		t.items, t.owners = append(t.items, ast.Item(b.key, nil)), append(t.owners, b)
	}
	members := make([][2]*ast.Term, 0, len(b.members))
	for _, s := range b.members {
		members = append(members, ast.Item(s.id, s.object))
	}
	t.items[b.at][1] = ast.ObjectTerm(members...)
}

// drop takes the content of a bucket out of items; the last one takes its place.
func (t *table) drop(b *bucket) {
	if b.at == nowhere {
		return
	}
	last := len(t.items) - 1
	t.items[b.at], t.owners[b.at] = t.items[last], t.owners[last]
	t.owners[b.at].at = b.at
	t.items[last], t.owners[last] = [2]*ast.Term{}, nil
	t.items, t.owners = t.items[:last], t.owners[:last]
}
