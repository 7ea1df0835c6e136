package record

import (
	"bytes"
	"strings"

	"github.com/gesso-dev/gesso/internal/object"
)

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// Evidence is what the author demonstrably wrote into a template: what kubectl apply kept in last-applied-configuration, and what
// server-side apply owns (managedFields, operation Apply). Ownership by Update proves nothing: after an undo it is kubectl that
// owns our values. A label that the selector names is the author's as well. The zero value is no evidence.
type Evidence struct {
	applied  *Finder                                  // in the template as it was applied
	owned    []*object.Node                           // fieldsV1 of the template, one for each manager
	elements map[*object.Node]map[string]*object.Node // of the lists in owned, by key, as far as asked for
	selector *object.Node                             // the workload's own
}

// EvidenceOf reads the evidence that an object carries about its template.
func EvidenceOf(o *object.Object) Evidence {
	e := Evidence{selector: o.Root.Get("spec", "selector")}
	t := o.Template()
	if t == nil {
		return e
	}
	if text, ok := o.Annotation(lastApplied); ok {
		if root, err := object.Parse([]byte(text)); err == nil {
			e.applied = in(root.Get(t.Path...))
		}
	}
	for _, m := range o.Root.Get("metadata", "managedFields").Elements() {
		if m.Get("operation").Str() != "Apply" || m.Get("subresource").Str() != "" {
			continue
		}
		n := m.Get("fieldsV1")
		for _, token := range t.Path {
			n = n.Get("f:" + token)
		}
		if n.Type() == object.Map {
			e.owned = append(e.owned, n)
			if e.elements == nil {
				e.elements = map[*object.Node]map[string]*object.Node{}
			}
		}
	}
	return e
}

// MayBeClaimed reports whether it is worth asking whether a manifest carries the record.
func MayBeClaimed(o *object.Object) bool {
	applied := o.Root.Get("metadata", "annotations", lastApplied)
	return bytes.Contains(applied.Bytes(), []byte(Annotation)) || bytes.Contains(o.Root.Get("metadata", "managedFields").Bytes(), []byte("f:"+Annotation))
}

// selects reports whether a workload's selector names a label. The template must have it, whoever wrote it: an object that was
// filled may be created again with more in its selector.
func selects(selector *object.Node, label string) bool {
	if selector.Type() != object.Map {
		return false
	}
	if selector.Get(label).Type() == object.String { // a ReplicationController's
		return true
	}
	if labels := selector.Get("matchLabels"); labels.Type() == object.Map && labels.Get(label) != nil {
		return true
	}
	for _, e := range selector.Get("matchExpressions").Elements() {
		if e.Get("key").Str() == label {
			return true
		}
	}
	return false
}

// Any reports whether there is evidence about the pod spec at all: then what it does not claim is not the author's.
func (e Evidence) Any() bool { return e.Claims([]string{"spec"}) }

// Claims reports whether the author wrote the field or the element at path, whatever its value; null is not written.
func (e Evidence) Claims(path []string) bool {
	if len(path) == 3 && path[0] == "metadata" && path[1] == "labels" && selects(e.selector, path[2]) {
		return true
	}
	if e.applied != nil {
		if n := e.applied.value(path); n != nil && n.Type() != object.Null {
			return true
		}
	}
	for _, n := range e.owned {
		if e.owns(n, path) {
			return true
		}
	}
	return false
}

// owns follows path in a set of fields, whose members are called f:<name>, and k:{<key>:<value>} for elements.
func (e Evidence) owns(n *object.Node, path []string) bool {
	for i, token := range path {
		if member := keyOf(path[:i]); member != "" {
			n = e.element(n, member, token)
		} else {
			n = n.Get("f:" + token)
		}
		if n == nil {
			return false
		}
	}
	return true
}

func (e Evidence) element(list *object.Node, member, key string) *object.Node {
	index, ok := e.elements[list]
	if !ok {
		index = map[string]*object.Node{}
		for name, kid := range list.Members() {
			if text, is := strings.CutPrefix(name, "k:"); is {
				if element, err := object.Parse([]byte(text)); err == nil {
					if have, ok := elementKey(member, element); ok {
						index[have] = kid
					}
				}
			}
		}
		e.elements[list] = index
	}
	return index[key]
}

// claimsBelow reports whether the author wrote some leaf at or below n, which stands at path, beside the one called key.
func (e Evidence) claimsBelow(n *object.Node, path []string, key string) bool {
	found := false
	eachLeaf(n, path, func(leaf []string, _ *object.Node) {
		if len(leaf) == len(path)+1 && leaf[len(path)] == key {
			return
		}
		found = found || e.Claims(leaf)
	})
	return found
}
