package policies

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamespaceActions(t *testing.T) {
	x := join(policy("x", "deny contains \"d\"\n\nwarn contains \"w\""))
	prod := map[string]string{"env": "prod"}
	for name, tc := range map[string]struct {
		setting Setting
		facts   *Namespace // of the namespace team-a; nil is unknown
		want    []string
	}{
		"no entry":                         {Setting{Action: Audit}, nil, []string{"d audit", "w audit"}},
		"by name":                          {Setting{Action: Warn, Namespaces: []NamespaceAction{{Names: []string{"b", "team-a"}, Action: Deny}}}, nil, []string{"d deny", "w warn"}},
		"another name":                     {Setting{Action: Warn, Namespaces: []NamespaceAction{{Names: []string{"b"}, Action: Deny}}}, nil, []string{"d warn", "w warn"}},
		"by label":                         {Setting{Action: Warn, Namespaces: []NamespaceAction{{Labels: prod, Action: Deny}}}, &Namespace{Name: "team-a", Labels: map[string]string{"env": "prod", "a": "b"}}, []string{"d deny", "w warn"}},
		"another label":                    {Setting{Action: Warn, Namespaces: []NamespaceAction{{Labels: prod, Action: Deny}}}, &Namespace{Name: "team-a", Labels: map[string]string{"env": "dev"}}, []string{"d warn", "w warn"}},
		"name and label, one of them only": {Setting{Action: Warn, Namespaces: []NamespaceAction{{Names: []string{"team-a"}, Labels: prod, Action: Deny}}}, &Namespace{Name: "team-a"}, []string{"d warn", "w warn"}},
		"the first counts":                 {Setting{Namespaces: []NamespaceAction{{Names: []string{"team-a"}, Action: Audit}, {Names: []string{"team-a"}, Action: Deny}}}, nil, []string{"d audit", "w audit"}},
		"off here":                         {Setting{Namespaces: []NamespaceAction{{Names: []string{"team-a"}, Action: Off}}}, nil, nil},
		"on here only":                     {Setting{Action: Off, Namespaces: []NamespaceAction{{Names: []string{"team-a"}, Action: Warn}}}, nil, []string{"d warn", "w warn"}},
		"on elsewhere":                     {Setting{Action: Off, Namespaces: []NamespaceAction{{Names: []string{"b"}, Action: Deny}}}, nil, nil},
		"labels unknown":                   {Setting{Action: Warn, Namespaces: []NamespaceAction{{Labels: prod, Action: Deny}}}, nil, []string{`deny: the Namespace "team-a" is not known yet`}},
		"labels unknown, off otherwise":    {Setting{Action: Off, Namespaces: []NamespaceAction{{Labels: prod, Action: Audit}}}, nil, []string{`audit: the Namespace "team-a" is not known yet`}},
		"labels unknown, the same anyway":  {Setting{Action: Warn, Namespaces: []NamespaceAction{{Labels: prod, Action: Warn}}}, nil, []string{"d warn", "w warn"}},
		"labels unknown, of another name":  {Setting{Action: Warn, Namespaces: []NamespaceAction{{Names: []string{"b"}, Labels: prod, Action: Deny}}}, nil, []string{"d warn", "w warn"}},
		"a name before unknown labels":     {Setting{Action: Warn, Namespaces: []NamespaceAction{{Names: []string{"team-a"}, Action: Deny}, {Labels: prod, Action: Audit}}}, nil, []string{"d deny", "w warn"}},
		"a name behind unknown labels":     {Setting{Action: Off, Namespaces: []NamespaceAction{{Labels: prod, Action: Audit}, {Names: []string{"team-a"}, Action: Warn}}}, nil, []string{`warn: the Namespace "team-a" is not known yet`}},
	} {
		t.Run(name, func(t *testing.T) {
			set := load(t, map[string]Setting{"x": tc.setting}, x)
			r := pod(`{"namespace":"team-a","object":{}}`)
			r.Namespace = tc.facts
			decision := set.Evaluate(t.Context(), r)
			var got []string
			for _, v := range decision.Violations {
				got = append(got, v.Message+" "+string(v.Action))
			}
			for _, u := range decision.Undecided {
				got = append(got, fmt.Sprintf("%s: %s", u.Action, u.Reason))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestNamespaceActionOfNobody: an object without a namespace has the policy's own action; a request that cannot be read has the
// strictest that may be meant.
func TestNamespaceActionOfNobody(t *testing.T) {
	set := load(t, map[string]Setting{"x": {Action: Warn, Namespaces: []NamespaceAction{{Names: []string{"team-a"}, Action: Deny}}}}, join(policy("x", `deny contains "d"`)))
	r := pod(`{"object":{}}`)
	r.Namespaced, r.Namespace = false, nil
	if got := set.Evaluate(t.Context(), r).Violations; len(got) != 1 || got[0].Action != Warn {
		t.Errorf("violations are %+v", got)
	}
	r = pod(`{`)
	r.Namespace = nil
	if got := set.Evaluate(t.Context(), r).Undecided; len(got) != 1 || got[0].Action != Deny {
		t.Errorf("undecided are %+v", got)
	}
}

func TestEnforced(t *testing.T) {
	in := func(actions ...Action) Policy {
		p := Policy{Action: actions[0]}
		for _, a := range actions[1:] {
			p.Namespaces = append(p.Namespaces, NamespaceAction{Names: []string{"a"}, Action: a})
		}
		return p
	}
	for _, tc := range []struct {
		p                 Policy
		enforced, enabled bool
	}{
		{in(Deny), true, true}, {in(Warn), false, true}, {in(Off), false, false}, {in(Off, Off, Deny), true, true}, {in(Off, Audit), false, true}, {in(Deny, Off), true, true},
	} {
		if tc.p.Enforced() != tc.enforced || tc.p.Enabled() != tc.enabled {
			t.Errorf("%+v: enforced %t, enabled %t", tc.p, tc.p.Enforced(), tc.p.Enabled())
		}
	}
}

func TestNamespaceActionProblems(t *testing.T) {
	set, problems := Load(t.Context(), []Source{join(policy("x", `deny contains "d"`))}, map[string]Setting{"x": {Action: "block", Namespaces: []NamespaceAction{
		{Names: []string{"a"}, Action: "no"}, {Action: Deny}, {Names: []string{""}, Action: Deny}, {Names: []string{"a"}, Action: Deny},
	}}})
	want := []string{
		`policy x: action is "block"; it must be deny, warn, audit or off`,
		`policy x: namespaces[0]: action is "no"; it must be deny, warn, audit or off`,
		"policy x: namespaces[1]: selects no namespace; say names or labels",
		"policy x: namespaces[2]: has an empty name",
	}
	got := problemTexts(problems)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" || len(set.Policies()) != 0 {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNamespaceActionRevision: another setting is another revision.
func TestNamespaceActionRevision(t *testing.T) {
	revision := func(list ...NamespaceAction) string {
		return load(t, map[string]Setting{"x": {Namespaces: list}}, join(policy("x", `deny contains "d"`))).Revision()
	}
	one := revision(NamespaceAction{Names: []string{"a"}, Labels: map[string]string{"a": "1", "b": "2"}, Action: Warn})
	if one != revision(NamespaceAction{Names: []string{"a"}, Labels: map[string]string{"b": "2", "a": "1"}, Action: Warn}) {
		t.Error("the same setting gives another revision")
	}
	if one == revision() || one == revision(NamespaceAction{Names: []string{"a"}, Action: Warn}) {
		t.Error("another setting gives the same revision")
	}
}
