package record

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/gesso-dev/gesso/internal/object"
)

// Merged says that the sidecar of that name was filled again around what somebody had added to it.
func (s *Subtraction) Merged(name string) { delete(s.partial, name) }

// SweepSidecars decides about the sidecars that nothing filled again. Of one that the author claims the author's part stays, or all of it
// where that part alone is no container; every other is gone, with what somebody had added to it. It must be called before anything
// else is filled into containers.
func (s *Subtraction) SweepSidecars() {
	if s == nil {
		return
	}
	path := []string{"spec", "initContainers"}
	for name := range s.partial {
		rest, positions := in(s.template).find(object.Join(path, name))
		switch {
		case positions == nil:
			continue
		case rest.Get("image").Str() != "" && s.rules.author.Claims(object.Join(path, name)):
			s.Merged(name)
			continue
		}
		s.template.Remove(positions...)
		if s.template.Get(path...).Len() == 0 {
			s.template.Remove(path...)
		}
		l := s.list(path)
		l.removed = append(l.removed, name)
	}
	if l := s.lists[object.Pointer(path...)]; l != nil {
		s.finish(l)
	}
	for pointer, l := range s.lists {
		if len(l.path) == 4 && l.path[1] == "initContainers" && s.partial[l.path[2]] {
			delete(s.lists, pointer) // it is gone, or as it was
		}
	}
}

// list returns what is known of the list at path, from which the caller takes something.
func (s *Subtraction) list(path []string) *list {
	pointer := object.Pointer(path...)
	if s.lists[pointer] == nil {
		n, _ := in(s.original).find(path)
		s.lists[pointer] = &list{path: path, order: keys(keyOf(path), n)}
	}
	return s.lists[pointer]
}

// Finish decides about the elements that nothing filled again and puts all in the order in which they came. What the author claims
// and what a mount still names stays as it was; mounts therefore come before volumes.
func (s *Subtraction) Finish() {
	if s == nil {
		return
	}
	all := make([]*list, 0, len(s.lists))
	for _, l := range s.lists {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *list) int {
		return cmp.Or(cmp.Compare(len(b.path), len(a.path)), cmp.Compare(object.Pointer(a.path...), object.Pointer(b.path...)))
	})
	for _, l := range all {
		s.finish(l)
	}
}

func (s *Subtraction) finish(l *list) {
	parent, _ := in(s.template).find(l.path[:len(l.path)-1])
	if parent.Type() != object.Map {
		return
	}
	member, name := keyOf(l.path), l.path[len(l.path)-1]
	now := parent.Get(name)
	have := keys(member, now)
	if have == nil && now.Len() > 0 {
		return // its elements cannot be told apart any more
	}
	elements := map[string]*object.Node{}
	for i, key := range have {
		elements[key] = now.Get(strconv.Itoa(i))
	}
	restored := map[string]bool{}
	before := in(s.original)
	for _, key := range l.removed {
		if elements[key] == nil && s.staysAsItWas(object.Join(l.path, key)) {
			if was, _ := before.find(object.Join(l.path, key)); was != nil {
				elements[key], restored[key] = was.Clone(), true
			}
		}
	}
	sorted := l.arrange(have, restored)
	if len(sorted) == 0 {
		return
	}
	if len(have) == now.Len() && slices.Equal(have, sorted) {
		return
	}
	kids := make([]*object.Node, len(sorted))
	for i, key := range sorted {
		kids[i] = elements[key]
	}
	s.template.Put(object.List(kids), in(s.template).positions(l.path)...)
}

// arrange returns the keys of a list in order: what was not ours stays where it was, and so does what is put back; what is ours goes
// into the places that were ours, in the order in which it was filled, and then to the end. A list therefore looks as if it had been
// filled for the first time, unless somebody put something behind ours.
func (l *list) arrange(have []string, restored map[string]bool) []string {
	was, removed := map[string]bool{}, map[string]bool{}
	for _, key := range l.order {
		was[key] = true
	}
	for _, key := range l.removed {
		removed[key] = !restored[key]
	}
	present, ours := map[string]bool{}, []string{}
	for _, key := range have {
		present[key] = true
		if !was[key] || removed[key] {
			ours = append(ours, key)
		}
	}
	var all []string
	for _, key := range l.order {
		switch {
		case removed[key]:
			if len(ours) > 0 {
				all, ours = append(all, ours[0]), ours[1:]
			}
		case present[key] || restored[key]:
			all = append(all, key)
		}
	}
	return append(all, ours...)
}

