package policies

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/internal/txtest"
	"github.com/gesso-dev/gesso/policies/value"
)

// whole is what some policies cannot do without, with the reason; no other reads an object, a spec, metadata or a container whole.
var wholeReads = map[string]map[string]string{
	"cluster-secret-store": {
		"request.object.spec.**":    "a change of anything in the spec is what it looks for",
		"request.oldObject.spec.**": "a change of anything in the spec is what it looks for",
	},
	"inline-credentials": {"containers.*.**": "a credential may stand in any text of a container"},
	"ingress-class-guard": {
		"request.object.*.**":    "a change of anything but what controllers write is what it looks for",
		"request.oldObject.*.**": "a change of anything but what controllers write is what it looks for",
	},
}

// TestReads holds the paths that each policy of the library reads: a change of a policy that makes it read more shows in review.
// `go test ./policies -run TestReads -update` writes them.
func TestReads(t *testing.T) {
	const file = "testdata/reads.txt"
	set := load(t, nil, Library())
	var text strings.Builder
	for _, p := range set.Policies() {
		fmt.Fprintf(&text, "%s\n", p.ID)
		for path, node := range set.Reads(p.ID).Paths() {
			fmt.Fprintf(&text, "  %s\n", path)
			if large(path) && wholeReads[p.ID][path] == "" {
				t.Errorf("%s reads %s; because of\n  %s", p.ID, path, strings.Join(node.Why, "\n  "))
			}
		}
		for path := range wholeReads[p.ID] {
			if !slices.Contains(paths(set.Reads(p.ID)), path) {
				t.Errorf("%s does not read %s any more", p.ID, path)
			}
		}
	}
	if txtest.Updating() {
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("what the library reads: -want +got (-update writes it):\n%s", diff)
	}
}

// large reports whether a path stands for a whole object, or for a part of which an author would not say that it is needed whole.
func large(path string) bool {
	under, all := strings.CutSuffix(path, "**")
	return all && slices.Contains([]string{
		"", "request.", "request.object.", "request.object.*.", "request.object.spec.", "request.object.metadata.",
		"request.oldObject.", "request.oldObject.*.", "request.oldObject.spec.", "request.oldObject.metadata.",
		"pod.", "pod.*.", "pod.securityContext.", "pod.volumes.", "pod.volumes.*.", "containers.", "containers.*.", "images.", "images.*.",
		"request.object.spec.template.", "request.object.spec.template.spec.", "expected.", "namespace.", "inventory.", "inventory.*.",
	}, under)
}

// maxKept is how much of the reference Pod a policy may keep, in bytes of JSON.
const maxKept = 25 // percent

// TestKept holds how much of a request for a usual Pod is parsed for each policy that matches Pods.
func TestKept(t *testing.T) {
	review, err := os.ReadFile("value/testdata/pod.json")
	if err != nil {
		t.Fatal(err)
	}
	whole := requestOf(t, review)
	set := load(t, nil, Library())
	judged := 0
	for _, p := range set.policies {
		if !p.Match.targets()[target{kind: "Pod", operation: "CREATE"}] || len(wholeReads[p.ID]) > 0 {
			continue
		}
		judged++
		kept, err := value.Parse([]byte(whole), newNeed("", "Pod", p.reads()).request)
		if err != nil {
			t.Fatal(err)
		}
		if percent := 100 * len(kept.String()) / len(whole); percent > maxKept {
			var why []string
			for path, node := range p.reads().Paths() {
				why = append(why, fmt.Sprintf("%s %s", path, strings.Join(node.Why, ", ")))
			}
			t.Errorf("%s keeps %d%% of the Pod; it reads\n  %s", p.ID, percent, strings.Join(why, "\n  "))
		}
	}
	if judged < 8 {
		t.Errorf("only %d policies match a Pod", judged)
	}
}

func requestOf(t testing.TB, review []byte) string {
	t.Helper()
	parsed, err := value.Parse(review, nil)
	if err != nil {
		t.Fatal(err)
	}
	request, err := parsed.Find(ast.MustParseRef("x.request")[1:])
	if err != nil {
		t.Fatal(err)
	}
	return request.String()
}
