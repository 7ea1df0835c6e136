package policies

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/ast"
)

// Inventory holds the other objects that the policies of one Set read: of each only the fields that they declare, indexed by the keys
// that they declare. Somebody else fills it, from a cluster or from files; policies see a Snapshot. It is safe for concurrent use.
//
// A kind that has not been marked synced is unknown, which is not the same as empty: its policies cannot decide.
type Inventory struct {
	tables map[string]*table // by the identity of their declaration
	byKind map[groupKind][]*table
	last   atomic.Pointer[Snapshot]
}

type groupKind struct{ group, kind string }

func (k groupKind) String() string {
	if k.group == "" {
		return k.kind
	}
	return k.kind + "." + k.group
}

// setIdentity makes the same identity for two declarations that keep the same of the same objects, whatever they call them.
func (d *declaration) setIdentity() {
	fields := slices.Clone(d.Fields)
	slices.Sort(fields)
	d.identity = strings.Join(slices.Concat([]string{d.Group, d.Kind, d.By}, fields), "\n")
}

// NewInventory returns an inventory of all that the set's policies declare, those that are off aside, with nothing in it. What previous inventories hold of the
// same declarations is shared with them, so that a reload of policies reads again only what it has to.
func NewInventory(set *Set, previous ...*Inventory) *Inventory {
	inv := &Inventory{tables: map[string]*table{}, byKind: map[groupKind][]*table{}}
	for _, p := range set.policies {
		if !p.Enabled() {
			continue
		}
		for _, d := range p.inventory {
			id := d.identity
			if inv.tables[id] != nil {
				continue
			}
			t := newTable(d)
			for _, old := range previous {
				if old != nil && old.tables[id] != nil {
					t = old.tables[id]
				}
			}
			inv.tables[id] = t
			kind := groupKind{d.Group, d.Kind}
			inv.byKind[kind] = append(inv.byKind[kind], t)
		}
	}
	return inv
}

// InventoryKinds lists what must be filled in: each group, version and kind once, sorted, with Name, By and Fields empty. Where policies name
// several versions of a kind, the first in the order of policies counts.
func (s *Set) InventoryKinds() []InventoryKind {
	var list []InventoryKind
	for _, p := range s.policies {
		for _, d := range p.inventory {
			kind := InventoryKind{Group: d.Group, Version: d.Version, Kind: d.Kind, Resource: d.Resource}
			if !p.Enabled() || slices.ContainsFunc(list, func(k InventoryKind) bool { return k.Group == kind.Group && k.Kind == kind.Kind }) {
				continue
			}
			list = append(list, kind)
		}
	}
	slices.SortFunc(list, func(a, b InventoryKind) int {
		return cmp.Or(strings.Compare(a.Group, b.Group), strings.Compare(a.Kind, b.Kind))
	})
	return list
}

// Put adds an object, as JSON, or replaces the one of the same namespace and name. Kinds that no policy declares are left out.
func (inv *Inventory) Put(group, kind string, object []byte) error {
	if len(inv.byKind[groupKind{group, kind}]) == 0 {
		return nil
	}
	decoded, err := decodeObject(object)
	if err != nil {
		return fmt.Errorf("read %s: %w", groupKind{group, kind}, err)
	}
	return inv.PutDecoded(group, kind, decoded)
}

// PutDecoded is Put for an object that is decoded already. It keeps nothing of the map.
func (inv *Inventory) PutDecoded(group, kind string, object map[string]any) error {
	for _, t := range inv.byKind[groupKind{group, kind}] {
		s, err := t.read(object)
		if err != nil {
			return err
		}
		t.put(s)
	}
	return nil
}

// Replace makes the given objects the only ones of their kind and marks it synced. Where one cannot be read
// the kind stays as it was, because half of an inventory would give wrong verdicts.
func (inv *Inventory) Replace(group, kind string, objects []map[string]any) error {
	tables := inv.byKind[groupKind{group, kind}]
	lists := make([][]stored, len(tables))
	for i, t := range tables {
		for _, object := range objects {
			s, err := t.read(object)
			if err != nil {
				return err
			}
			lists[i] = append(lists[i], s)
		}
	}
	for i, t := range tables {
		t.replace(lists[i])
	}
	return nil
}

// Delete removes an object, if it is there. namespace is "" for a kind without namespaces.
func (inv *Inventory) Delete(group, kind, namespace, name string) {
	for _, t := range inv.byKind[groupKind{group, kind}] {
		t.delete(objectID(namespace, name))
	}
}

// MarkSynced says that all objects of the kind are in, or that there is no such kind in the cluster.
func (inv *Inventory) MarkSynced(group, kind string) {
	for _, t := range inv.byKind[groupKind{group, kind}] {
		t.markSynced()
	}
}

// Unsynced lists the kinds of which nobody knows yet what exists, sorted, as Kind.group.
func (inv *Inventory) Unsynced() []string {
	var list []string
	for kind, tables := range inv.byKind {
		if slices.ContainsFunc(tables, func(t *table) bool { return !t.current().synced }) {
			list = append(list, kind.String())
		}
	}
	slices.Sort(list)
	return list
}

// Snapshot is an Inventory at one moment. It is immutable and may be shared by any number of reviews; the zero value, and nil, know
// nothing.
type Snapshot struct {
	tables map[string]*tableState
}

