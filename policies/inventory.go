package policies

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/value"
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
	lists := make([][]projection, len(tables))
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
	terms  sync.Map // by the address of a policy's declarations: what the policy sees, put together by the first review
}

// Snapshot returns what the inventory holds now. It costs next to nothing when nothing has changed since the last time.
func (inv *Inventory) Snapshot() *Snapshot {
	last := inv.last.Load()
	if last != nil && inv.same(last) {
		return last
	}
	now := &Snapshot{tables: make(map[string]*tableState, len(inv.tables))}
	for id, t := range inv.tables {
		now.tables[id] = t.current()
	}
	inv.last.Store(now)
	return now
}

func (inv *Inventory) same(last *Snapshot) bool {
	for id, t := range inv.tables {
		if last.tables[id] != t.current() {
			return false
		}
	}
	return true
}

// read returns what a policy sees as input.inventory, nil when it declares nothing, or the kind that is missing.
func (s *Snapshot) read(declarations []declaration) (inventory *ast.Term, missing string) {
	if len(declarations) == 0 {
		return nil, ""
	}
	if s == nil {
		return nil, groupKind{declarations[0].Group, declarations[0].Kind}.String()
	}
	if known, found := s.terms.Load(&declarations[0]); found {
		inventory, _ = known.(*ast.Term)
		return inventory, ""
	}
	items := make([][2]*ast.Term, 0, len(declarations))
	for _, d := range declarations {
		state := s.tables[d.identity]
		if state == nil || !state.synced {
			return nil, groupKind{d.Group, d.Kind}.String()
		}
		items = append(items, ast.Item(value.Text(d.Name), state.byKey))
	}
	inventory = ast.ObjectTerm(items...)
	s.terms.Store(&declarations[0], inventory)
	return inventory, ""
}
