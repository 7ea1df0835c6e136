package policies

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/demand"
	"github.com/gesso-dev/gesso/policies/value"
)

// libraryReviews are the reviews of all samples of the library, and of some Pods that no author should write.
func libraryReviews(tb testing.TB) []Review {
	tb.Helper()
	set := load(tb, nil, Library())
	names, err := filepath.Glob("library/*/samples/*/*.yaml")
	if err != nil || len(names) < 100 {
		tb.Fatalf("%d samples, %v", len(names), err)
	}
	var reviews []Review
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		s := Sample{File: name}
		if err := s.read(text); err != nil {
			tb.Fatalf("%s: %v", name, err)
		}
		r, err := s.review(set, func(*Sample, *Namespace) Names {
			return Names{Environment: "prod", App: "shop", Expected: map[string]any{"roleArn": "arn", "secretScopes": []string{"/prod/team-a/"}}}
		})
		if err != nil {
			tb.Fatal(err)
		}
		reviews = append(reviews, r)
	}
	for _, spec := range []string{
		`"x"`, `[]`, `null`, `{"containers":{"image":"a","name":"b","kind":"c"},"initContainers":{"restartPolicy":"Always"},"volumes":{"name":"v","image":{"reference":"r"}}}`,
		`{"containers":["x",null,3,{"image":3,"name":4,"ref":{"ok":true},"path":"x"}],"initContainers":[{"restartPolicy":"Always","name":"s","image":null}],"volumes":[1,{"image":null},{"image":[]},{"image":{},"name":"w"}]}`,
	} {
		reviews = append(reviews, pod(`{"namespace":"team-a","object":{"spec":`+spec+`}}`))
	}
	return reviews
}

// input is the whole input of a policy.
func inputOf(tb testing.TB, r Review, n *need) ast.Value {
	tb.Helper()
	v, err := newView(r, n)
	if err != nil {
		tb.Fatal(err)
	}
	return v.input(ast.ObjectTerm(), ast.ObjectTerm())
}

// projected is what a demand keeps of a value that is there as a whole.
func projected(tb testing.TB, v ast.Value, want *demand.Node) ast.Value {
	tb.Helper()
	plain, err := ast.JSON(v)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := json.Marshal(plain)
	if err != nil {
		tb.Fatal(err)
	}
	kept, err := value.Parse(text, want)
	if err != nil {
		tb.Fatal(err)
	}
	return kept
}

// someDemand asks for parts of a value, and here and there for what is not in it.
func someDemand(random *rand.Rand, v ast.Value, depth int) *demand.Node {
	n := &demand.Node{All: random.IntN(10) == 0 && depth > 0}
	if random.IntN(10) == 0 && depth > 0 {
		n.Kid([]string{"image", "kind", "ref", "nothing"}[random.IntN(4)])
	}
	switch v := v.(type) {
	case ast.Object:
		v.Foreach(func(key, content *ast.Term) {
			name, _ := text(key)
			switch random.IntN(6) {
			case 0, 1, 2:
				n.Kid(name).Add(someDemand(random, content.Value, depth+1))
			case 3:
				if depth > 0 && random.IntN(4) == 0 {
					n.Each().Add(someDemand(random, content.Value, depth+1))
				}
			}
		})
	case *ast.Array:
		if v.Len() > 0 && random.IntN(4) > 0 {
			n.Each().Add(someDemand(random, v.Elem(random.IntN(v.Len())).Value, depth+1))
		}
	}
	return n
}

// TestNeed: whatever policies read, a view made for that holds the same there as the whole one.
func TestNeed(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 8))
	smaller, whole := 0, 0
	for _, r := range libraryReviews(t) {
		all := inputOf(t, r, nil)
		for range 40 {
			want := someDemand(random, all, 0)
			got := inputOf(t, r, newNeed(r.Group, r.Kind, want))
			folded := want.Fold()
			if a, b := projected(t, all, folded), projected(t, got, folded); a.Compare(b) != 0 {
				t.Fatalf("%s\ndemand %v\nwhole     %v\nprojected %v", r.Request, paths(want), a, b)
			}
			smaller, whole = smaller+len(got.String()), whole+len(all.String())
		}
	}
	if smaller > whole*3/4 {
		t.Errorf("%d bytes are left of %d: hardly anything was left out", smaller, whole)
	}
}

