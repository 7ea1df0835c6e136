package defaults

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
)

// Filling is one default at work on one object.
type Filling struct {
	Request
	// Object is the object as filled so far; in a preview a copy of the request's.
	Object *object.Object
	Spec   *v1alpha1.ProfileSpec

	id       string
	setting  v1alpha1.DefaultSetting
	set      *Set
	edit     *object.Editor
	taken    *record.Subtraction // what an earlier Gesso had written here, taken out
	paths    [][]string          // filled, with positions
	made     [][]string          // Gesso's, too, although it stood there: keys of elements that it completes
	rewrote  []leaf              // written by Gesso and rewritten by somebody since
	skipped  []Skipped
	warnings []string
	optOuts  map[string]bool // read once: there may be many containers, and many annotations
}

// Template returns the pod template as filled so far; nil for a kind that has none.
func (f *Filling) Template() *object.Template { return f.Object.Template() }

// Containers returns the containers that a default acts on: all but ephemeral ones, which nobody creates with a workload.
func (f *Filling) Containers() []object.Container {
	var all []object.Container
	for _, c := range f.Template().Containers() {
		if c.Sort != object.Ephemeral {
			all = append(all, c)
		}
	}
	return all
}

// noContainers reports whether the template has no container that a default could act on, and notes it.
func (f *Filling) noContainers(t *object.Template) bool {
	if len(f.Containers()) > 0 {
		return false
	}
	f.Skip(NotConfigured, t.Spec("containers")...)
	return true
}

// Names returns the derived names; without the facts of the Namespace only those that need none.
func (f *Filling) Names(serviceAccount string) convention.Names {
	return convention.Derive(f.Spec, f.Namespace, App(f.Object), serviceAccount)
}

// App returns the app that an object belongs to: its label app.kubernetes.io/name, else that of its pod template, else
// its own name.
func App(o *object.Object) string {
	if app := o.Label(convention.NameLabel); app != "" {
		return app
	}
	if t := o.Template(); t != nil {
		if app := t.Node.Get("metadata", "labels", convention.NameLabel).Str(); app != "" {
			return app
		}
	}
	return o.Name
}

// Set fills value, JSON, at path if it is absent, and reports whether it did.
func (f *Filling) Set(value []byte, path ...string) bool {
	if !f.edit.Set(path, value) {
		return false
	}
	f.paths = append(f.paths, slices.Clone(path))
	return true
}

// CanAppend reports whether a list at path can take an element: it is one, or it is missing and can be made.
func (f *Filling) CanAppend(path ...string) bool {
	return f.Object.Root.Get(path...).Type() == object.Array || f.edit.CanSet(path)
}

// Append adds value, JSON, to the list at path, where CanAppend must hold.
func (f *Filling) Append(value []byte, path ...string) {
	if i := f.edit.Append(path, value); i >= 0 {
		f.paths = append(f.paths, object.Join(path, itoa(i)))
	}
}

// Skip notes that the default did not act, or not at this place.
func (f *Filling) Skip(reason string, path ...string) {
	f.skipped = append(f.skipped, Skipped{f.id, reason, object.FieldPath(path...)})
}

// Warn adds a warning for the person who applies the object. Filling something is no reason for one.
func (f *Filling) Warn(format string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}

// SkipContainer reports whether the annotation gesso.dev/<id>.<container>: "false" keeps the default away from c, and
// notes it.
func (f *Filling) SkipContainer(c object.Container) bool {
	if f.setting.OptOut != v1alpha1.OptOutAllowed {
		return false
	}
	name := optOutName(f.id, c.Name)
	if f.optOuts == nil {
		f.optOuts = optOuts(f.Object)
	}
	if !f.optOuts[name] {
		return false
	}
	path, _ := optedOut(f.Object, name)
	f.Skip(OptedOut, path...)
	return true
}

func (f *Filling) warnIgnoredOptOut() {
	names := []string{optOutName(f.id, "")}
	if f.Template() != nil {
		for _, c := range f.Containers() {
			names = append(names, optOutName(f.id, c.Name))
		}
	}
	out := optOuts(f.Object)
	for _, name := range names {
		if out[name] {
			path, _ := optedOut(f.Object, name)
			f.Warn("%s is ignored: the platform does not allow to opt out of %s", object.FieldPath(path...), f.id)
		}
	}
}

// optOutName is the annotation by which a workload, or one container of it, refuses a default.
func optOutName(id, container string) string {
	if container != "" {
		return "gesso.dev/" + id + "." + container
	}
	return "gesso.dev/" + id
}

// answerPaths are where an object keeps its answers: on the pod template, where they are read first, and on the object.
func answerPaths(o *object.Object) [][]string {
	own := []string{"metadata", "annotations"}
	if t := o.Template(); t != nil && len(t.Path) > 0 {
		return [][]string{object.Join(t.Path, own...), own}
	}
	return [][]string{own}
}

// answer looks for an annotation that answers something, and says where it is, or where it would be.
func answer(o *object.Object, name string) (value string, path []string, ok bool) {
	all := answerPaths(o)
	for _, annotations := range all {
		path = object.Join(annotations, name)
		if value, ok = o.Root.Get(path...).Text(); ok {
			return value, path, true
		}
	}
	return "", object.Join(all[0], name), false
}

// optedOut looks for an opt-out of o.
func optedOut(o *object.Object, name string) (path []string, out bool) {
	value, path, _ := answer(o, name)
	return path, value == "false"
}

// optOuts returns the names of all annotations of o that are an opt-out.
func optOuts(o *object.Object) map[string]bool {
	out, seen := map[string]bool{}, map[string]bool{}
	for _, path := range answerPaths(o) {
		for name, value := range o.Root.Get(path...).Members() {
			text, ok := value.Text()
			if !ok || seen[name] || !strings.HasPrefix(name, "gesso.dev/") {
				continue
			}
			seen[name] = true
			if text == "false" {
				out[name] = true
			}
		}
	}
	return out
}

func itoa(i int) string { return strconv.Itoa(i) }
