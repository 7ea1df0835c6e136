package defaults

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults/record"
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

// Fill fills r.Object in place and says what it did. An object with a pod template is filled by the update rule, see [Set.decide].
func (s *Set) Fill(r Request) Outcome {
	t := r.Object.Template()
	switch {
	case !s.mayFill(r):
		return s.kept(r, "") // every default has a reason of its own
	case t == nil || t.Node.Type() != object.Map:
		return s.fillObject(r)
	}
	d := s.decide(r)
	var out Outcome
	switch {
	case d.filled != nil:
		out = d.filled.outcome
		r.take(d.filled)
	default:
		out = s.kept(r, d.reason)
		if d.old {
			out.Patch = r.restore()
		}
	}
	out.Warnings = append(d.warnings, out.Warnings...)
	return out
}

// mayFill reports whether any default may act on the object at all.
func (s *Set) mayFill(r Request) bool {
	return slices.ContainsFunc(s.list, func(d Default) bool {
		k, ok := d.kind(r.Object.GroupKind())
		return ok && s.untouchable(k, r) == ""
	})
}

// kept is the outcome for an object on which no default acts: for reasons of its own, or else why.
func (s *Set) kept(r Request, why string) Outcome {
	var out Outcome
	s.each(r, func(d Default, k Kind, setting v1alpha1.DefaultSetting) {
		reason, path := s.gate(d, k, setting, r)
		if reason == "" {
			reason = why
		}
		out.Skipped = append(out.Skipped, Skipped{d.ID, reason, object.FieldPath(path...)})
	})
	return out
}

// each calls visit with every default of the object's kind, in order, and its setting with the mode that it has in the namespace.
func (s *Set) each(r Request, visit func(Default, Kind, v1alpha1.DefaultSetting)) {
	for _, d := range s.list {
		if k, ok := d.kind(r.Object.GroupKind()); ok {
			setting := d.Setting(&s.spec.Defaults)
			setting.Mode = modeIn(setting, r.NamespaceName, r.Namespace)
			visit(d, k, setting)
		}
	}
}

// fill lets every default act on what edit holds, and is told what was filled. taken is what an earlier Gesso had written
// there, nil where that does not count.
func (s *Set) fill(r Request, edit *object.Editor, taken *record.Subtraction, filled func(*Filling)) Outcome {
	var out Outcome
	type previewed struct {
		Default
		setting v1alpha1.DefaultSetting
	}
	preview := []previewed{}
	swept := false
	sweep := func() {
		if !swept {
			swept = true
			taken.SweepSidecars()
		}
	}
	s.each(r, func(d Default, k Kind, setting v1alpha1.DefaultSetting) {
		if d.ID != sidecarID {
			sweep() // the sidecar, which comes first, was filled or was not: what the others act on is settled
		}
		if reason, path := s.gate(d, k, setting, r); reason != "" {
			out.Skipped = append(out.Skipped, Skipped{d.ID, reason, object.FieldPath(path...)})
			return
		}
		if setting.Mode == modeUnknown {
			out.Skipped = append(out.Skipped, Skipped{d.ID, NamespaceUnknown, "metadata.namespace"})
			out.Warnings = append(out.Warnings, fmt.Sprintf(
				"nothing was filled by %s: the labels of namespace %q are not known yet; apply the object again", d.ID, r.NamespaceName,
			))
			return
		}
		if setting.Mode == v1alpha1.ModePreview {
			preview = append(preview, previewed{d, setting})
			return
		}
		f := s.run(d, setting, r, edit, taken)
		out.Skipped = append(out.Skipped, f.skipped...)
		out.Warnings = append(out.Warnings, f.warnings...)
		filled(f)
	})
	sweep()
	taken.Finish()
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
		f := s.run(d.Default, d.setting, r, edit, taken)
		out.Skipped = append(out.Skipped, f.skipped...)
		if len(f.paths) > 0 {
			out.Preview = append(out.Preview, Filled{d.ID, pointers(f.paths)})
			out.Skipped = append(out.Skipped, Skipped{d.ID, Preview, ""})
		}
	}
	return out
}

func pointers(paths [][]string) []string {
	all := make([]string, len(paths))
	for i, path := range paths {
		all[i] = object.Pointer(path...)
	}
	return all
}

// untouchable is the reason why no default may act on the object in this request; "" for none.
func (s *Set) untouchable(k Kind, r Request) string {
	switch {
	case r.Object.BeingDeleted():
		return BeingDeleted
	case r.Object.ControllerOwned() && !s.podOptedIn(r):
		return ControllerOwned
	case !slices.Contains(k.Operations, r.Operation):
		return Immutable
	}
	return ""
}

// gate holds what is the same for all defaults: whether d may act on this object at all. The path is that of the reason.
func (s *Set) gate(d Default, k Kind, setting v1alpha1.DefaultSetting, r Request) (reason string, path []string) {
	if setting.Mode == v1alpha1.ModeOff {
		return Off, nil
	}
	switch reason := s.untouchable(k, r); reason {
	case "":
	case BeingDeleted:
		return reason, []string{"metadata", "deletionTimestamp"}
	case ControllerOwned:
		return reason, []string{"metadata", "ownerReferences"}
	default:
		return reason, nil
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
func (s *Set) run(d Default, setting v1alpha1.DefaultSetting, r Request, edit *object.Editor, taken *record.Subtraction) *Filling {
	o, err := object.Of(edit.Root())
	if err != nil {
		panic(fmt.Sprintf("fill: %v", err)) // r.Object is one, and filling never changes what it is
	}
	f := &Filling{Request: r, Spec: s.spec, Object: o, id: d.ID, setting: setting, set: s, edit: edit, taken: taken}
	d.Fill(f)
	if setting.OptOut == v1alpha1.OptOutForbidden {
		f.warnIgnoredOptOut()
	}
	return f
}
