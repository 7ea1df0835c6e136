package main

import (
	"fmt"

	"github.com/gesso-dev/gesso/policies"
)

// inventory holds what the policies of the set read of the objects that were given: offline they are all there is. Where one was
// given twice, the one that is to be reviewed counts.
func (w *world) inventory(set *policies.Set) (*policies.Snapshot, error) {
	all := policies.NewInventory(set)
	for _, o := range w.objects {
		root := o.Root
		if namespace := w.namespaceOf(o.Object); namespace != "" && o.Namespace == "" {
			placed := *o.Object
			placed.Root = root.Clone()
			placed.SetNamespace(namespace)
			root = placed.Root
		}
		if root.Get("metadata", "name").Missing() {
			continue // it gets its name when it is created, and is not there before
		}
		if err := all.Put(o.Group, o.Kind, root.Bytes()); err != nil {
			return nil, fmt.Errorf("%s: %w", o.source, err)
		}
	}
	for _, p := range set.Policies() {
		for _, kind := range p.Inventory {
			all.MarkSynced(kind.Group, kind.Kind)
		}
	}
	return all.Snapshot(), nil
}
