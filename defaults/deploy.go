package defaults

import (
	"slices"

	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
)

// maxAnnotations is what the annotations of one object may come to, names and values together (TotalAnnotationSizeLimitB in
// k8s.io/apimachinery/pkg/api/validation).
const maxAnnotations = 256 << 10

// filled is an object as it becomes.
type filled struct {
	root    *object.Node // a copy; counts only where there is a patch
	record  *record.Record
	outcome Outcome
}

// owned is what is Gesso's in a template, default by default, in names and keys: positions change as elements come and go.
type owned struct {
	filled  []ownedBy
	made    [][]string
	rewrote []leaf
	carried bool // some of it was there
	moved   bool // positions are no longer those at which it was filled
}

type ownedBy struct {
	id    string
	keyed [][]string // nil for one that has no keys; nil for all where nothing moves afterwards
	plain [][]string // as it was filled, with positions
}

// fillAll fills what edit holds and returns what is Gesso's in it.
func (s *Set) fillAll(r Request, edit *object.Editor, taken *record.Subtraction) (Outcome, *owned) {
	o := &owned{moved: taken.Changed(), filled: make([]ownedBy, 0, len(r.acts))}
	path := r.pods.Path
	out := s.fill(r, edit, taken, func(f *Filling) {
		by := ownedBy{id: f.id, plain: f.paths}
		if o.moved {
			by.keyed = record.Keyed(f.template.Node, fromTemplate(path, f.paths))
		}
		if len(f.paths) > 0 {
			o.filled = append(o.filled, by)
		}
		if len(f.made) > 0 {
			for _, keyed := range record.Keyed(f.template.Node, fromTemplate(path, f.made)) {
				if keyed != nil {
					o.made = append(o.made, keyed)
				}
			}
		}
		o.rewrote = append(o.rewrote, f.rewrote...)
	})
	return out, o
}

// fromTemplate returns paths from the template instead of the root; nil for one that lies elsewhere.
func fromTemplate(template []string, paths [][]string) [][]string {
	all := make([][]string, len(paths))
	for i, p := range paths {
		if len(p) > len(template) && slices.Equal(p[:len(template)], template) {
			all[i] = p[len(template):]
		}
	}
	return all
}

// report says what every default has filled that did not stand there before, and where it is now. A default of which all stood there,
// from an earlier deploy, is told apart.
func (o *owned) report(edit *object.Editor, before *object.Node, path []string) (all []Filled, stood []Skipped) {
	if !o.moved {
		return o.reportAsFilled(edit), nil
	}
	after, came := record.In(edit.Root().Get(path...)), record.In(before)
	var buf [12]string
	for _, by := range o.filled {
		report := Filled{ID: by.id}
		for i, plain := range by.plain {
			keyed := by.keyed[i]
			if keyed == nil {
				report.Paths = append(report.Paths, edit.Pointer(plain))
				continue
			}
			if is, at := after.Find(keyed, buf[:0]); is != nil && !came.Value(keyed).Equal(is) {
				report.Paths = append(report.Paths, edit.Pointer(path, at...))
			}
		}
		if len(report.Paths) > 0 {
			all = append(all, report)
		} else {
			stood = append(stood, Skipped{by.id, AlreadySet, ""})
		}
	}
	return all, stood
}

// reportAsFilled is the report where nothing stood there before and nothing has moved.
func (o *owned) reportAsFilled(edit *object.Editor) []Filled {
	if len(o.filled) == 0 {
		return nil
	}
	all, count := make([]Filled, len(o.filled)), 0
	for _, by := range o.filled {
		count += len(by.plain)
	}
	texts := make([]string, 0, count)
	for i, by := range o.filled {
		from := len(texts)
		for _, path := range by.plain {
			texts = append(texts, edit.Pointer(path))
		}
		all[i] = Filled{by.id, texts[from:len(texts):len(texts)]}
	}
	return all
}

// record makes the record of what is Gesso's in template, which lies at path.
func (o *owned) record(template *object.Node, path []string) *record.Record {
	r := record.New()
	if o.moved {
		for _, by := range o.filled {
			r.Note(template, by.keyed)
		}
	} else {
		n := r.Noting(template)
		for _, by := range o.filled {
			n.Filled(path, by.plain)
		}
	}
	r.Note(template, o.made)
	for _, l := range o.rewrote {
		r.Enter(l.path, l.value)
	}
	return r
}

