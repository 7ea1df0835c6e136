package defaults

import (
	"fmt"
	"strconv"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
)

// Filling is one default at work on one object.
type Filling struct {
	*work

	id       string
	setting  *v1alpha1.DefaultSetting
	paths    [][]string // filled, with positions
	made     [][]string // Gesso's, too, although it stood there: keys of elements that it completes
	rewrote  []leaf     // written by Gesso and rewritten by somebody since
	warnings []string
}

// Containers returns the containers that a default acts on: all but ephemeral ones, which nobody creates with a workload.
func (f *Filling) Containers() []object.Container {
	all := f.all()
	return all[:f.created]
}

// noContainers reports whether the template has no container that a default could act on, and notes it.
func (f *Filling) noContainers() bool {
	if len(f.Containers()) > 0 {
		return false
	}
	f.Skip(NotConfigured, f.spec, "containers")
	return true
}

// Names returns the derived names; without the facts of the Namespace only those that need none.
func (f *Filling) Names(serviceAccount string) convention.Names {
	return convention.Derive(f.Spec, f.Namespace, App(f.Object), serviceAccount)
}

// environment returns the environment of the object's namespace; that of the Profile without the facts of the Namespace.
func (f *Filling) environment() string {
	if f.Namespace == nil {
		return f.Spec.Environment
	}
	return convention.Environment(f.Spec, f.Namespace)
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

// CanSet reports whether something can be filled at a path, continued by tokens.
func (f *Filling) CanSet(path []string, tokens ...string) bool { return f.edit.CanSet(path, tokens...) }

// Set fills value at a path, continued by tokens, if it is absent, and reports whether it did.
func (f *Filling) Set(value *object.Node, path []string, tokens ...string) bool {
	if !f.edit.SetNode(value, path, tokens...) {
		return false
	}
	f.paths = append(f.paths, f.path(path, tokens...))
	return true
}

// CanAppend reports whether a list can take an element: it is one, or it is missing and can be made.
func (f *Filling) CanAppend(path []string, tokens ...string) bool {
	return f.Object.Root.Get(path...).Get(tokens...).Type() == object.Array || f.CanSet(path, tokens...)
}

// Append adds value to a list, where CanAppend must hold.
func (f *Filling) Append(value *object.Node, path []string, tokens ...string) {
	if i := f.edit.AppendNode(value, path, tokens...); i >= 0 {
		at := f.path(path, append(tokens, itoa(i))...)
		f.paths = append(f.paths, at)
	}
}

// Skip notes that the default did not act, or not at this place.
func (f *Filling) Skip(reason string, path []string, tokens ...string) {
	f.out.Skipped = append(f.out.Skipped, Skipped{f.id, reason, f.edit.FieldPath(path, tokens...)})
}

// Warn adds a warning for the person who applies the object. Filling something is no reason for one.
func (f *Filling) Warn(format string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}

// optedOut reports whether a container opts out of the default.
func (f *Filling) optedOut(container string) bool {
	return len(f.optOut) > 0 && f.optOut[optOutName(f.id, container)]
}

// SkipContainer reports whether the annotation gesso.dev/<id>.<container>: "false" keeps the default away from c, and
// notes it.
func (f *Filling) SkipContainer(c object.Container) bool {
	if f.setting.OptOut != v1alpha1.OptOutAllowed || !f.optedOut(c.Name) {
		return false
	}
	f.Skip(OptedOut, answerPath(f.Object, f.template, optOutName(f.id, c.Name)))
	return true
}

func (f *Filling) warnIgnoredOptOut() {
	if len(f.optOut) == 0 {
		return
	}
	names := []string{optOutName(f.id, "")}
	if f.template != nil {
		for _, c := range f.Containers() {
			names = append(names, optOutName(f.id, c.Name))
		}
	}
	for _, name := range names {
		if f.optOut[name] {
			f.Warn("%s is ignored: the platform does not allow to opt out of %s", object.FieldPath(answerPath(f.Object, f.template, name)...), f.id)
		}
	}
}

func itoa(i int) string { return strconv.Itoa(i) }
