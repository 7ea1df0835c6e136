package record

import (
	"cmp"
	"slices"
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
	if s.lists == nil {
		s.lists = map[string]*list{}
	}
	if s.lists[pointer] == nil {
		s.lists[pointer] = &list{path: slices.Clone(path), order: keys(keyOf(path), in(s.original).value(path))}
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
	parent := in(s.template).value(l.path[:len(l.path)-1])
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
		elements[key] = now.At(i)
	}
	restored := map[string]bool{}
	before := in(s.original)
	for _, key := range l.removed {
		if elements[key] == nil && s.staysAsItWas(object.Join(l.path, key)) {
			if was := before.value(object.Join(l.path, key)); was != nil {
				elements[key], restored[key] = was.Copy(), true
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
func (f *Finder) positions(list []string) []string {
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
	if template.Type() == object.Map && template.Get("metadata", "annotations", Annotation) != nil {
		template = withoutRecord(template, &object.Memory{})
	}
	return template.AppendCanonical(make([]byte, 0, 1024))
}

// Inputs returns what the author answers on an object that has a template: its own annotations gesso.dev/, in canonical form.
func Inputs(o *object.Object) []byte {
	annotations := o.Root.Get("metadata", "annotations")
	if annotations.Type() != object.Map {
		return nil
	}
	var names []string
	for name := range annotations.Members() {
		if strings.HasPrefix(name, "gesso.dev/") && name != Annotation {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var b []byte
	for _, name := range names {
		b = object.AppendQuote(b, name)
		b = annotations.Get(name).AppendCanonical(b)
	}
	return b
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
			if next.value(path) != nil || !p.Author.Any() {
				return false
			}
			return !p.Author.claimsBelow(rest, path, keyOf(path[:len(path)-1]))
		}
	}
	if p.Rewritten != nil && p.Rewritten.Any() {
		s.rules.rewritten = p.Rewritten
	}
	s.Subtract(r)
	return essence(s.template)
}

// Base returns the hash of the author's part of a template.
func Base(template *object.Node, r *Record) string { return Hash(Part{}.Of(template, r)) }
