package policies

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// load is Load with no problem allowed and time enough for a busy machine.
func load(tb testing.TB, settings map[string]Setting, sources ...Source) *Set {
	tb.Helper()
	set, problems := Load(tb.Context(), sources, settings)
	for _, problem := range problems {
		tb.Error(problem)
	}
	return set.WithDeadline(30 * time.Second)
}

// review makes the request that the API server would send for a new object in YAML. Its namespace has the scopes of DESIGN.md.
func review(tb testing.TB, manifest []byte) Review {
	tb.Helper()
	object, err := yaml.YAMLToJSONStrict(manifest)
	if err != nil {
		tb.Fatal(err)
	}
	var header struct {
		APIVersion, Kind string
		Metadata         struct {
			Name, Namespace string
			Labels          map[string]string
		}
	}
	if err := json.Unmarshal(object, &header); err != nil {
		tb.Fatal(err)
	}
	group, version, grouped := strings.Cut(header.APIVersion, "/")
	if !grouped {
		group, version = "", header.APIVersion
	}
	namespace, app := header.Metadata.Namespace, header.Metadata.Labels["app.kubernetes.io/name"]
	request, err := json.Marshal(map[string]any{
		"uid": "00000000-0000-0000-0000-000000000001", "operation": "CREATE",
		"kind": map[string]string{"group": group, "version": version, "kind": header.Kind},
		"name": header.Metadata.Name, "namespace": namespace,
		"userInfo": map[string]any{"username": "dev", "groups": []string{"system:authenticated"}},
		"object":   json.RawMessage(object),
	})
	if err != nil {
		tb.Fatal(err)
	}
	return Review{
		Group: group, Version: version, Kind: header.Kind, Operation: "CREATE", Request: request,
		Namespaced: true, Namespace: &Namespace{Name: namespace}, Environment: "prod", App: app,
		Expected: map[string]any{
			"secretScopes":    []string{"/prod/" + namespace + "/"},
			"appSecretScopes": []string{"/prod/" + namespace + "/" + app + "/"},
		},
	}
}

// TestSamples holds every sample of the library against every policy of it: a refused one says with "# want: <policy> <field>" what is
// found, and nothing else may be; in an accepted one that line names a warning.
func TestSamples(t *testing.T) {
	set := load(t, nil, Library())
	for _, id := range libraryIDs(t) {
		for _, verdict := range []string{"accepted", "refused"} {
			files, err := filepath.Glob(filepath.Join("library", id, "samples", verdict, "*.yaml"))
			if err != nil {
				t.Fatal(err)
			}
			if len(files) < 3 {
				t.Errorf("%s has %d %s samples; three are the least", id, len(files), verdict)
			}
			for _, name := range files {
				t.Run(name, func(t *testing.T) { checkSample(t, set, id, name, verdict == "refused") })
			}
		}
	}
}

func checkSample(t *testing.T, set *Set, id, name string, refused bool) {
	manifest, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for line := range strings.Lines(string(manifest)) {
		if wanted, found := strings.CutPrefix(line, "# want: "); found {
			want = append(want, strings.TrimSpace(wanted))
		}
	}
	r := review(t, manifest)
	if !set.Matches(r) {
		t.Fatalf("no policy is for this sample: %s/%s", r.Group, r.Kind)
	}
	decision := set.Evaluate(t.Context(), r)
	for _, undecided := range decision.Undecided {
		t.Errorf("%s could not decide: %s", undecided.Policy, undecided.Reason)
	}
	var got []string
	for _, violation := range decision.Violations {
		if denied := violation.Action == Deny; denied != refused {
			t.Errorf("%s: %s", violation.Action, violation.Text())
		}
		got = append(got, violation.Policy+" "+violation.Field)
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("violations: -want +got:\n%s", diff)
	}
	if refused && !slices.ContainsFunc(want, func(w string) bool { return strings.HasPrefix(w, id+" ") }) {
		t.Errorf("the sample does not say what %s finds in it: # want: %s <field>", id, id)
	}
}
