package defaults

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
)

// Set is the defaults with the settings of one Profile. It is immutable and safe for concurrent use.
type Set struct {
	spec    *v1alpha1.ProfileSpec
	sidecar *fragment // nil when the Profile names no image
	list    []Default
}

// New prepares the defaults for a Profile that came from [v1alpha1.DecodeProfile] or [v1alpha1.Builtin]. The error lists all
// that is wrong with the Profile's fragments, each with its path.
func New(p *v1alpha1.Profile) (*Set, error) {
	s := &Set{spec: &p.Spec, list: List()}
	var errs field.ErrorList
	s.sidecar, errs = newFragment(&p.Spec.Defaults.Sidecar, field.NewPath("spec", "defaults", "sidecar"))
	if len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	return s, nil
}

// Kinds returns the kinds on which some default acts that is not off everywhere, each once.
func (s *Set) Kinds() []Kind {
	var all []Kind
	for _, d := range s.list {
		if !somewhereOn(d.Setting(&s.spec.Defaults)) {
			continue
		}
		for _, k := range d.Kinds {
			if !slices.ContainsFunc(all, func(have Kind) bool { return have.GroupKind == k.GroupKind }) {
				all = append(all, k)
			}
		}
	}
	return all
}

// Sidecar returns the name of the Profile's sidecar, "" where none is configured.
func (s *Set) Sidecar() string {
	if s.sidecar == nil {
		return ""
	}
	return s.sidecar.name
}

// Request is an object to be filled.
type Request struct {
	Operation string
	// Object is filled in place.
	Object *object.Object
	// Old is the object before an UPDATE, else nil.
	Old *object.Object
	// Namespace holds the facts of the object's Namespace, nil when they could not be had.
	Namespace *convention.Namespace
	// NamespaceName is the name of the object's namespace, empty for cluster-scoped objects.
	NamespaceName string
}

// Filled is a default that acted, with the JSON pointers of the fields that it wrote.
type Filled struct {
	ID    string   `json:"id"`
	Paths []string `json:"paths"`
}

// Skipped is a default that did not act, and why: Reason is one of the constants of this package. Field is the field that
// is the reason, or the place where nothing was filled; it may be empty.
type Skipped struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
	Field  string `json:"field"`
}

// Outcome is what filling one object came to.
type Outcome struct {
	Patch    []object.Operation
	Filled   []Filled
	Preview  []Filled
	Skipped  []Skipped
	Warnings []string
}

// Fill fills r.Object in place and says what it did.
func (s *Set) Fill(r Request) Outcome {
	var out Outcome
	edit := object.Edit(r.Object.Root)
	preview := []Default{}
	for _, d := range s.list {
		at := slices.IndexFunc(d.Kinds, func(k Kind) bool { return k.GroupKind == r.Object.GroupKind() })
		if at < 0 {
			continue
		}
		setting := d.Setting(&s.spec.Defaults)
		mode, known := modeIn(setting, r.NamespaceName, r.Namespace)
		setting.Mode = mode
		if reason, path := s.gate(d, d.Kinds[at], setting, r); reason != "" {
			out.Skipped = append(out.Skipped, Skipped{d.ID, reason, object.FieldPath(path...)})
			continue
		}
		if !known {
			out.Skipped = append(out.Skipped, Skipped{d.ID, NamespaceUnknown, "metadata.namespace"})
			out.Warnings = append(out.Warnings, modeUnknown(d.ID, r.NamespaceName))
			continue
		}
		if setting.Mode == v1alpha1.ModePreview {
			preview = append(preview, d)
			continue
		}
		f := s.run(d, setting, r, edit)
		out.Skipped = append(out.Skipped, f.skipped...)
		out.Warnings = append(out.Warnings, f.warnings...)
		if len(f.paths) > 0 {
			out.Filled = append(out.Filled, Filled{d.ID, f.paths})
		}
	}
	out.Patch = edit.Patch()
	for _, path := range edit.ExplicitNulls() {
		out.Warnings = append(out.Warnings, fmt.Sprintf(
			"explicit-null: %s is null or empty in the manifest and was filled; Argo CD will show it OutOfSync: leave the field out", object.FieldPath(path...),
		))
	}
	if len(preview) == 0 {
		return out
	}
	// Previews see what was filled, as they would if they were enforced, but change only a copy.
	edit = edit.Fork()
	for _, d := range preview {
		f := s.run(d, d.Setting(&s.spec.Defaults), r, edit)
		out.Skipped = append(out.Skipped, f.skipped...)
		if len(f.paths) > 0 {
			out.Preview = append(out.Preview, Filled{d.ID, f.paths})
			out.Skipped = append(out.Skipped, Skipped{d.ID, Preview, ""})
		}
	}
	return out
}

// gate holds what is the same for all defaults: whether d may act on this object at all. The path is that of the reason.
func (s *Set) gate(d Default, k Kind, setting v1alpha1.DefaultSetting, r Request) (reason string, path []string) {
	switch {
	case setting.Mode == v1alpha1.ModeOff:
		return Off, nil
	case r.Object.BeingDeleted():
		return BeingDeleted, []string{"metadata", "deletionTimestamp"}
	case r.Object.ControllerOwned() && !s.podOptedIn(r):
		return ControllerOwned, []string{"metadata", "ownerReferences"}
	case !slices.Contains(k.Operations, r.Operation):
		return Immutable, nil
	}
	if name := optOutName(d.ID, ""); setting.OptOut == v1alpha1.OptOutAllowed {
		if path, out := optedOut(r.Object, name); out {
			return OptedOut, path
		}
	}
	return "", nil
}

// podOptedIn reports whether r is a Pod in a namespace that asks for filling Pods: there, Pods of custom workloads are
// filled although a controller owns them.
func (s *Set) podOptedIn(r Request) bool {
	return r.Object.GroupKind() == object.GroupKind{Kind: "Pod"} &&
		r.Namespace != nil && r.Namespace.Labels[convention.PodsLabel] == convention.Enabled
}

// run lets one default fill what edit holds.
func (s *Set) run(d Default, setting v1alpha1.DefaultSetting, r Request, edit *object.Editor) *Filling {
	o, err := object.Of(edit.Root())
	if err != nil {
		panic(fmt.Sprintf("fill: %v", err)) // r.Object is one, and filling never changes what it is
	}
	f := &Filling{Request: r, Spec: s.spec, Object: o, id: d.ID, setting: setting, set: s, edit: edit}
	d.Fill(f)
	if setting.OptOut == v1alpha1.OptOutForbidden {
		f.warnIgnoredOptOut()
	}
	return f
}
