package policies

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// TestPrevious: a policy whose new version does not load serves on in its old one, and nothing else does.
func TestPrevious(t *testing.T) {
	v1, other := policy("x", `deny contains "one"`), policy("other", `deny contains "other"`)
	before := load(t, nil, join(v1, other))
	broken := map[string]string{"x/x.rego": "package gesso.policies.y\n"}
	for name, tc := range map[string]struct {
		source   Source
		settings map[string]Setting
		want     []string // messages
		stale    string   // ids
		problems []string
	}{
		"nothing new":   {join(v1, other), nil, []string{"other", "one"}, "", nil},
		"a new version": {join(policy("x", `deny contains "two"`), other), nil, []string{"other", "two"}, "", nil},
		"gone":          {join(other), nil, []string{"other"}, "", nil},
		"a version that does not load": {join(broken, other), nil, []string{"other", "one"}, "x", []string{
			"dir/x/x.rego:1:1: the package is gesso.policies.y; in this folder it must be gesso.policies.x (the version before serves on)",
		}},
		"a setting that does not fit": {join(v1, other), map[string]Setting{"x": {Parameters: []byte(`{"a":1}`)}}, []string{"other", "one"}, "x", []string{
			`policy x: parameter "a": the policy takes no parameters (the version before serves on)`,
		}},
		"a file that cannot be read": {Source{Name: "dir", FS: unreadableFile{join(v1, other).FS, "x/x.rego"}}, nil, []string{"other", "one"}, "x", []string{
			"dir/x/x.rego: cannot be read: permission denied (the version before serves on)",
		}},
		"the whole directory gone": {Source{Name: "dir", FS: fstest.MapFS{}}, nil, []string{"other", "one"}, "other x", []string{
			"dir: holds no policy; each policy is a folder with .rego files in it",
			"dir/other: is gone, as are all policies of dir (the version before serves on)",
			"dir/x: is gone, as are all policies of dir (the version before serves on)",
		}},
		"another that does not load": {join(v1, other, map[string]string{"z/z.rego": "package z"}), nil, []string{"other", "one"}, "", []string{
			"dir/z/z.rego:1:1: the package is z; in this folder it must be gesso.policies.z",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			set, problems := Load(t.Context(), []Source{tc.source}, tc.settings, Previous(before))
			if diff := cmp.Diff(tc.problems, problemTexts(problems)); diff != "" {
				t.Errorf("problems: -want +got:\n%s", diff)
			}
			var stale, got []string
			for _, p := range set.Policies() {
				if p.Stale {
					stale = append(stale, p.ID)
				}
			}
			if strings.Join(stale, " ") != tc.stale {
				t.Errorf("stale are %v; want %s", stale, tc.stale)
			}
			for _, v := range set.Evaluate(t.Context(), pod(`{"object":{}}`)).Violations {
				got = append(got, v.Message)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if fresh, _ := Load(t.Context(), []Source{tc.source}, tc.settings); (fresh.Revision() == set.Revision()) != (tc.stale == "") {
				t.Errorf("the revision is %s, and without what was before %s", set.Revision(), fresh.Revision())
			}
			// What serves on is well again when its text is.
			healed, problems := Load(t.Context(), []Source{join(v1, other)}, nil, Previous(set))
			for _, p := range healed.Policies() {
				if p.Stale || len(problems) > 0 {
					t.Errorf("healed: %+v %v", p, problems)
				}
			}
			if healed.Revision() != before.Revision() {
				t.Error("healed, and another revision")
			}
		})
	}
}

// TestPreviousAction: a policy that serves on in an earlier version can be switched off, and not on.
func TestPreviousAction(t *testing.T) {
	broken := source(map[string]string{"x/x.rego": "package gesso.policies.y\n"})
	for _, tc := range []struct{ before, now, want Action }{
		{Deny, Off, Off}, {Warn, "", Deny}, {Off, Deny, Off}, {Deny, "nonsense", Deny},
	} {
		before := load(t, map[string]Setting{"x": {Action: tc.before}}, join(policy("x", `deny contains "x"`)))
		after, problems := Load(t.Context(), []Source{broken}, map[string]Setting{"x": {Action: tc.now}}, Previous(before))
		if got := after.Policies()[0]; got.Action != tc.want || !got.Stale || len(problems) != 1 {
			t.Errorf("%+v: %s, stale %t, %v", tc, got.Action, got.Stale, problems)
		}
		if after.Matches(pod(`{}`)) != (tc.want != Off) {
			t.Errorf("%+v: is not in force as it should be", tc)
		}
	}
}

func TestQuarantined(t *testing.T) {
	settings := map[string]Setting{"nobody": {}}
	set, problems := Load(t.Context(), []Source{join(policy("x", `deny contains 1 +`), policy("y", `deny contains "y"`)), {Name: "none"}}, settings)
	if len(problems) != 3 {
		t.Errorf("problems are %v", problems)
	}
	if got := set.Quarantined(); len(got) != 1 || got[0].Policy != "x" || got[0].Line != 9 || got[0].Stale {
		t.Errorf("quarantined are %+v", got)
	}
}

// TestPreviousIsTakenOver: what has not changed is not compiled again, and keeps its health.
func TestPreviousIsTakenOver(t *testing.T) {
	x, y := policy("x", `deny contains "x"`), policy("y", `deny contains "y"`)
	before := load(t, nil, join(x, y))
	after, _ := Load(t.Context(), []Source{join(x, policy("y", `deny contains "new"`))}, nil, Previous(before))
	if after.policy("x").health != before.policy("x").health || after.policy("y").health == before.policy("y").health {
		t.Error("x is new or y is old")
	}
	if after, _ = Load(t.Context(), []Source{join(x)}, map[string]Setting{"x": {Action: Warn}}, Previous(before)); after.policy("x").Action != Warn {
		t.Error("a new setting is not in force")
	}
	if after, _ = Load(t.Context(), []Source{join(x)}, nil, Previous(before), WithPrint(func(string, string, int, string) {})); after.policy("x").health == before.policy("x").health {
		t.Error("a policy without its print statements is taken over")
	}
}

func TestLoadGivenUp(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := load(t, nil, join(policy("x", `deny contains "x"`)))
	set, _ := Load(ctx, []Source{join(policy("x", `deny contains "y"`))}, nil, Previous(before))
	if list := set.Policies(); len(list) != 1 { // whichever of the two was first
		t.Errorf("policies are %+v", list)
	}
}

func TestPrintKept(t *testing.T) {
	rules := "deny contains \"no\" if {\n\tprint(\"object:\", input.request.object, input.nothing)\n\thelp\n}\n\nhelp if print(\"help\")\n"
	rules = strings.Replace(rules, ", input.nothing", ", input.request.object.nothing", 1)
	var (
		mu  sync.Mutex
		got []string
	)
	set, problems := Load(t.Context(), []Source{join(policy("x", rules))}, nil, WithPrint(func(policy, file string, line int, text string) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %s:%d %s", policy, file, line, text))
	}))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if decision := set.Evaluate(t.Context(), pod(`{"object":{"a":1}}`)); len(decision.Violations) != 1 {
		t.Errorf("decision is %+v", decision)
	}
	mu.Lock()
	defer mu.Unlock()
	want := []string{`x dir/x/x.rego:10 object: {"a": 1} <undefined>`, "x dir/x/x.rego:14 help"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// unreadableFile is a tree with one file that cannot be opened.
type unreadableFile struct {
	fs.FS
	name string
}

func (u unreadableFile) Open(name string) (fs.File, error) {
	if name == u.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return u.FS.Open(name)
}
