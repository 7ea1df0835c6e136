package admission

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies"
)

// Finding is something that a policy finds wrong with what Gesso itself fills.
type Finding struct {
	Policy string `json:"policy"`
	// Action is what the policy would do: with deny, nobody could deploy.
	Action string `json:"action"`
	// Default is the one that filled the field; empty where no single one did.
	Default string `json:"default"`
	// Object is the sample in which it was found first.
	Object  Reference `json:"object"`
	Field   string    `json:"field"`
	Message string    `json:"message"`
	Fix     string    `json:"fix"`
}

// Text is the finding as one line for people.
func (f Finding) Text() string {
	who := "what Gesso fills"
	if f.Default != "" {
		who = "what " + f.Default + " fills"
	}
	verb := map[string]string{string(policies.Deny): "would be denied", string(policies.Warn): "would be warned of"}[f.Action]
	if verb == "" {
		verb = "would be noted"
	}
	text := Violation{Policy: f.Policy, Message: f.Message, Fix: f.Fix}.Text()
	return fmt.Sprintf("%s %s in every %s: %s: %s", who, verb, f.Object.Kind, f.Field, text)
}

// ownPatience is how long one policy may take over one sample: nobody waits, and a policy that is late here must not be set aside for
// it in the reviews of others.
const ownPatience = 10 * time.Second