func paths(n *demand.Node) []string {
	var list []string
	for path := range n.Paths() {
		list = append(list, path)
	}
	return list
}

// TestNeedPaths shows the mapping: what of a request is parsed for what is read of the view.
func TestNeedPaths(t *testing.T) {
	for name, tc := range map[string]struct {
		group, kind string
		want        func(*demand.Node)
		parsed      string
	}{
		"nothing":               {"", "Pod", func(*demand.Node) {}, "namespace"},
		"the request":           {"", "Pod", func(n *demand.Node) { n.Kid("request", "object", "metadata", "name"); n.Kid("request", "operation") }, "namespace object.metadata.name operation"},
		"the pod":               {"apps", "Deployment", func(n *demand.Node) { n.Kid("pod", "hostNetwork") }, "namespace object.spec.template.spec.hostNetwork"},
		"the pod of a CronJob":  {"batch", "CronJob", func(n *demand.Node) { n.Kid("pod").All = true }, "namespace object.spec.jobTemplate.spec.template.spec.**"},
		"the pod of no Pod":     {"", "Secret", func(n *demand.Node) { n.Kid("pod").All = true; n.Kid("images").All = true }, "namespace"},
		"a field of containers": {"", "Pod", func(n *demand.Node) { n.Kid("containers").Each().Kid("securityContext", "privileged") }, lists("securityContext.privileged")},
		"what is ours":          {"", "Pod", func(n *demand.Node) { e := n.Kid("containers").Each(); e.Kid("path"); e.Kid("ref", "tag") }, lists("image")},
		"the kind": {
			"", "Pod", func(n *demand.Node) { n.Kid("containers").Each().Kid("kind") },
			"namespace object.spec.containers.* object.spec.ephemeralContainers.* object.spec.initContainers.*.restartPolicy",
		},
		"images": {"", "Pod", func(n *demand.Node) { n.Kid("images").Each().Kid("ref", "registry") }, lists("image") + " object.spec.volumes.*.image.reference"},
		"beside the request": {"", "Pod", func(n *demand.Node) {
			n.Kid("namespace", "labels").Each()
			n.Kid("expected").All = true
			n.Kid("user", "name")
			n.Kid("parameters").All = true
		}, "namespace"},
	} {
		t.Run(name, func(t *testing.T) {
			want := &demand.Node{}
			tc.want(want)
			got := paths(newNeed(tc.group, tc.kind, want).request)
			got = slices.DeleteFunc(got, func(path string) bool { // what may stand in the place of a list is for TestNeed
				list, below, _ := strings.Cut(strings.TrimPrefix(path, "object.spec."), ".")
				return (list == "volumes" || strings.HasSuffix(strings.ToLower(list), "containers")) && !strings.HasPrefix(below, "*")
			})
			parsed := strings.Fields(tc.parsed)
			slices.Sort(parsed)
			slices.Sort(got)
			if diff := cmp.Diff(parsed, slices.Compact(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	each := &demand.Node{}
	each.Each().Kid("x")
	for name, n := range map[string]*need{"nil": newNeed("", "Pod", nil), "all": newNeed("", "Pod", demand.Whole()), "any field": newNeed("", "Pod", each)} {
		if n.request != nil || !n.user || !n.app || !n.environment || n.expected == nil || n.namespace == nil || !n.containers.ref || !n.images.listed {
			t.Errorf("%s: %+v is not everything", name, n)
		}
	}
}

// lists is a path in the elements of each list of containers.
func lists(path string) string {
	all := []string{"namespace"}
	for _, list := range []string{"containers", "ephemeralContainers", "initContainers"} {
		all = append(all, "object.spec."+list+".*."+path)
	}
	return strings.Join(all, " ")
}

// TestNeedsNoNames: the convention is not asked where nobody reads what it derives.
func TestNeedsNoNames(t *testing.T) {
	r := pod(`{"object":{}}`)
	r.Derive = func(bool) Names {
		t.Error("asked")
		return Names{}
	}
	want := &demand.Node{}
	want.Kid("request", "operation")
	inputOf(t, r, newNeed(r.Group, r.Kind, want))
}
