package defaults

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

func TestKinds(t *testing.T) {
	set, err := newSet(t, profileOf(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"deployments": "apps/v1 CREATE UPDATE", "statefulsets": "apps/v1 CREATE UPDATE", "daemonsets": "apps/v1 CREATE UPDATE",
		"cronjobs": "batch/v1 CREATE UPDATE", "jobs": "batch/v1 CREATE", "replicasets": "apps/v1 CREATE",
		"replicationcontrollers": "/v1 CREATE", "pods": "/v1 CREATE", "serviceaccounts": "/v1 CREATE UPDATE",
		"ingresses": "networking.k8s.io/v1 CREATE UPDATE",
	}
	for _, k := range set.Kinds() {
		got := k.Group + "/" + k.Version + " " + strings.Join(k.Operations, " ")
		if want[k.Resource] != got {
			t.Errorf("%s: %s, want %s", k.Resource, got, want[k.Resource])
		}
		delete(want, k.Resource)
		if resource, namespaced := object.Scope(k.GroupKind); resource != k.Resource || !namespaced {
			t.Errorf("%s: scope says %s, namespaced %v", k.Resource, resource, namespaced)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	// What is off is not registered; what is previewed is.
	set, err = newSet(t, overlay(t, profileOf(t, "ingress-class"), []byte(`{"spec":{"defaults":{"ingress-class":{"mode":"preview"}}}}`)))
	if err != nil {
		t.Fatal(err)
	}
	if kinds := set.Kinds(); len(kinds) != 1 || kinds[0].Kind != "Ingress" {
		t.Errorf("kinds are %v", kinds)
	}
}

// TestBuiltin holds that the built-in Profile needs nothing: what has no values yet says so.
func TestBuiltin(t *testing.T) {
	set, err := New(v1alpha1.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{operation: "CREATE", input: []byte(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[{"name":"web","ports":[{"containerPort":80}]}]}}`)}
	report := string(reportLines("", checkFill(t, f, set, set)))
	for _, want := range []string{
		"filled read-only-root-filesystem", "filled resources", "skipped sidecar not-configured", "skipped irsa not-configured",
	} {
		if !strings.Contains(report, want) {
			t.Errorf("%q is not in\n%s", want, report)
		}
	}
}

// TestOtherKinds holds that nothing is said about kinds that no default acts on, nor about the same name in another group.
func TestOtherKinds(t *testing.T) {
	set := profiles(t)[0].one
	for _, doc := range []string{
		`{"apiVersion":"v1","kind":"Service","spec":{}}`,
		`{"apiVersion":"example.dev/v1","kind":"Deployment","spec":{"template":{"spec":{"containers":[{"name":"web"}]}}}}`,
		`{"apiVersion":"v1","kind":"PodTemplate","template":{"spec":{"containers":[{"name":"web"}]}}}`,
		`{"apiVersion":"v1","kind":"List","items":[]}`,
	} {
		f := fixture{operation: "CREATE", input: []byte(doc)}
		if out := set.Fill(f.request(t, f.input)); len(out.Patch)+len(out.Skipped)+len(out.Filled)+len(out.Warnings) > 0 {
			t.Errorf("%s: %+v", doc, out)
		}
	}
}

func TestVolumeName(t *testing.T) {
	seen := map[string]string{}
	for _, container := range []string{"web", strings.Repeat("a", 53), strings.Repeat("a", 54), strings.Repeat("a", 63), strings.Repeat("a", 62) + "b"} {
		for _, path := range []string{"/tmp", "/app", "/app/tmp"} {
			name := volumeName(container, path)
			if len(name) > 63 || !strings.HasPrefix(name, "gesso-tmp-") {
				t.Errorf("%s at %s: %s", container, path, name)
			}
			if other, twice := seen[name]; twice {
				t.Errorf("%s is the name for %s at %s and for %s", name, container, path, other)
			}
			seen[name] = container + " at " + path
		}
	}
	if volumeName("web", "/tmp") != "gesso-tmp-web" {
		t.Errorf("name is %s", volumeName("web", "/tmp"))
	}
}

// TestEffortIsLinear holds that a Pod with many containers costs so many times more than one with a few, not the square of it.
func TestEffortIsLinear(t *testing.T) {
	set := profiles(t)[0].one
	effort := func(n int) float64 {
		var containers []string
		for i := range n {
			containers = append(containers, fmt.Sprintf(`{"name":"c%d"}`, i))
		}
		f := fixture{operation: "CREATE", input: []byte(`{"apiVersion":"v1","kind":"Pod","spec":{"containers":[` + strings.Join(containers, ",") + `]}}`)}
		return testing.AllocsPerRun(1, func() { set.Fill(f.request(t, f.input)) })
	}
	if few, many := effort(100), effort(1000); many > 12*few {
		t.Errorf("%.0f allocations for 100 containers, %.0f for 1000", few, many)
	}
}

// TestKindsOfNamespaces holds that a default which is on in some namespace is registered, although it is off everywhere else, and that one
// which is on nowhere is not.
func TestKindsOfNamespaces(t *testing.T) {
	for entries, want := range map[string]int{
		`[]`:                                  0,
		`[{"names":["team-a"],"mode":"off"}]`: 0,
		`[{"names":["team-a"],"mode":"off"},{"labels":{"a":"b"},"mode":"preview"}]`: 1,
		`[{"names":["team-a"],"mode":"enforce"}]`:                                   1,
	} {
		set, err := newSet(t, overlay(t, profileOf(t, "none"), fmt.Appendf(nil, `{"spec":{"defaults":{"ingress-class":{"namespaces":%s}}}}`, entries)))
		if err != nil {
			t.Fatal(err)
		}
		if kinds := set.Kinds(); len(kinds) != want {
			t.Errorf("%s: kinds are %v", entries, kinds)
		}
	}
}

// TestSettings holds that the Profile knows the defaults that there are, and each finds its own setting in it.
func TestSettings(t *testing.T) {
	d := &v1alpha1.Builtin().Spec.Defaults
	settings := maps.Collect(d.Settings())
	for _, one := range List() {
		setting, ok := settings[one.ID]
		if !ok {
			t.Errorf("%s is not in the Profile", one.ID)
			continue
		}
		setting.Mode = v1alpha1.Mode(one.ID)
		if got := one.Setting(d).Mode; got != setting.Mode {
			t.Errorf("%s reads the setting of another default", one.ID)
		}
		delete(settings, one.ID)
	}
	for id := range settings {
		t.Errorf("the Profile has %s, which is no default", id)
	}
}

// TestNames holds that docs/names.md explains every default and every reason, and names none that there is not.
func TestNames(t *testing.T) {
	page, err := os.ReadFile("../docs/names.md")
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, d := range List() {
		ids = append(ids, d.ID)
	}
	for heading, want := range map[string][]string{"## Default ids": ids, "## Skip reasons": reasons(t)} {
		_, section, _ := strings.Cut(string(page), "\n"+heading+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		var got []string
		for line := range strings.Lines(section) {
			if name, rest, ok := strings.Cut(strings.TrimPrefix(line, "| `"), "` | "); ok && strings.HasPrefix(line, "| `") && len(rest) > len("|\n") {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		want = slices.Sorted(slices.Values(want))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-there is +explained):\n%s", heading, diff)
		}
	}
}
