package defaults

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
	"github.com/gesso-dev/gesso/internal/txtest"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// pair is two sets made of one Profile: two replicas.
type pair struct{ one, two *Set }

// profiles are the Profiles that the property tests run with.
func profiles(tb testing.TB) []pair {
	tb.Helper()
	all := []string{`{}`}
	for _, change := range []string{`{"mode":"preview"}`, `{"optOut":"forbidden"}`, `{"cpuLimit":"500m"}`} {
		settings := map[string]json.RawMessage{}
		for _, d := range List() {
			if !strings.Contains(change, "cpuLimit") || d.ID == "resources" {
				settings[d.ID] = json.RawMessage(change)
			}
		}
		all = append(all, fmt.Sprintf(`{"spec":{"defaults":%s}}`, mustJSON(settings)))
	}
	// Two previews among what is enforced: they must not see each other's work twice.
	all = append(all, `{"spec":{"defaults":{"sidecar":{"mode":"preview"},"resources":{"mode":"preview"}}}}`,
		`{"spec":{"defaults":{"sidecar":{"container":{"args":["{app} {namespace} {environment}"],"securityContext":{"runAsNonRoot":true}}}}}}`)
	// Modes that depend on the namespace, and on what is known of it.
	entries := `{"mode":"preview","namespaces":[{"names":["team-b"],"mode":"off"},{"labels":{"gesso.dev/level":"restricted"},"mode":"enforce"}]}`
	settings := map[string]json.RawMessage{}
	for i, d := range List() {
		if i%2 == 0 {
			settings[d.ID] = json.RawMessage(entries)
		}
	}
	all = append(all, fmt.Sprintf(`{"spec":{"defaults":%s}}`, mustJSON(settings)))
	var pairs []pair
	for _, over := range all {
		raw := overlay(tb, profileOf(tb, ""), []byte(over))
		one, err := newSet(tb, raw)
		if err != nil {
			tb.Fatal(err)
		}
		two, err := newSet(tb, raw)
		if err != nil {
			tb.Fatal(err)
		}
		pairs = append(pairs, pair{one, two})
	}
	return pairs
}

func namespaces() []*convention.Namespace {
	return []*convention.Namespace{
		{Name: "team-a", Labels: map[string]string{convention.IRSALabel: "enabled", convention.PodsLabel: "enabled"}},
		{Name: "team-a", Labels: map[string]string{v1alpha1.LevelLabel: v1alpha1.LevelRestricted}},
		{Name: "team-a"},
		nil,
	}
}

// TestRandomObjects holds the properties of filling over objects that nobody thought of, the same ones in each run.
func TestRandomObjects(t *testing.T) {
	t.Parallel()
	const objects = 2000
	sets, spaces := profiles(t), namespaces()
	g := newGenerator(1)
	acted := map[string]int{}
	for i := range objects {
		f := fixture{operation: "CREATE", input: g.object(), namespace: spaces[g.IntN(len(spaces))]}
		if g.IntN(3) == 0 {
			f.operation, f.old = "UPDATE", f.input
			if g.IntN(2) == 0 {
				f.old = g.object()
			}
		}
		p := sets[g.IntN(len(sets))]
		for _, filled := range checkFill(t, f, p.one, p.two).Filled {
			acted[filled.ID]++
		}
		if t.Failed() {
			t.Fatalf("object %d: %s of %s\nold: %s", i, f.operation, f.input, f.old)
		}
	}
	for _, d := range List() { // a generator that makes only what nobody fills would prove nothing
		if acted[d.ID] < objects/100 {
			t.Errorf("%s acted on %d of %d objects", d.ID, acted[d.ID], objects)
		}
	}
}

// seeds are the inputs of all fixtures, as JSON.
func seeds(tb testing.TB) []fixture {
	tb.Helper()
	var all []fixture
	for _, d := range List() {
		for _, s := range txtest.Sections(tb, filepath.Join("testdata", d.ID), "input.yaml", 3) {
			all = append(all, readFixture(tb, "", func(name string) ([]byte, bool) { return s.Data, name == "input.yaml" }))
		}
	}
	if len(all) < fixtureCount {
		tb.Fatalf("%d seeds, want at least %d", len(all), fixtureCount)
	}
	return all
}

// TestFixturesUnderAllProfiles holds the properties for the input of every fixture with everything switched on.
func TestFixturesUnderAllProfiles(t *testing.T) {
	t.Parallel()
	sets, spaces := profiles(t), namespaces()
	for n, f := range seeds(t) {
		for i, p := range sets {
			if (n+i)%2 == 0 {
				continue // half of the pairs are plenty, and neighbours among the fixtures are alike
			}
			f.namespace = spaces[(n/2+i)%len(spaces)]
			if checkFill(t, f, p.one, p.two); t.Failed() {
				t.Fatalf("profile %d: %s", i, f.input)
			}
		}
	}
}

// FuzzFill looks for an object, whatever is in it, that breaks a property or panics.
func FuzzFill(f *testing.F) {
	for i, s := range seeds(f) {
		f.Add(s.input, s.old, byte(i))
	}
	g := newGenerator(2)
	for i := range 50 {
		f.Add(g.object(), g.object(), byte(i))
	}
	sets, spaces := profiles(f), namespaces()
	f.Fuzz(func(t *testing.T, input, old []byte, choice byte) {
		if _, err := object.New(input); err != nil {
			return
		}
		x := fixture{operation: "CREATE", input: input, namespace: spaces[int(choice)%len(spaces)]}
		if _, err := object.New(old); err == nil && choice >= 128 {
			x.operation, x.old = "UPDATE", old
		}
		p := sets[int(choice)%len(sets)]
		checkFill(t, x, p.one, p.two)
	})
}

// TestCorpus runs the properties over a file of real objects, one {"object": …} a line, where GESSO_CORPUS names one: such files
// are too large to keep here.
func TestCorpus(t *testing.T) {
	path := os.Getenv("GESSO_CORPUS")
	if path == "" {
		t.Skip("GESSO_CORPUS names no file")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sets := profiles(t)
	for line := range strings.Lines(string(data)) {
		var entry struct {
			Object json.RawMessage `json:"object"`
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		for i, p := range sets {
			f := fixture{operation: "CREATE", input: entry.Object, namespace: namespaces()[0]}
			if checkFill(t, f, p.one, p.two); t.Failed() {
				t.Fatalf("profile %d: %s", i, entry.Object)
			}
		}
	}
}
