package admission_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/policies"
)

// nothing is an inventory of the whole library that has been read and is empty.
func nothing() *policies.Snapshot {
	set := library()[0]
	all := policies.NewInventory(set)
	for _, kind := range set.InventoryKinds() {
		all.MarkSynced(kind.Group, kind.Kind)
	}
	return all.Snapshot()
}

// setup is what an engine of a test decides by.
type setup struct {
	profile    string // the spec of a Profile, YAML; empty for the built-in one
	exceptions []string
	policies   map[string]string // beside the library: id → Rego, see rego
	own        string
}

// engine makes an engine whose policies have time enough on a busy machine.
func (s setup) engine(t testing.TB) *admission.Engine {
	t.Helper()
	profile := v1alpha1.Builtin()
	if s.profile != "" {
		profile = decodeProfile(t, "apiVersion: gesso.dev/v1alpha1\nkind: Profile\nmetadata: {name: test}\nspec:\n"+indent(s.profile))
	}
	return s.with(t, profile)
}

// library is the library compiled under both Profiles: to compile it takes longer than most tests.
var library = sync.OnceValue(func() []*policies.Set {
	profiles := []*v1alpha1.Profile{v1alpha1.Builtin()}
	if raw, err := os.ReadFile("../examples/profile.yaml"); err == nil {
		if example, err := v1alpha1.DecodeProfile(raw); err == nil {
			profiles = append(profiles, example)
		}
	}
	var sets []*policies.Set
	load := func(settings map[string]policies.Setting) {
		set, _ := policies.Load(context.Background(), []policies.Source{policies.Library()}, settings, policies.Reusing(sets...))
		sets = append(sets, set)
	}
	for _, p := range profiles {
		load(admission.Settings(p))
	}
	load(onlyTwo(sets[0], map[string]policies.Setting{}))
	return sets
})

// onlyTwo switches off all policies of which the settings say nothing but image-tag and external-secret-scope: two are enough to
// judge by, unless a test asks for more.
func onlyTwo(library *policies.Set, settings map[string]policies.Setting) map[string]policies.Setting {
	for _, p := range library.Policies() {
		if _, said := settings[p.ID]; !said && p.ID != "image-tag" && p.ID != "external-secret-scope" {
			settings[p.ID] = policies.Setting{Action: policies.Off}
		}
	}
	return settings
}

