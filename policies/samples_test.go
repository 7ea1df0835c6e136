package policies

import (
	"os"
	"path/filepath"
	"testing"
	"time"
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

// source of the library as it lies in the tree, with tests and samples.
func libraryTree() Source { return Source{Name: "library", FS: os.DirFS("library")} }

// TestLibrary runs every Rego test and every sample of the library: a refused one says with "# want: <policy> <field>" what is found, and
// nothing else may be; in an accepted one that line names a warning.
func TestLibrary(t *testing.T) {
	results, problems := Test(t.Context(), TestOptions{Sources: []Source{libraryTree()}, Timeout: 5 * time.Minute})
	for _, problem := range problems {
		t.Error(problem)
	}
	cases := map[string]int{}
	for _, r := range results {
		cases[r.Policy+" "+r.Kind]++
		t.Run(r.Policy+"/"+r.Name, func(t *testing.T) {
			if !r.Passed {
				t.Errorf("%s:%d: %s\n%s\nwant %s\ngot  %s\n%s", r.File, r.Line, r.Failure.Reason, r.Failure.Variables, r.Failure.Expected, r.Failure.Got, r.Output)
			}
		})
	}
	for _, id := range libraryIDs(t) {
		if cases[id+" rego"] < 3 {
			t.Errorf("%s has %d Rego test cases; one that is accepted, one that is refused and one with the field absent are the least", id, cases[id+" rego"])
		}
		for _, verdict := range []string{"accepted", "refused"} {
			files, err := filepath.Glob(filepath.Join("library", id, "samples", verdict, "*.yaml"))
			if err != nil || len(files) < 3 {
				t.Errorf("%s has %d %s samples; three are the least", id, len(files), verdict)
			}
		}
	}
}
