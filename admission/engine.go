package admission

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies"
)

// Config is what an [Engine] decides by.
type Config struct {
	Profile    *v1alpha1.Profile
	Policies   *policies.Set
	Exceptions []v1alpha1.Exception
	// OwnNamespace is where Gesso itself runs; it is left alone. Empty offline.
	OwnNamespace string
}

// Engine answers reviews. It is immutable and safe for concurrent use.
type Engine struct {
	profile    *v1alpha1.Profile
	spec       *v1alpha1.ProfileSpec
	defaults   *defaults.Set
	policies   *policies.Set
	exceptions []v1alpha1.Exception
	excluded   []string
	revision   string
	// filling are the kinds that some default may act on, if only to say why it does not.
	filling map[object.GroupKind]bool
}

// New makes an engine. The error lists all that is wrong with the Profile, with paths.
func New(c Config) (*Engine, error) {
	set, err := defaults.New(c.Profile)
	if err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	profile, err := json.Marshal([]any{c.Profile, c.Exceptions})
	if err != nil {
		return nil, fmt.Errorf("encode profile: %w", err)
	}
	sum := sha256.Sum256(append(profile, c.Policies.Revision()...))
	filling := map[object.GroupKind]bool{}
	for _, d := range defaults.List() {
		for _, k := range d.Kinds {
			filling[k.GroupKind] = true
		}
	}
	return &Engine{
		filling:    filling,
		profile:    c.Profile,
		spec:       &c.Profile.Spec,
		defaults:   set,
		policies:   c.Policies,
		exceptions: c.Exceptions,
		excluded:   excludedNamespaces(&c.Profile.Spec, c.OwnNamespace),
		revision:   hex.EncodeToString(sum[:6]),
	}, nil
}

// excludedNamespaces returns the namespaces that are left alone: those that the registration always leaves out, and the Profile's.
func excludedNamespaces(spec *v1alpha1.ProfileSpec, own string) []string {
	all := []string{"kube-system", "kube-node-lease"}
	if own != "" {
		all = append(all, own)
	}
	all = append(all, spec.ExcludedNamespaces...)
	slices.Sort(all)
	return slices.Compact(all)
}

// Revision names the Profile, the exceptions and the policy set: two engines with one revision give the same answers.
func (e *Engine) Revision() string { return e.revision }

// Profile returns the Profile in force, with the action of every policy written out.
func (e *Engine) Profile() *v1alpha1.Profile {
	p := *e.profile
	p.Spec.Policies = map[string]v1alpha1.PolicySetting{}
	for _, policy := range e.policies.Policies() {
		setting := v1alpha1.PolicySetting{Action: v1alpha1.Action(policy.Action), Namespaces: e.profile.Spec.Policies[policy.ID].Namespaces}
		if string(policy.Parameters) != "{}" && len(policy.Parameters) > 0 {
			setting.Parameters = &runtime.RawExtension{Raw: policy.Parameters}
		}
		p.Spec.Policies[policy.ID] = setting
	}
	return &p
}

// InForce is [Engine.Profile] with the sidecar as it is filled in: two Profiles that are in force alike are the same, however they are
// written.
func (e *Engine) InForce() *v1alpha1.Profile {
	p := e.Profile()
	if container, volumes := e.defaults.SidecarInForce(); container != nil {
		sidecar := &p.Spec.Defaults.Sidecar
		sidecar.Container, sidecar.Volumes = &runtime.RawExtension{Raw: container}, []runtime.RawExtension{}
		for _, v := range volumes {
			sidecar.Volumes = append(sidecar.Volumes, runtime.RawExtension{Raw: v})
		}
	}
	return p
}

// Policies returns the policies that are loaded, sorted by id.
func (e *Engine) Policies() []policies.Policy { return e.policies.Policies() }

