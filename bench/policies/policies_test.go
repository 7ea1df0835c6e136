package policies_test

import (
	"os"
	"strings"
	"testing"

	ten "github.com/gesso-dev/gesso/bench/policies"
	"github.com/gesso-dev/gesso/policies"
)

// A benchmark of policies that do not do what they say would be one of nothing.
func TestSamples(t *testing.T) {
	results, problems := policies.Test(t.Context(), policies.TestOptions{Sources: []policies.Source{{Name: "bench", FS: os.DirFS(".")}}})
	for _, p := range problems {
		t.Error(p)
	}
	if len(results) < 20 {
		t.Errorf("there are %d samples, want two of each policy", len(results))
	}
	for _, r := range results {
		if !r.Passed {
			t.Errorf("%s %s fails", r.Policy, r.Name)
		}
	}
}

func TestTen(t *testing.T) {
	set, problems := policies.Load(t.Context(), []policies.Source{ten.Source()}, nil)
	for _, p := range problems {
		t.Error(p)
	}
	var ids []string
	for _, p := range set.Policies() {
		ids = append(ids, p.ID)
	}
	if len(ids) != 10 {
		t.Errorf("the policies are %s, want ten", strings.Join(ids, ", "))
	}
}