func (s setup) with(t testing.TB, profile *v1alpha1.Profile) *admission.Engine {
	t.Helper()
	sources := []policies.Source{policies.Library()}
	if len(s.policies) > 0 {
		files := fstest.MapFS{}
		for id, text := range s.policies {
			files[id+"/"+id+".rego"] = &fstest.MapFile{Data: []byte(text)}
		}
		sources = append(sources, policies.Source{Name: "test", FS: files})
	}
	settings := onlyTwo(library()[0], admission.Settings(profile))
	set, problems := policies.Load(t.Context(), sources, settings, policies.Reusing(library()...))
	for _, p := range problems {
		t.Fatal(p)
	}
	var exceptions []v1alpha1.Exception
	for _, text := range s.exceptions {
		x, err := v1alpha1.DecodeException([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		exceptions = append(exceptions, *x)
	}
	e, err := admission.New(admission.Config{
		Profile: profile, Policies: set.WithDeadline(time.Minute), Exceptions: exceptions, OwnNamespace: s.own,
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func decodeProfile(t testing.TB, text string) *v1alpha1.Profile {
	t.Helper()
	p, err := v1alpha1.DecodeProfile([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// exampleProfile is examples/profile.yaml, in which everything is switched on.
func exampleProfile(t testing.TB) *v1alpha1.Profile {
	t.Helper()
	return decodeProfile(t, string(read(t, "../examples/profile.yaml")))
}

// rego is a policy that matches the kinds, YAML in flow style, and has the rules.
func rego(id, kinds, rules string, operations ...string) string {
	match := "kinds: " + kinds
	if kinds == "pods" {
		match = "pods: true"
	}
	if len(operations) > 0 {
		match += ", operations: [" + strings.Join(operations, ", ") + "]"
	}
	return fmt.Sprintf("# METADATA\n# title: %s\n# custom:\n#   gesso:\n#     match: {%s}\npackage gesso.policies.%s\n\n%s\n",
		id, match, strings.ReplaceAll(id, "-", "_"), rules)
}

// question is one AdmissionRequest, its objects in YAML.
type question struct {
	operation   admission.Operation // CREATE, or UPDATE where there is an old object
	subresource string
	object, old string
	user        string
	groups      []string
	steps       admission.Steps
	namespace   *convention.Namespace // nil: the namespace of the object, without labels
	now         time.Time
	noFacts     bool
}

// now is the time of every review that does not say another.
func now() time.Time { return time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC) }

// request makes what the API server would send.
func (q question) request(t testing.TB) admission.Request {
	t.Helper()
	raw := q.raw(t)
	r, err := admission.Decode(raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	r.Steps, r.Now, r.Namespace, r.Inventory = q.steps, q.now, q.namespace, nothing()
	if r.Now.IsZero() {
		r.Now = now()
	}
	if r.Namespace == nil && r.NamespaceName != "" && !q.noFacts {
		r.Namespace = &convention.Namespace{Name: r.NamespaceName}
	}
	return r
}

func (q question) raw(t testing.TB) []byte {
	t.Helper()
	object, old := toJSON(t, q.object), toJSON(t, q.old)
	one := object
	if q.object == "" {
		one = old
	}
	var head struct {
		APIVersion, Kind string
		Metadata         struct{ Name, Namespace string }
	}
	if err := json.Unmarshal(one, &head); err != nil {
		t.Fatal(err)
	}
	group, version, grouped := strings.Cut(head.APIVersion, "/")
	if !grouped {
		group, version = "", head.APIVersion
	}
	operation := q.operation
	if operation == "" {
		operation = admission.Create
		if q.old != "" {
			operation = admission.Update
		}
	}
	user, groups := q.user, append([]string{"system:authenticated"}, q.groups...)
	if user == "" {
		user = "developer"
	}
	raw, err := json.Marshal(map[string]any{
		"uid": "00000000-0000-0000-0000-000000000001", "operation": operation, "subResource": q.subresource,
		"kind":     map[string]string{"group": group, "version": version, "kind": head.Kind},
		"resource": map[string]string{"group": group, "version": version, "resource": strings.ToLower(head.Kind) + "s"},
		"name":     head.Metadata.Name, "namespace": head.Metadata.Namespace,
		"userInfo": map[string]any{"username": user, "groups": groups},
		"object":   object, "oldObject": old, "dryRun": false,
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// toJSON turns YAML into JSON; nothing is null.
func toJSON(t testing.TB, text string) json.RawMessage {
	t.Helper()
	if text == "" {
		return json.RawMessage("null")
	}
	raw, err := yaml.YAMLToJSONStrict([]byte(text))
	if err != nil {
		t.Fatalf("%v in:\n%s", err, text)
	}
	return raw
}

// pod is a Pod of team-a with an image and further lines of metadata.
func pod(image string, metadata ...string) string {
	return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\n  namespace: team-a\n" + indent(strings.Join(metadata, "\n")) +
		"spec:\n  containers:\n    - name: web\n      image: " + image + "\n"
}

// deployment is a Deployment of team-a with an image for each of its containers.
func deployment(images ...string) string {
	text := "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  namespace: team-a\nspec:\n  selector: {matchLabels: {app: web}}\n" +
		"  template:\n    metadata: {labels: {app: web}}\n    spec:\n      containers:\n"
	for i, image := range images {
		text += fmt.Sprintf("        - name: c%d\n          image: %s\n", i, image)
	}
	return text
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + line)
	}
	if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
		return s + "\n"
	}
	return b.String()
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// manifest is one object of a file in the repository.
type manifest struct {
	source string
	raw    []byte
}

// manifests returns every object of the examples, and of the samples of the library: what is known to be filled and judged.
func manifests(t testing.TB) []manifest {
	t.Helper()
	var all []manifest
	for pattern, atLeast := range map[string]int{"../examples/*/*.yaml": 8, "../policies/library/*/samples/*/*.yaml": 15} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) < atLeast {
			t.Fatalf("%d files %s, want at least %d: was the folder moved?", len(files), pattern, atLeast)
		}
		for n, file := range files {
			if strings.Contains(pattern, "samples") && n%4 != 0 {
				continue // every fourth sample is enough: all are judged in the tests of policies
			}
			for i, document := range strings.Split(string(read(t, file)), "\n---\n") {
				all = append(all, manifest{fmt.Sprintf("%s#%d", file, i+1), toJSON(t, document)})
			}
		}
	}
	return all
}

// offline makes the request of gesso review for an object, in a namespace that opted in to everything.
func (m manifest) offline(t testing.TB, steps admission.Steps) admission.Request {
	t.Helper()
	o, err := object.New(m.raw)
	if err != nil {
		t.Fatalf("%s: %v", m.source, err)
	}
	resource, namespaced := object.Scope(o.GroupKind())
	namespace := ""
	if namespaced {
		namespace = o.Namespace
		if namespace == "" {
			namespace = "team-a"
		}
	}
	r, err := admission.NewRequest(o, nil, resource, namespace, admission.User{Name: "developer"})
	if err != nil {
		t.Fatalf("%s: %v", m.source, err)
	}
	r.Steps, r.Now, r.Inventory = steps, now(), nothing()
	if namespaced {
		r.Namespace = &convention.Namespace{Name: namespace, Labels: map[string]string{"gesso.dev/irsa": "enabled", "gesso.dev/pods": "enabled"}}
	}
	return r
}
