package defaults

import (
	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
)

// leaf is a value at a path of names and keys from the template.
type leaf struct {
	path  []string
	value *object.Node
}

// complete fills what is absent of a container that stands at path already: the sidecar, of which the author wrote a part, or to which
// another webhook added one. Lists whose elements have keys are completed, every other list is left alone.
func (f *Filling) complete(want *object.Node, path []string) {
	before := len(f.paths) + len(f.rewrote)
	for name, value := range want.Members() {
		if name != "name" {
			f.completeField(value, object.Join(path, name))
		}
	}
	if len(f.paths)+len(f.rewrote) > before {
		f.made = append(f.made, object.Join(path, "name")) // what is completed is Gesso's, see record.Subtraction
	}
}

func (f *Filling) completeField(want *object.Node, path []string) {
	if f.Set(want, path) {
		return
	}
	have := f.Object.Root.Get(path...)
	key := record.ListKey(path[len(path)-1])
	switch {
	case want.Type() == object.Map && have.Type() == object.Map:
		for name, value := range want.Members() {
			f.completeField(value, object.Join(path, name))
		}
	case want.Type() == object.Array && key != "" && have.Type() == object.Array:
		for _, e := range want.Elements() {
			f.completeElement(e, key, have, path)
		}
	default:
		relative := path[len(f.template.Path):]
		if keyed := record.Keyed(f.template.Node, [][]string{relative})[0]; keyed != nil && f.taken.Recorded(keyed) {
			f.rewrote = append(f.rewrote, leaf{keyed, want})
		}
	}
}

// completeElement appends an element to the list have at path, or completes the one with its key. A port of another number with its
// name is in the way: two of one name are refused.
func (f *Filling) completeElement(want *object.Node, key string, have *object.Node, path []string) {
	for i, e := range have.Elements() {
		if e.Type() == object.Map && e.Get(key).Equal(want.Get(key)) {
			for name, value := range want.Members() {
				if name != key {
					f.completeField(value, object.Join(path, itoa(i), name))
				}
			}
			return
		}
		if key == "containerPort" && want.Get("name") != nil && e.Get("name").Equal(want.Get("name")) {
			return
		}
	}
	f.Append(want, path)
}
