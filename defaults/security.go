package defaults

import (
	"slices"
	"strings"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// What the defaults of the security context share.

// podSettled reports whether a field of the pod spec needs nothing, and notes why. What stands on a pod covers all of its
// containers, so that an opt-out for one of them is told to be none.
func (f *Filling) podSettled(field ...string) bool {
	if f.template.Windows() {
		f.Skip(Windows, f.spec)
		return true
	}
	if f.noContainers() {
		return true
	}
	f.warnPodLevel()
	if !f.CanSet(f.spec, field...) {
		f.Skip(AlreadySet, f.spec, field...)
		return true
	}
	return false
}

// eachContainer visits the containers that a default acts on one by one, where security contexts may have its field: not on Windows, and
// none that opts out.
func (f *Filling) eachContainer(visit func(object.Container)) {
	if f.template.Windows() {
		f.Skip(Windows, f.spec)
		return
	}
	if f.noContainers() {
		return
	}
	for _, c := range f.Containers() {
		if !f.SkipContainer(c) {
			visit(c)
		}
	}
}

// warnPodLevel tells whoever opts one container out of a default that acts on the whole pod.
func (f *Filling) warnPodLevel() {
	if f.setting.OptOut != v1alpha1.OptOutAllowed || len(f.optOut) == 0 {
		return // the former is said for every opt-out
	}
	for _, c := range f.Containers() {
		if c.Name != "" && f.optedOut(c.Name) {
			path := answerPath(f.Object, f.template, optOutName(f.id, c.Name))
			f.Warn("%s is ignored: %s acts on the whole pod; opt out by %s", object.FieldPath(path...), f.id, optOutName(f.id, ""))
		}
	}
}

// powerful returns the field that makes c all but root of the node: it is privileged, or adds one of the capabilities.
func powerful(c object.Container, capabilities ...string) (field []string) {
	if c.Node.Get("securityContext", "privileged").IsTrue() {
		return object.Join(c.Path, "securityContext", "privileged")
	}
	for i, n := range c.Node.Get("securityContext", "capabilities", "add").Elements() {
		// Container runtimes take names in any case and with or without the prefix.
		name := strings.TrimPrefix(strings.ToUpper(n.Str()), "CAP_")
		if slices.Contains(capabilities, name) {
			return object.Join(c.Path, "securityContext", "capabilities", "add", itoa(i))
		}
	}
	return nil
}
