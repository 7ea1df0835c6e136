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
	acts    map[object.GroupKind][]act
	values  values
}

// act is a default on one kind.
type act struct {
	*Default
	kind    Kind
	setting v1alpha1.DefaultSetting
	optOut  string // the annotation
}

// New prepares the defaults for a Profile that came from [v1alpha1.DecodeProfile] or [v1alpha1.Builtin]. The error lists all
// that is wrong with the Profile's fragments, each with its path.
func New(p *v1alpha1.Profile) (*Set, error) {
	s := &Set{spec: &p.Spec, list: List(), acts: map[object.GroupKind][]act{}}
	var errs field.ErrorList
	s.sidecar, errs = newFragment(&p.Spec.Defaults.Sidecar, field.NewPath("spec", "defaults", "sidecar"))
	if len(errs) > 0 {
		return nil, errs.ToAggregate()
	}
	for i := range s.list {
		d := &s.list[i]
		for _, k := range d.Kinds {
			s.acts[k.GroupKind] = append(s.acts[k.GroupKind], act{d, k, d.Setting(&p.Spec.Defaults), optOutName(d.ID, "")})
		}
	}
	s.values = newValues(&p.Spec.Defaults)
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

	pods   *object.Template // nil for a kind that has none
	acts   []act            // the defaults of the object's kind, in order
	frozen string           // the reason why nothing may act on the object, whatever the operation; "" for none
	optOut map[string]bool  // the annotations that are an opt-out
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
	r.pods, r.acts = t, s.acts[r.Object.GroupKind()]
	r.frozen, r.optOut = frozen(r), optOuts(r.Object, t)
	switch {
	case !r.mayFill():
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
func (r *Request) mayFill() bool {
	return slices.ContainsFunc(r.acts, func(a act) bool { return r.untouchable(&a.kind) == "" })
}

// kept is the outcome for an object on which no default acts: for reasons of its own, or else why.
func (s *Set) kept(r Request, why string) Outcome {
	var out Outcome
	for i := range r.acts {
		a := &r.acts[i]
		reason, field := gate(a, modeIn(a.setting, r.NamespaceName, r.Namespace), &r)
		if reason == "" {
			reason = why
		}
		if out.Skipped == nil {
			out.Skipped = make([]Skipped, 0, len(r.acts))
		}
		out.Skipped = append(out.Skipped, Skipped{a.ID, reason, field})
	}
	return out
}

// fill lets every default act on what edit holds, and is told what was filled. taken is what an earlier Gesso had written
// there, nil where that does not count.
func (s *Set) fill(r Request, edit *object.Editor, taken *record.Subtraction, filled func(*Filling)) Outcome {
	var out Outcome
	out.Skipped = make([]Skipped, 0, 2*len(r.acts))
	w := s.work(r, edit, taken, &out)
	var preview []*act
	swept := false
	sweep := func() {
		if !swept {
			swept = true
			taken.SweepSidecars()
		}
	}
	for i := range r.acts {
		a := &r.acts[i]
		if a.ID != sidecarID {
			sweep() // the sidecar, which comes first, was filled or was not: what the others act on is settled
		}
		mode := modeIn(a.setting, r.NamespaceName, r.Namespace)
		if reason, field := gate(a, mode, &r); reason != "" {
			out.Skipped = append(out.Skipped, Skipped{a.ID, reason, field})
			continue
		}
		switch mode {
		case modeUnknown:
			out.Skipped = append(out.Skipped, Skipped{a.ID, NamespaceUnknown, "metadata.namespace"})
			out.Warnings = append(out.Warnings, fmt.Sprintf(
				"nothing was filled by %s: the labels of namespace %q are not known yet; apply the object again", a.ID, r.NamespaceName,
			))
		case v1alpha1.ModePreview:
			preview = append(preview, a)
		default:
			f := w.run(a)
			out.Warnings = append(out.Warnings, f.warnings...)
			filled(f)
		}
	}
	sweep()
	taken.Finish()
	for _, path := range edit.ExplicitNulls() {
		out.Warnings = append(out.Warnings, fmt.Sprintf(
			"explicit-null: %s is null or empty in the manifest and was filled; Argo CD will show it OutOfSync: leave the field out", object.FieldPath(path...),
		))
	}
	if len(preview) > 0 {
		s.preview(r, edit, taken, preview, &out)
	}
	if len(out.Skipped) == 0 {
		out.Skipped = nil
	}
	return out
}

// preview lets the defaults act that are only previewed. They see what was filled, as they would if they were enforced, but change only
// a copy.
func (s *Set) preview(r Request, edit *object.Editor, taken *record.Subtraction, acts []*act, out *Outcome) {
	w := s.work(r, edit.Fork(), taken, out)
	for _, a := range acts {
		f := w.run(a)
		if len(f.paths) > 0 {
			out.Preview = append(out.Preview, Filled{a.ID, w.pointers(f.paths)})
			out.Skipped = append(out.Skipped, Skipped{a.ID, Preview, ""})
		}
	}
}

// frozen is the reason why no default may act on the object in any request; "" for none.
func frozen(r Request) string {
	switch {
	case r.Object.BeingDeleted():
		return BeingDeleted
	case r.Object.ControllerOwned() && !podOptedIn(r):
		return ControllerOwned
	}
	return ""
}

// untouchable is the reason why no default may act on an object of the kind in this request; "" for none.
func (r *Request) untouchable(k *Kind) string {
	if r.frozen == "" && !slices.Contains(k.Operations, r.Operation) {
		return Immutable
	}
	return r.frozen
}

// gate holds what is the same for all defaults: whether one may act on this object at all. The field is that of the reason.
func gate(a *act, mode v1alpha1.Mode, r *Request) (reason, field string) {
	if mode == v1alpha1.ModeOff {
		return Off, ""
	}
	switch reason := r.untouchable(&a.kind); reason {
	case "":
	case BeingDeleted:
		return reason, "metadata.deletionTimestamp"
	case ControllerOwned:
		return reason, "metadata.ownerReferences"
	default:
		return reason, ""
	}
	if a.setting.OptOut == v1alpha1.OptOutAllowed && r.optOut[a.optOut] {
		return OptedOut, object.FieldPath(answerPath(r.Object, r.pods, a.optOut)...)
	}
	return "", ""
}

// podOptedIn reports whether r is a Pod in a namespace that asks for filling Pods: there, Pods of custom workloads are
// filled although a controller owns them.
func podOptedIn(r Request) bool {
	return r.Object.GroupKind() == object.GroupKind{Kind: "Pod"} &&
		r.Namespace != nil && r.Namespace.Labels[convention.PodsLabel] == convention.Enabled
}