// deploy takes out of the object what the records say is Gesso's and fills it afresh by today's Profile. The object itself stays. Where a
// default cannot tell what to do, because the facts of the Namespace are missing, nothing is taken out: what it had filled would be
// lost until the next deploy.
func (s *Set) deploy(r Request, v versions, records ...*record.Record) *filled {
	f := s.refill(r, v, records, nil)
	unknown := func(sk Skipped) bool { return sk.Reason == NamespaceUnknown }
	if slices.ContainsFunc(f.outcome.Skipped, unknown) && slices.ContainsFunc(records, func(rec *record.Record) bool { return !rec.Empty() }) {
		return s.refill(r, v, nil, records)
	}
	return f
}

// refill fills an object after it has taken out what is Gesso's by the records of the first list. What is by those of the second stays,
// and stays Gesso's.
func (s *Set) refill(r Request, v versions, records, carried []*record.Record) *filled {
	path := r.pods.Path
	taken := record.Start(v.new, v.author)
	if v.old != nil && !v.otherRecord() {
		taken.TakeStale(v.old)
	}
	for _, rec := range records {
		taken.Subtract(rec)
	}
	root := r.Object.Root.Copy()
	switch {
	case !taken.Changed():
	case len(path) == 0:
		root = taken.Template()
	default:
		root.Put(taken.Template(), path...)
	}
	edit := object.Edit(root)
	out, owned := s.fillAll(r, edit, taken)
	root = edit.Root()
	template := root.Get(path...)

	rec := owned.record(template, path)
	for _, c := range carried {
		rec.Carry(template, c, v.author)
		owned.carried = owned.carried || !c.Empty()
	}
	if !rec.Empty() {
		rec.Origin = v.origin()
		if r.updates() { // nothing else is ever compared, and the API server adds to Pods and Jobs after admission
			rec.Base = base(v.new, edit, path, owned, rec)
		}
		text := rec.String()
		if len(text) > record.MaxSize || annotationsOf(template)+len(record.Annotation)+len(text) > maxAnnotations {
			return s.tooLarge(r)
		}
		edit.SetNode(edit.Text(text), path, "metadata", "annotations", record.Annotation)
	}
	filledNow, stood := owned.report(edit, v.new, path)
	out.Filled, out.Skipped = filledNow, append(out.Skipped, stood...)
	if taken.Changed() {
		out.Patch = object.Diff(r.Object.Root, root)
	} else {
		out.Patch = edit.Patch()
	}
	return &filled{root: root, record: rec, outcome: out}
}

// updates reports whether some default acts on UPDATEs of the object's kind.
func (r *Request) updates() bool {
	return slices.ContainsFunc(r.acts, func(a act) bool { return slices.Contains(a.kind.Operations, "UPDATE") })
}

// base returns the hash of the author's part of the template at path, which was filled. Where nothing else was done than to fill what
// was absent, it is that of the template that came; a null or an empty list that was filled is no longer in the author's part.
func base(came *object.Node, edit *object.Editor, path []string, o *owned, rec *record.Record) string {
	if !o.moved && !o.carried && len(o.made)+len(o.rewrote)+len(edit.ExplicitNulls()) == 0 {
		return record.Base(came, nil)
	}
	return record.Base(edit.Root().Get(path...), rec)
}

// fillOnly fills what is absent and leaves the record, or what stands in its place, alone.
func (s *Set) fillOnly(r Request) *filled {
	edit := object.Edit(r.Object.Root.Copy())
	out, owned := s.fillAll(r, edit, nil)
	out.Filled, _ = owned.report(edit, nil, r.pods.Path)
	out.Patch = edit.Patch()
	return &filled{root: edit.Root(), outcome: out}
}

// tooLarge leaves an object alone whose annotations have no room for the record: the API server would refuse what its author wrote.
func (s *Set) tooLarge(r Request) *filled {
	return &filled{outcome: s.kept(r, RecordTooLarge)}
}

// origin is the hash of the template from before Gesso, carried from record to record.
func (v *versions) origin() string {
	switch {
	case v.recordOld != nil:
		return v.recordOld.Origin
	case v.old != nil && !v.hasOld:
		return record.Hash(record.Bare(v.old))
	}
	return ""
}

// annotationsOf counts the bytes of a template's annotations.
func annotationsOf(template *object.Node) int {
	size := 0
	for name, value := range template.Get("metadata", "annotations").Members() {
		size += len(name) + len(value.Str())
	}
	return size
}

// take puts the object as it becomes in the place of the request's. Where nothing changes its bytes stay, too.
func (r *Request) take(f *filled) {
	if len(f.outcome.Patch) > 0 {
		r.Object.Root = f.root
	}
}

// restore puts the old template into the request's object and returns the patch that does it.
func (r *Request) restore() []object.Operation {
	root, old := r.Object.Root.Copy(), r.Old.Template()
	root.Put(old.Node.Copy(), r.pods.Path...)
	patch := object.Diff(r.Object.Root, root)
	if len(patch) > 0 {
		r.Object.Root = root
	}
	return patch
}