// Snapshot returns what the inventory holds now. It costs next to nothing when nothing has changed since the last time.
func (inv *Inventory) Snapshot() *Snapshot {
	last := inv.last.Load()
	now := &Snapshot{tables: make(map[string]*tableState, len(inv.tables))}
	same := last != nil
	for id, t := range inv.tables {
		now.tables[id] = t.current()
		same = same && last.tables[id] == now.tables[id]
	}
	if same {
		return last
	}
	inv.last.Store(now)
	return now
}

// read returns what a policy sees as input.inventory, nil when it declares nothing, or the kind that is missing.
func (s *Snapshot) read(declarations []declaration) (inventory *ast.Term, missing string) {
	if len(declarations) == 0 {
		return nil, ""
	}
	items := make([][2]*ast.Term, 0, len(declarations))
	for _, d := range declarations {
		var state *tableState
		if s != nil {
			state = s.tables[d.identity]
		}
		if state == nil || !state.synced {
			return nil, groupKind{d.Group, d.Kind}.String()
		}
		items = append(items, ast.Item(ast.InternedTerm(d.Name), state.byKey))
	}
	return ast.ObjectTerm(items...), ""
}

// table holds the objects of one declaration.
type table struct {
	declaration
	shape *shape

	mu      sync.Mutex
	synced  bool
	objects map[string]stored
	byKey   map[string]map[string]*ast.Term // key, id, object
	values  map[string][2]*ast.Term         // byKey as Rego values
	changed map[string]bool                 // the keys that values does not know yet
	version int                             // of the above
	rebuilt int                             // keys that were rebuilt so far; for a test

	state atomic.Pointer[tableState] // nil when it must be built anew
}

// tableState is what a table holds at one moment: byKey is an object of keys, each an object of ids.
type tableState struct {
	synced bool
	byKey  *ast.Term
}

// stored is one object as a table keeps it.
type stored struct {
	id     string
	keys   []string
	object *ast.Term
}

func newTable(d declaration) *table {
	return &table{
		declaration: d, shape: newShape(d.fields),
		objects: map[string]stored{}, byKey: map[string]map[string]*ast.Term{}, values: map[string][2]*ast.Term{}, changed: map[string]bool{},
	}
}

var errNoName = errors.New("has no metadata.name")

func objectID(namespace, name string) string {
	if namespace == "" {
		return name
	}
	return namespace + "/" + name
}

// read projects an object. Errors hold its name and nothing else of it.
func (t *table) read(object map[string]any) (stored, error) {
	meta, _ := object["metadata"].(map[string]any)
	name, _ := meta["name"].(string)
	namespace, _ := meta["namespace"].(string)
	if name == "" {
		return stored{}, fmt.Errorf("an object of %s %w", groupKind{t.Group, t.Kind}, errNoName)
	}
	s := stored{id: objectID(namespace, name), keys: t.by.values(object)}
	if len(s.keys) == 0 {
		s.keys = []string{""}
	}
	var err error
	if s.object, err = t.shape.project(object); err != nil {
		return stored{}, fmt.Errorf("%s %s holds a value that is not JSON", groupKind{t.Group, t.Kind}, s.id)
	}
	return s, nil
}

func (t *table) put(s stored) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.putLocked(s)
}

func (t *table) putLocked(s stored) {
	if old, found := t.objects[s.id]; found {
		if slices.Equal(old.keys, s.keys) && old.object.Equal(s.object) {
			return // a change of a field that nobody reads, such as a status
		}
		t.removeLocked(old)
	}
	t.objects[s.id] = s
	for _, key := range s.keys {
		if t.byKey[key] == nil {
			t.byKey[key] = map[string]*ast.Term{}
		}
		t.byKey[key][s.id] = s.object
		t.changed[key] = true
	}
	t.touchLocked()
}

func (t *table) removeLocked(s stored) {
	delete(t.objects, s.id)
	for _, key := range s.keys {
		if delete(t.byKey[key], s.id); len(t.byKey[key]) == 0 {
			delete(t.byKey, key)
		}
		t.changed[key] = true
	}
	t.touchLocked()
}

func (t *table) replace(list []stored) {
	t.mu.Lock()
	defer t.mu.Unlock()
	keep := make(map[string]bool, len(list))
	for _, s := range list {
		keep[s.id] = true
		t.putLocked(s)
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

// touchLocked makes the next reader build a new state.
func (t *table) touchLocked() {
	t.version++
	t.state.Store(nil)
}

// current returns the state, and builds it first where something has changed. Only the keys that changed become Rego values anew; the
// object above them holds pointers. That object is put together outside the lock, so that writers do not wait for readers: of ten
// thousand keys it takes a few milliseconds.
func (t *table) current() *tableState {
	if state := t.state.Load(); state != nil {
		return state
	}
	t.mu.Lock()
	for key := range t.changed {
		if bucket := t.byKey[key]; bucket != nil {
			t.values[key] = ast.Item(ast.StringTerm(key), bucketTerm(bucket))
		} else {
			delete(t.values, key)
		}
	}
	t.rebuilt += len(t.changed)
	clear(t.changed)
	synced, version, items := t.synced, t.version, slices.Collect(maps.Values(t.values))
	t.mu.Unlock()
	state := &tableState{synced: synced, byKey: ast.ObjectTerm(items...)}
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

func bucketTerm(bucket map[string]*ast.Term) *ast.Term {
	items := make([][2]*ast.Term, 0, len(bucket))
	for id, object := range bucket { // the order does not matter: an object has none
		items = append(items, ast.Item(ast.StringTerm(id), object))
	}
	return ast.ObjectTerm(items...)
}