// Review answers one request. It never fails: what could not be decided is in the result.
func (e *Engine) Review(ctx context.Context, r Request) Result {
	res := Result{
		Source:    r.Source,
		Operation: r.Operation,
		Allowed:   true,
		Revision:  e.revision,
		Undecided: []Undecided{}, Defaults: []Filled{}, Preview: []Filled{}, Skipped: []Skipped{},
		Violations: []Violation{}, Warnings: []string{}, Patch: []object.Operation{},
	}
	if !r.Once {
		res.Object = r.reference()
	}
	if field, alone := e.leavesAlone(&r); alone {
		res.Skipped = append(res.Skipped, Skipped{ID: "*", Reason: defaults.ExcludedNamespace, Field: field})
		res.Reviewed = r.reviewed()
		return res
	}
	if r.Steps != Judge && r.object.there() && r.Subresource == "" && e.filling[r.kind] {
		e.fill(&r, &res)
	}
	res.Reviewed = r.reviewed()
	if r.Steps != Fill && e.asks(&r) {
		return e.judged(ctx, r, res)
	}
	return res
}

// leavesAlone reports whether the object lies in an excluded namespace, and which field says so. A Namespace lies in itself: the
// namespaceSelector of the registration sees it that way too.
func (e *Engine) leavesAlone(r *Request) (field string, alone bool) {
	if r.kind == (object.GroupKind{Kind: "Namespace"}) {
		return "metadata.name", slices.Contains(e.excluded, r.objectName())
	}
	if r.kind == (object.GroupKind{Kind: "ConfigMap"}) && r.NamespaceName == awsAuthNamespace && r.objectName() == awsAuth {
		return "", false
	}
	return "metadata.namespace", slices.Contains(e.excluded, r.NamespaceName)
}

// fill fills r's object, or, where the caller may review the request again, a copy that takes its place.
func (e *Engine) fill(r *Request, res *Result) {
	o := r.object.get()
	if !r.Once {
		o = copyOf(o)
		r.object = part{whole: o}
	}
	out := e.defaults.Fill(defaults.Request{
		Operation:     string(r.Operation),
		Object:        o,
		Old:           r.old.get(),
		Namespace:     r.Namespace,
		NamespaceName: r.NamespaceName,
	})
	res.Patch = orEmpty(out.Patch)
	res.Defaults = orEmpty(out.Filled)
	res.Preview = orEmpty(out.Preview)
	res.Skipped = orEmpty(out.Skipped)
	res.Warnings = orEmpty(out.Warnings)
}

// orEmpty makes a list that is never null in JSON.
func orEmpty[T any](all []T) []T {
	if all == nil {
		return []T{}
	}
	return all
}

// reference names the object of the request: the new one, or on DELETE the old one.
func (r *Request) reference() Reference {
	version := r.version
	if r.kind.Group != "" {
		version = r.kind.Group + "/" + r.version
	}
	return Reference{APIVersion: version, Kind: r.kind.Kind, Namespace: r.NamespaceName, Name: r.objectName()}
}

// objectName is the name of the object of the request, or its generateName.
func (r *Request) objectName() string {
	if r.Name != "" {
		return r.Name
	}
	if o := r.subject(); o != nil {
		return o.Name
	}
	return ""
}

// subject is the object that the request is about; nil for a CONNECT without one.
func (r *Request) subject() *object.Object {
	if r.object.there() {
		return r.object.get()
	}
	return r.old.get()
}

func (r *Request) reviewed() json.RawMessage {
	if !r.object.there() || r.Once {
		return nil
	}
	return r.object.get().Root.Bytes()
}

// names derives the names for o, the object of the request as it is or was; nil for a CONNECT without one.
func (e *Engine) names(r *Request, o *object.Object) convention.Names {
	if o == nil {
		return convention.Derive(e.spec, r.Namespace, "", "")
	}
	account := ""
	if o.GroupKind() == (object.GroupKind{Kind: "ServiceAccount"}) {
		account = o.Name
	}
	return convention.Derive(e.spec, r.Namespace, defaults.App(o), account)
}
