package defaults

import (
	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
)

// fillObject fills an object without a pod template: there are no deploys of it, so that only absent fields are filled. What was is
// said in an annotation of the object, for whoever wonders where a field came from.
func (s *Set) fillObject(r Request) Outcome {
	root := r.Object.Root.Copy()
	edit := object.Edit(root)
	var paths [][]string
	var all []Filled
	out := s.fill(r, edit, nil, func(f *Filling) {
		if len(f.paths) > 0 {
			all = append(all, Filled{f.id, f.pointers(f.paths)})
			paths = append(paths, f.paths...)
		}
	})
	out.Filled = all
	if r.pods != nil {
		paths = nil // a template that is no object: the API server will refuse it
	}
	text := filledNote(r, root, paths)
	if text == "" || edit.Set(recordPath(), object.Quote(text)) || !root.Put(object.Value(text), recordPath()...) {
		out.Patch = edit.Patch()
	} else {
		out.Patch = object.Diff(r.Object.Root, root)
	}
	if len(out.Patch) > 0 {
		r.Object.Root = root
	}
	return out
}

// filledNote returns the annotation of an object of which paths were filled, "" where it stays as it is. A PUT of the minimal manifest
// loses the old one, which comes back with the values.
func filledNote(r Request, root *object.Node, paths [][]string) string {
	if len(paths) == 0 {
		return ""
	}
	rec, present := record.Of(r.Object.Root)
	if rec == nil && present {
		return "" // the author's, whatever it is
	}
	var before *record.Record
	if r.Old != nil {
		before, _ = record.Of(r.Old.Root)
	}
	if rec == nil {
		rec = record.New()
	}
	for _, path := range paths {
		value := root.Get(path...)
		if r.Old != nil && r.Old.Root.Get(path...).Equal(value) && !before.HasField(path) {
			continue // the author's own, put back
		}
		rec.EnterField(path, value)
	}
	if rec.Empty() {
		return ""
	}
	return rec.String()
}
