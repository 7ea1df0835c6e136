package defaults

import (
	"bytes"
	"encoding/json"
	"sync"
	"testing"

	"github.com/gesso-dev/gesso/defaults/record"
)

// TestAllocations holds how many pieces of memory filling asks for. The numbers are what it asks for today and a little more: who raises
// one should know why.
func TestAllocations(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector asks for memory of its own")
	}
	budgets := map[string]float64{
		"create, five": 72 + 4, "create, built-in": 152 + 8, "create": 182 + 10,
		"create, five, 10 containers": 224 + 12, "create, five, 60 containers": 915 + 45,
		"pod of a controller": 3,
		"again, five":         8, "again": 8,
		"same manifest, five": 101 + 5, "same manifest": 159 + 8,
		"deploy, five": 153 + 8, "deploy": 305 + 15,
		"deploy by apply, five": 443 + 22, "deploy by apply": 988 + 50,
	}
	for _, f := range fillings(t) {
		budget, ok := budgets[f.name]
		if !ok {
			t.Fatalf("no budget for %q", f.name)
		}
		fill := f.ready(t)
		if got := testing.AllocsPerRun(20, func() { fill() }); got > budget {
			t.Errorf("%s: %v allocations, want at most %v", f.name, got, budget)
		} else if got < budget*0.8 {
			t.Errorf("%s: %v allocations: lower the budget of %v", f.name, got, budget)
		}
	}
}

// TestPatchSize holds how many bytes the patch of a minimal Deployment has, the record included: they go to the API server, and the
// record into every ReplicaSet and Pod.
func TestPatchSize(t *testing.T) {
	t.Parallel()
	budgets := map[string]int{
		"create, five": 1613, "create, built-in": 1613, "create": 5699, // with the sidecar, most of which is written down twice
		"deploy by apply, five": 670, // the record anew, because the author's part is another
		"again":                 0, "pod of a controller": 0,
	}
	for _, f := range fillings(t) {
		budget, ok := budgets[f.name]
		if !ok {
			continue
		}
		delete(budgets, f.name)
		out, _ := f.ready(t)()
		size := 0
		if len(out.Patch) > 0 {
			raw, err := json.Marshal(out.Patch)
			if err != nil {
				t.Fatal(err)
			}
			size = len(raw)
		}
		if size > budget {
			t.Errorf("%s: the patch has %d bytes, want at most %d", f.name, size, budget)
		}
	}
	if len(budgets) > 0 {
		t.Errorf("budgets of nothing: %v", budgets)
	}
}

// TestParsedStays holds that filling copies what it changes: the nodes of the request may be read by others at the same time, and again
// afterwards. The set is one for all of them, too.
func TestParsedStays(t *testing.T) {
	t.Parallel()
	for _, f := range fillings(t) {
		r := f.request(t, f.input)
		parsed, before := r.Object.Root, r.Object.Root.Canonical()
		var old []byte
		if r.Old != nil {
			old = r.Old.Root.Canonical()
		}
		var results [4][]byte
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() {
				r := r
				o := *r.Object
				r.Object = &o
				out := f.set.Fill(r)
				results[i] = append(mustJSON(out), o.Root.Bytes()...)
			})
		}
		all.Wait()
		for _, result := range results[1:] {
			if !bytes.Equal(result, results[0]) {
				t.Errorf("%s: two of the same at the same time differ:\n%s\n%s", f.name, results[0], result)
			}
		}
		if !bytes.Equal(parsed.Canonical(), before) {
			t.Errorf("%s: the object that was parsed became %s", f.name, parsed.Canonical())
		}
		if r.Old != nil && !bytes.Equal(r.Old.Root.Canonical(), old) {
			t.Errorf("%s: the old object became %s", f.name, r.Old.Root.Canonical())
		}
	}
}

// TestRandomParsedStays holds the same, and that the base of a record is the hash of what is left when the record is subtracted, however
// it was found.
func TestRandomParsedStays(t *testing.T) {
	t.Parallel()
	sets, spaces := profiles(t), namespaces()
	g := newGenerator(3)
	bases := 0
	// An empty list that is filled is no longer in the author's part; without the filling it would be.
	empty := bytes.Replace(minimal("shop:1"), []byte(`"image"`), []byte(`"securityContext":{"capabilities":{"add":["X"],"drop":[]}},"image"`), 1)
	for i := range 1500 {
		f := fixture{operation: "CREATE", input: g.object(), namespace: spaces[g.IntN(len(spaces))]}
		if i%100 == 0 {
			f.input = empty
		}
		if g.IntN(2) == 0 {
			f.operation, f.old = "UPDATE", g.object()
		}
		r := f.request(t, f.input)
		parsed, before := r.Object.Root, r.Object.Root.Canonical()
		sets[g.IntN(len(sets))].one.Fill(r)
		if !bytes.Equal(parsed.Canonical(), before) {
			t.Fatalf("object %d: %s became %s", i, f.input, parsed.Canonical())
		}
		tpl := r.Object.Template()
		if tpl == nil || len(f.old) > 0 {
			continue
		}
		template := parse(t, r.Object.Root.Bytes()).Root.Get(tpl.Path...)
		if rec, _ := record.Of(template); rec != nil && rec.Base != "" {
			bases++
			if want := record.Base(template, rec); rec.Base != want {
				t.Errorf("object %d: the base of %s is %s, want %s", i, r.Object.Root.Bytes(), rec.Base, want)
			}
		}
	}
	if bases < 50 {
		t.Errorf("only %d records with a base were looked at", bases)
	}
}