// positions is the path of a list that may be missing.
func (f *finder) positions(list []string) []string {
	_, parent := f.find(list[:len(list)-1])
	return append(parent, list[len(list)-1])
}

// staysAsItWas reports whether an element that Gesso made and does not fill any more must stay: the author took it over, or it is a
// volume that some container still mounts.
func (s *Subtraction) staysAsItWas(path []string) bool {
	if s.rules.author.Claims(path) {
		return true
	}
	return path[1] == "volumes" && mounts(s.template, path[2])
}

// mounts reports whether a container of the template names the volume.
func mounts(template *object.Node, volume string) bool {
	for _, containers := range [...]string{"initContainers", "containers"} {
		for _, c := range template.Get("spec", containers).Elements() {
			for _, list := range [...]string{"volumeMounts", "volumeDevices"} {
				for _, m := range c.Get(list).Elements() {
					if m.Get("name").Str() == volume {
						return true
					}
				}
			}
		}
	}
	return false
}

// Bare returns a template without its record, in canonical form.
func Bare(template *object.Node) []byte {
	c := template.Clone()
	if c.Type() == object.Map {
		removeRecord(c)
	}
	return c.Canonical()
}

// Inputs returns what the author answers on an object that has a template: its own annotations gesso.dev/, in canonical form.
func Inputs(o *object.Object) []byte {
	var b strings.Builder
	names := []string{}
	annotations := o.Root.Get("metadata", "annotations")
	for name := range annotations.Members() {
		if strings.HasPrefix(name, "gesso.dev/") && name != Annotation {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b.Write(object.Quote(name))
		b.Write(annotations.Get(name).Canonical())
	}
	return []byte(b.String())
}

// Part is the author's part of a template: the template without the record and without what a record says is Gesso's. What other
// webhooks added is part of it. Whether the author claims something does not count here: writing what had been filled changes
// nothing. Nor does what the API server would put there anyway. The zero value is the usual part.
type Part struct {
	// Next is the template after an UPDATE, if the part is that of the one before, and Author the evidence of that: elements that Gesso made
	// and that the next one has not are left out even where somebody added to them, unless the author did. A PUT of the minimal
	// manifest brings none of it.
	Next   *object.Node
	Author Evidence
	// Rewritten, if not nil, is evidence by which a leaf of an element that Gesso made is left out, too, if it is recorded, reads otherwise
	// now, and the author does not claim it.
	Rewritten *Evidence
}

// Of returns the part of a template in canonical form, where r is its record.
func (p Part) Of(template *object.Node, r *Record) []byte {
	s := Start(template, Evidence{})
	if p.Next != nil {
		next := in(p.Next)
		s.rules.drop = func(path []string, rest *object.Node) bool {
			if n, _ := next.find(path); n != nil || !p.Author.Any() {
				return false
			}
			return !p.Author.claimsBelow(rest, path, keyOf(path[:len(path)-1]))
		}
	}
	if p.Rewritten != nil && p.Rewritten.Any() {
		s.rules.rewritten = p.Rewritten
	}
	s.Subtract(r)
	removeImplied(s.template)
	removeHollow(s.template)
	return s.template.Canonical()
}

// Base returns the hash of the author's part of a template.
func Base(template *object.Node, r *Record) string { return Hash(Part{}.Of(template, r)) }

// removeHollow removes the objects and lists that mean the same empty as absent and that come and go with the client: server-side
// apply drops a securityContext: {} that the API server put there. Others stay: an empty label selector selects all.
func removeHollow(template *object.Node) {
	hollow := func(n *object.Node, names ...string) {
		for _, name := range names {
			if kid := n.Get(name); kid != nil && empty(kid) {
				n.Remove(name)
			}
		}
	}
	hollow(template.Get("metadata"), "annotations", "labels")
	hollow(template, "metadata")
	spec := template.Get("spec")
	for _, containers := range [...]string{"initContainers", "containers"} {
		for _, c := range spec.Get(containers).Elements() {
			hollow(c.Get("resources"), "requests", "limits")
			hollow(c.Get("securityContext"), "capabilities")
			hollow(c, "resources", "securityContext", "env", "ports", "volumeMounts", "volumeDevices")
		}
	}
	hollow(spec, "securityContext", "volumes", "initContainers")
}

// empty reports whether n is an object or a list without anything in it but null.
func empty(n *object.Node) bool {
	switch n.Type() {
	case object.Null:
		return true
	case object.Array:
		return n.Len() == 0
	case object.Map:
		for _, kid := range n.Members() {
			if kid.Type() != object.Null {
				return false
			}
		}
		return true
	default:
		return false
	}
}