// JudgeOwn fills objects of an ordinary developer and judges them: what a policy then refuses, the developer could do nothing about.
// It reports what lies in the fields that were filled or in the sidecar, and what nothing was said about before filling; what the
// samples lack themselves it leaves out. A result that ctx cut short is empty.
func (e *Engine) JudgeOwn(ctx context.Context) []Finding {
	patient := *e
	patient.policies = e.policies.WithDeadline(ownPatience)
	inventory := policies.NewInventory(patient.policies)
	for _, kind := range patient.policies.InventoryKinds() { // a cluster with nothing in it
		inventory.MarkSynced(kind.Group, kind.Kind)
	}
	world := inventory.Snapshot()
	var all []Finding
	for _, ns := range e.sampleNamespaces() {
		for _, sample := range e.samples(ns.Name) {
			for _, f := range patient.judgeSample(ctx, sample, ns, world) {
				if !slices.ContainsFunc(all, func(o Finding) bool { return o.Policy == f.Policy && o.Action == f.Action && o.Message == f.Message }) {
					all = append(all, f)
				}
			}
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	slices.SortStableFunc(all, func(a, b Finding) int { return strings.Compare(a.Policy, b.Policy) })
	return all
}

func (e *Engine) judgeSample(ctx context.Context, sample *object.Object, ns *convention.Namespace, world *policies.Snapshot) []Finding {
	resource, _ := object.Scope(sample.GroupKind())
	developer := User{Name: "developer", Groups: []string{"system:authenticated"}}
	r, err := NewRequest(sample, nil, resource, ns.Name, developer)
	if err != nil {
		panic(fmt.Sprintf("judge sample: %v", err)) // ours, and always the same
	}
	r.Namespace, r.Inventory = ns, world
	filled := e.Review(ctx, r)
	if len(filled.Violations)+len(filled.Undecided) == 0 {
		return nil
	}
	r.Steps = Judge
	bare := e.Review(ctx, r)
	made := e.made(&filled)
	var all []Finding
	add := func(policy, action, field, message, fix string, new bool) {
		id, own := made.by(field)
		if own || new {
			all = append(all, Finding{policy, action, id, filled.Object, field, message, fix})
		}
	}
	for _, v := range filled.Violations {
		if v.Exception == "" {
			add(v.Policy, v.Action, v.Field, v.Message, v.Fix, !slices.ContainsFunc(bare.Violations, func(b Violation) bool {
				return b.Policy == v.Policy && b.Message == v.Message
			}))
		}
	}
	for _, u := range filled.Undecided {
		add(u.Policy, u.Action, "", "could not decide: "+u.Reason, "", !slices.ContainsFunc(bare.Undecided, func(b Undecided) bool {
			return b.Policy == u.Policy
		}))
	}
	return all
}

// made is what was filled in one object: the default of each field.
type made []madeField

type madeField struct{ field, id string }

// made returns what was filled. The sidecar is Gesso's in all its fields, whichever default filled them.
func (e *Engine) made(r *Result) made {
	var all made
	for _, d := range r.Defaults {
		for _, path := range d.Paths {
			all = append(all, madeField{fieldOf(path), d.ID})
		}
	}
	if o, err := object.New(r.Reviewed); err == nil && o.Template() != nil {
		for _, c := range o.Template().Containers() {
			if c.Name != "" && c.Name == e.defaults.Sidecar() {
				all = append(all, madeField{object.FieldPath(c.Path...), "sidecar"})
			}
		}
	}
	return all
}

// by returns the default that made a field, or made what it lies in; the one that is nearest.
func (m made) by(field string) (id string, own bool) {
	longest := -1
	for _, f := range m {
		below := field == f.field || strings.HasPrefix(field, f.field+".") || strings.HasPrefix(field, f.field+"[")
		if below && len(f.field) > longest {
			id, own, longest = f.id, true, len(f.field)
		}
	}
	return id, own
}

// fieldOf writes a JSON pointer the way Kubernetes names fields.
func fieldOf(pointer string) string {
	tokens := strings.Split(strings.TrimPrefix(pointer, "/"), "/")
	for i := range tokens {
		tokens[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(tokens[i])
	}
	return object.FieldPath(tokens...)
}

// maxSampleNamespaces bounds how many namespaces the samples stand in, whatever a Profile names.
const maxSampleNamespaces = 16

// sampleNamespaces returns the namespaces that the samples stand in: an ordinary one, one at the restricted level, and one for each
// entry by which the Profile enforces a default in some namespaces.
func (e *Engine) sampleNamespaces() []*convention.Namespace {
	name := "sample"
	for slices.Contains(e.excluded, name) {
		name += "-1"
	}
	selectors := []v1alpha1.NamespaceSelector{{}, {Labels: map[string]string{v1alpha1.LevelLabel: v1alpha1.LevelRestricted}}}
	for _, setting := range e.spec.Defaults.Settings() {
		for _, entry := range setting.Namespaces {
			if entry.Mode == v1alpha1.ModeEnforce {
				selectors = append(selectors, entry.NamespaceSelector)
			}
		}
	}
	var all []*convention.Namespace
	for _, s := range selectors {
		ns := &convention.Namespace{
			Name:        name,
			Labels:      map[string]string{convention.IRSALabel: convention.Enabled},
			Annotations: map[string]string{convention.IngressHostsAnnotation: sampleHost},
		}
		if i := slices.IndexFunc(s.Names, func(n string) bool { return !slices.Contains(e.excluded, n) }); i >= 0 {
			ns.Name = s.Names[i]
		}
		maps.Copy(ns.Labels, s.Labels)
		ns.Labels["kubernetes.io/metadata.name"] = ns.Name
		known := slices.ContainsFunc(all, func(o *convention.Namespace) bool { return o.Name == ns.Name && maps.Equal(o.Labels, ns.Labels) })
		if !known && len(all) < maxSampleNamespaces {
			all = append(all, ns)
		}
	}
	return all
}

const sampleHost = "sample.example"

// samples returns one object of each kind that matters, as an ordinary developer writes them: what a default fills is left out, and
// what every policy of the library wants besides is there. The app listens where the sidecar does not.
func (e *Engine) samples(namespace string) []*object.Object {
	name, number := "http", "8080"
	if e.portTaken(namespace, name, number) {
		name, number = "sample", "18080"
	}
	return sampleObjects(namespace, name, number)
}

// portTaken reports whether the sidecar has the port of the samples, so that they would be left without it.
func (e *Engine) portTaken(namespace, name, number string) bool {
	out := e.defaults.Fill(defaults.Request{
		Operation: string(Create), Object: sampleObjects(namespace, name, number)[0], Namespace: &convention.Namespace{Name: namespace}, NamespaceName: namespace,
	})
	return slices.ContainsFunc(out.Skipped, func(s Skipped) bool { return s.ID == "sidecar" && s.Reason == defaults.PortConflict })
}

func sampleObjects(namespace, port, number string) []*object.Object {
	spec := `"serviceAccountName":"sample","containers":[{"name":"app","image":"registry.example/sample:0123456789abcdef0123456789abcdef01234567",` +
		`"ports":[{"name":"` + port + `","containerPort":` + number + `}],"readinessProbe":{"tcpSocket":{"port":` + number + `}}}]`
	once := spec + `,"restartPolicy":"Never"`
	labels := `"labels":{"app.kubernetes.io/name":"sample"}`
	selector := `"selector":{"matchLabels":{"app.kubernetes.io/name":"sample"}}`
	template := func(spec string) string { return `"template":{"metadata":{` + labels + `},"spec":{` + spec + `}}` }
	var all []*object.Object
	for _, o := range [][3]string{
		{"apps/v1", "Deployment", `"spec":{` + selector + `,` + template(spec) + `}`},
		{"apps/v1", "StatefulSet", `"spec":{"serviceName":"sample",` + selector + `,` + template(spec) + `}`},
		{"apps/v1", "DaemonSet", `"spec":{` + selector + `,` + template(spec) + `}`},
		{"batch/v1", "CronJob", `"spec":{"schedule":"0 * * * *","jobTemplate":{"spec":{` + template(once) + `}}}`},
		{"batch/v1", "Job", `"spec":{` + template(once) + `}`},
		{"v1", "Pod", `"spec":{` + spec + `}`},
		{"v1", "ServiceAccount", `"automountServiceAccountToken":false`},
		{"networking.k8s.io/v1", "Ingress", `"spec":{"rules":[{"host":"` + sampleHost + `","http":{"paths":[{"path":"/","pathType":"Prefix",` +
			`"backend":{"service":{"name":"sample","port":{"name":"http"}}}}]}}]}`},
	} {
		sample, err := object.New([]byte(`{"apiVersion":"` + o[0] + `","kind":"` + o[1] + `","metadata":{"name":"sample","namespace":"` + namespace +
			`",` + labels + `},` + o[2] + `}`))
		if err != nil {
			panic(fmt.Sprintf("make sample: %v", err))
		}
		all = append(all, sample)
	}
	return all
}
