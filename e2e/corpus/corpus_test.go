package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// variable names a file of real objects; relative to the working directory of the test.
const variable = "GESSO_CORPUS"

// entry is one object of a corpus.
type entry struct {
	source string
	raw    json.RawMessage
	object *unstructured.Unstructured
}

// TestExamples puts the examples and a minimal object of each kind through all that the corpus is put through, so that it is known to work without one.
func TestExamples(t *testing.T) {
	var entries []entry
	files, err := filepath.Glob(filepath.Join(shared.root, "examples", "*", "*.yaml"))
	if err != nil || len(files) < 8 {
		t.Fatalf("examples: %d files, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for document := range strings.SplitSeq("\n"+string(raw), "\n---") {
			object, err := yaml.YAMLToJSON([]byte(document))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if e, ok := newEntry(filepath.Base(file), object); ok && e.object.GetKind() != "Namespace" {
				entries = append(entries, e)
			}
		}
	}
	for kind, manifest := range kinds() {
		raw, err := yaml.YAMLToJSON([]byte(manifest))
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := newEntry("minimal "+kind, raw); ok {
			entries = append(entries, e)
		}
	}
	putThrough(t, "example", entries, 12)
}

// TestCorpus puts real objects through: see the documentation of the package.
func TestCorpus(t *testing.T) {
	file := os.Getenv(variable)
	if file == "" {
		t.Skipf("%s names no file of objects", variable)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	for line := range bytes.Lines(data) {
		var read struct {
			Source string          `json:"source"`
			Object json.RawMessage `json:"object"`
		}
		if err := json.Unmarshal(line, &read); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		e, ok := newEntry(fmt.Sprintf("line %d, %s", len(entries)+1, read.Source), read.Object)
		if !ok {
			t.Fatalf("%s: %s is no object", file, e.source)
		}
		entries = append(entries, e)
	}
	putThrough(t, "corpus", entries, 1)
}

func newEntry(source string, raw []byte) (entry, bool) {
	e := entry{source: source, raw: raw, object: &unstructured.Unstructured{}}
	return e, e.object.UnmarshalJSON(raw) == nil
}

func (e entry) String() string {
	return fmt.Sprintf("%s: %s %s", e.source, e.object.GetKind(), e.object.GetName())
}

// putThrough holds for every object that gesso review takes it, and for every object that the API server accepts without Gesso what
// is said at each pass. It wants atLeast of those.
func putThrough(t *testing.T, name string, entries []entry, atLeast int) {
	t.Helper()
	reviewAll(t, entries)
	namespace(t, name)
	namespace(t, name+"-plain", "gesso.dev/irsa=enabled")
	namespace(t, name+"-restricted", "gesso.dev/irsa=enabled", "gesso.dev/level=restricted")
	accounts(t, entries, name, name+"-plain", name+"-restricted")

	was := make([]*unstructured.Unstructured, len(entries)) // nil: not accepted
	sum := newSummary(t, "accepted without Gesso")
	each(t, entries, sum, func(i int, e entry) {
		o, err := dryRun(t.Context(), name, e.object)
		if sum.count(e, err == nil); err != nil {
			return
		}
		was[i] = o
	})
	if got := sum.print(); got < atLeast {
		t.Fatalf("%d objects are accepted without Gesso, want at least %d", got, atLeast)
	}

	g, stop := serve(t, profile(t, everything()))
	filledAll(t, entries, was, g, name+"-plain", map[string]string{"gesso.dev/irsa": "enabled"})
	storedAll(t, entries, was, g, name, map[string]string{"gesso.dev/irsa": "enabled"})
	stop()
	g, stop = serve(t, profile(t))
	filledAll(t, entries, was, g, name+"-restricted", map[string]string{"gesso.dev/irsa": "enabled", "gesso.dev/level": "restricted"})
	stop()
}

// accounts makes the accounts that Pods name: without them no Pod is accepted.
func accounts(t *testing.T, entries []entry, namespaces ...string) {
	t.Helper()
	made := map[string]bool{"default": true, "": true}
	for _, e := range entries {
		account, _, _ := unstructured.NestedString(e.object.Object, "spec", "serviceAccountName")
		if e.object.GetKind() != "Pod" || made[account] {
			continue
		}
		made[account] = true
		for _, ns := range namespaces {
			// A name that the API server does not take is one that the Pod is refused for.
			_, _, _ = shared.cp.Kubectl(t.Context(), "create", "serviceaccount", account, "--namespace", ns)
		}
	}
}

// reviewAll puts every object through gesso review, with the built-in Profile and its policies and with every default enforced.
func reviewAll(t *testing.T, entries []entry) {
	t.Helper()
	for _, flags := range [][]string{nil, offline(t, profile(t, everything())).flags} {
		sum := newSummary(t, fmt.Sprintf("reviewed (%d flags)", len(flags)))
		results := reviewed(t, entries, sum, flags...)
		for i, r := range results {
			sum.count(entries[i], r != nil)
		}
		if sum.print() != len(entries) {
			t.Errorf("not every object was reviewed")
		}
	}
}

// reviewed runs gesso review over the objects, many at once; nil stands for one that it could not read.
func reviewed(t *testing.T, entries []entry, sum *summary, flags ...string) []*result {
	t.Helper()
	all := make([]*result, 0, len(entries))
	const batch = 100
	for start := 0; start < len(entries); start += batch {
		some := entries[start:min(start+batch, len(entries))]
		results, err := review(t, raws(some), flags...)
		if err == nil {
			for _, r := range results {
				all = append(all, &r)
			}
			continue
		}
		for _, e := range some { // which of them?
			one, err := review(t, raws([]entry{e}), flags...)
			if err != nil {
				sum.fail(e, "gesso review: %v", err)
				all = append(all, nil)
				continue
			}
			all = append(all, &one[0])
		}
	}
	return all
}

func raws(entries []entry) []json.RawMessage {
	var all []json.RawMessage
	for _, e := range entries {
		all = append(all, e.raw)
	}
	return all
}

// each calls do for every object, from several goroutines, and says how far it is.
func each(t *testing.T, entries []entry, sum *summary, do func(i int, e entry)) {
	t.Helper()
	const workers = 8
	var wg sync.WaitGroup
	next := make(chan int)
	for range workers {
		wg.Go(func() {
			for i := range next {
				do(i, entries[i])
			}
		})
	}
	said := time.Now()
	for i := range entries {
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			fmt.Fprintf(os.Stderr, "%s: %d of %d\n", sum.what, i, len(entries))
		}
		next <- i
	}
	close(next)
	wg.Wait()
}
