package defaults

import (
	"slices"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
)

// work is one object on which defaults act one after the other. What they all need is looked up once.
type work struct {
	Request
	// Object is the object as filled so far; in a preview a copy of the request's.
	Object *object.Object
	Spec   *v1alpha1.ProfileSpec

	set   *Set
	edit  *object.Editor
	taken *record.Subtraction // what an earlier Gesso had written here, taken out
	out   *Outcome

	template *object.Template // nil for a kind that has none; its node stays where it is
	spec     []string         // the path of the pod spec
	metadata []string         // the path of the template's metadata

	containers []object.Container // all, in the order in which they start; their nodes stay where they are
	created    int                // how many of them are created with a workload: all but the ephemeral ones, which come last
	lists      [3]list            // of which they are

	filling Filling
	tokens  []string   // memory for paths
	paths   [][]string // memory for lists of paths
	texts   []string   // memory for lists of texts
}

// list is a list as it was when its elements were looked up.
type list struct {
	node *object.Node
	size int
}

// work begins work on what edit holds.
func (s *Set) work(r Request, edit *object.Editor, taken *record.Subtraction, out *Outcome) *work {
	o := *r.Object
	o.Root = edit.Root()
	w := &work{Request: r, Object: &o, Spec: s.spec, set: s, edit: edit, taken: taken, out: out, paths: make([][]string, 0, 32)}
	if r.pods != nil {
		t := &object.Template{Path: r.pods.Path}
		if t.Node = edit.Open(t.Path); t.Node != nil {
			edit.Open(t.Path, "spec")
		}
		w.template, w.spec, w.metadata = t, w.path(t.Path, "spec"), w.path(t.Path, "metadata")
	}
	return w
}

// run lets one default fill. What it returns holds until the next one.
func (w *work) run(a *act) *Filling {
	f := &w.filling
	*f = Filling{work: w, id: a.ID, setting: &a.setting, paths: w.paths[:0:cap(w.paths)]}
	a.Fill(f)
	if a.setting.OptOut == v1alpha1.OptOutForbidden {
		f.warnIgnoredOptOut()
	}
	w.paths = f.paths[len(f.paths):]
	f.paths = slices.Clip(f.paths)
	return f
}

// path returns a path in memory of its own.
func (w *work) path(base []string, tokens ...string) []string {
	n := len(base) + len(tokens)
	if cap(w.tokens)-len(w.tokens) < n {
		w.tokens = make([]string, 0, max(128, n))
	}
	from := len(w.tokens)
	w.tokens = append(append(w.tokens, base...), tokens...)
	return w.tokens[from:len(w.tokens):len(w.tokens)]
}

// pointers returns paths as JSON pointers.
func (w *work) pointers(paths [][]string) []string {
	if cap(w.texts)-len(w.texts) < len(paths) {
		w.texts = make([]string, 0, max(32, len(paths)))
	}
	from := len(w.texts)
	for _, path := range paths {
		w.texts = append(w.texts, w.edit.Pointer(path))
	}
	return w.texts[from:len(w.texts):len(w.texts)]
}

// containerLists are the lists of containers in the order in which they start.
var containerLists = [...]struct { //nolint:gochecknoglobals // a table that is never written to
	field string
	sort  object.Sort
}{{"initContainers", object.Init}, {"containers", object.Ordinary}, {"ephemeralContainers", object.Ephemeral}}

// all returns all containers. They are looked up anew when one came or went.
func (w *work) all() []object.Container {
	spec := w.template.Node.Get("spec")
	same := w.containers != nil
	for i, l := range containerLists {
		node := spec.Get(l.field)
		if w.lists[i].node != node || w.lists[i].size != node.Len() {
			same = false
		}
	}
	if !same {
		w.list(spec)
	}
	return w.containers
}

func (w *work) list(spec *object.Node) {
	size := spec.Get("initContainers").Len() + spec.Get("containers").Len() + spec.Get("ephemeralContainers").Len()
	w.containers = make([]object.Container, 0, size)
	for i, l := range containerLists {
		if l.sort == object.Ephemeral {
			w.created = len(w.containers)
		}
		for at, n := range spec.Get(l.field).Elements() {
			if n.Type() != object.Map {
				continue
			}
			c := object.Container{Sort: l.sort, Path: w.path(w.spec, l.field, itoa(at))}
			c.Node = w.edit.Open(c.Path)
			c.Name = c.Node.Get("name").Str()
			if c.Sort == object.Init && c.Node.Get("restartPolicy").Str() == "Always" {
				c.Sort = object.Sidecar
			}
			w.containers = append(w.containers, c)
		}
		node := spec.Get(l.field)
		w.lists[i] = list{node, node.Len()}
	}
}

// app returns the container that is the application, see [object.Template.App].
func (w *work) app() (object.Container, bool) {
	name, named := w.template.Annotation(defaultContainerAnnotation)
	var first *object.Container
	for i := range w.all() {
		c := &w.containers[i]
		if c.Sort != object.Ordinary {
			continue
		}
		if named && c.Name == name {
			return *c, true
		}
		if first == nil {
			first = c
		}
	}
	if first == nil {
		return object.Container{}, false
	}
	return *first, true
}
