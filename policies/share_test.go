package policies

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
)

// TestShared: what differs from policy to policy is found wherever it may stand, and what cannot be rewritten is left alone.
func TestShared(t *testing.T) {
	for rules, want := range map[string]string{ // "" is alone; what is not told apart stays as it is
		`deny contains "no" if input.pod`:                                                                                    `deny contains "no" if input.pod`,
		`deny contains input.parameters.a`:                                                                                   `deny contains input.parameters["x-y"].a`,
		`deny contains input["parameters"].a`:                                                                                `deny contains input.parameters["x-y"].a`,
		`deny contains input.inventory.stores[input.parameters.a[input.parameters.b]]`:                                       `deny contains input.inventory["x-y"].stores[input.parameters["x-y"].a[input.parameters["x-y"].b]]`,
		`deny contains f(input.parameters)`:                                                                                  `deny contains f(input.parameters["x-y"])`,
		`deny contains "no" if some a in input.parameters.list`:                                                              `deny contains "no" if some a in input.parameters["x-y"].list`,
		`deny contains "no" if some a, b in input.inventory`:                                                                 `deny contains "no" if some a, b in input.inventory["x-y"]`,
		`deny contains "no" if every a in input.parameters.list { a == input.parameters.b }`:                                 `deny contains "no" if every a in input.parameters["x-y"].list { a == input.parameters["x-y"].b }`,
		`deny contains "no" if not input.parameters.a`:                                                                       `deny contains "no" if not input.parameters["x-y"].a`,
		`deny contains x if { x := {input.parameters.a: [input.parameters.b]} }`:                                             `deny contains x if { x := {input.parameters["x-y"].a: [input.parameters["x-y"].b]} }`,
		`deny contains x if { x := {input.parameters.a, {input.parameters.b}} }`:                                             `deny contains x if { x := {input.parameters["x-y"].a, {input.parameters["x-y"].b}} }`,
		`deny contains x if { x := [a | some a in {b: c | c := input.parameters.d[b]}] }`:                                    `deny contains x if { x := [a | some a in {b: c | c := input.parameters["x-y"].d[b]}] }`,
		`deny contains x if { x := {a | a := input.parameters[_]} }`:                                                         `deny contains x if { x := {a | a := input.parameters["x-y"][_]} }`,
		"deny contains a if a := b\n\nb := input.parameters.c if input.pod else := input.parameters.d if input.parameters.e": "deny contains a if a := b\n\nb := input.parameters[\"x-y\"].c if input.pod else := input.parameters[\"x-y\"].d if input.parameters[\"x-y\"].e",
		`deny contains "no" if f(1) with input.parameters as {"a": input.parameters.b}`:                                      `deny contains "no" if f(1) with input.parameters["x-y"] as {"a": input.parameters["x-y"].b}`,
		`deny contains "no" if b with input.parameters.a as input.inventory.c`:                                               `deny contains "no" if b with input.parameters["x-y"].a as input.inventory["x-y"].c`,
		`deny contains "no" if b with input.request as {}`:                                                                   `deny contains "no" if b with input.request as {}`,
		"deny contains p[1]\n\np[input.parameters.a] := 1":                                                                   "deny contains p[1]\n\np[input.parameters[\"x-y\"].a] := 1",
		"deny contains \"no\"\n\np.q[input.parameters.a].r contains input.parameters.b":                                      "deny contains \"no\"\n\np.q[input.parameters[\"x-y\"].a].r contains input.parameters[\"x-y\"].b",
		`deny contains $"a {input.parameters.b} c"`:                                                                          `deny contains $"a {input.parameters["x-y"].b} c"`,
		`deny contains "no" if print(input.parameters.a, [input.parameters.b | true])`:                                       `deny contains "no" if print(input.parameters["x-y"].a, [input.parameters["x-y"].b | true])`,
		`deny contains object.get(input, "expected", input.parameters.a)`:                                                    `deny contains object.get(input, "expected", input.parameters["x-y"].a)`,
		`deny contains object.get(input, ["expected", input.parameters.a], {})`:                                              `deny contains object.get(input, ["expected", input.parameters["x-y"].a], {})`,
		`deny contains object.get(input.parameters, "a", {})`:                                                                `deny contains object.get(input.parameters["x-y"], "a", {})`,
		`deny contains data.gesso.policies.x_y.a[input.parameters.b]`:                                                        `deny contains data.gesso.policies.x_y.a[input.parameters["x-y"].b]`,
		"import data.gesso.lib\n\ndeny contains lib.a":                                                                       "import data.gesso.lib\n\ndeny contains lib.a",
		"import input.request.object as o\n\ndeny contains o.a":                                                              "import input.request.object as o\n\ndeny contains o.a",
		`deny contains input`:                                                          "",
		`deny contains a if { some a, _ in input }`:                                    "",
		`deny contains "no" if { x := input; x.parameters }`:                           "",
		`deny contains input[x] if x := "app"`:                                         "",
		`deny contains input[input.app]`:                                               "",
		`deny contains "no" if f with input as {}`:                                     "",
		`deny contains json.marshal({"a": [input]})`:                                   "",
		`deny contains walk(input)`:                                                    "",
		`deny contains object.get(input, "parameters", {})`:                            "",
		`deny contains object.get(input, ["inventory", "a"], {})`:                      "",
		`deny contains object.get(input, input.app, {})`:                               "",
		`deny contains object.get(input, [], {})`:                                      "",
		`deny contains object.get({}, "a", input)`:                                     "",
		`deny contains x if { x := object.get(input, "app", 1) with object.get as f }`: "",
		"deny contains object.get(input, \"app\", 1)\n\nobject.get(a, _, _) := a":      "",
		"deny contains \"no\"\n\np[input.parameters[input]] := 1":                      "",
		"import input.parameters\n\ndeny contains parameters.a":                        "",
		"import input.inventory as i\n\ndeny contains i.a":                             "",
		"import input as i\n\ndeny contains i.parameters":                              "",
		"import data.gesso\n\ndeny contains gesso.lib.a":                               "",
		"import data.gesso.policies\n\ndeny contains policies.other.deny":              "",
		`deny contains data.gesso.policies.other.deny`:                                 "",
		`deny contains data.gesso.policies[_].deny`:                                    "",
		`deny contains data.gesso[x].a if x := "lib"`:                                  "",
		`deny contains data[x] if x := "a"`:                                            "",
		`deny contains "no" if a with data.gesso.policies.other.a as 1`:                "",
		`deny contains "no" if every a in [1] { input[a] }`:                            "",
	} {
		t.Run(rules, func(t *testing.T) {
			parse := func(rules string) *ast.Module {
				module, err := ast.ParseModuleWithOpts("x.rego", "package gesso.policies.x_y\n\n"+rules, ast.ParserOptions{RegoVersion: ast.RegoV1})
				if err != nil {
					t.Fatal(err)
				}
				return module
			}
			module := parse(rules)
			got := shared("x-y", []*ast.Module{module})
			if diff := cmp.Diff(parse(rules).String(), module.String()); diff != "" {
				t.Errorf("the module has changed: -was +is:\n%s", diff)
			}
			switch {
			case want == "" && got != nil:
				t.Errorf("may be shared: %s", got[0])
			case want != "" && got == nil:
				t.Error("must be alone")
			case want != "":
				wanted := parse(want)
				if diff := cmp.Diff(wanted.String(), got[0].String()); diff != "" || !wanted.Equal(got[0]) {
					t.Errorf("-want +got:\n%s", diff)
				}
			}
		})
	}
}

// TestHelpersAreShared: the helpers read nothing that differs from policy to policy, and so does no policy of the library in a way that
// would cost it a query of its own.
func TestHelpersAreShared(t *testing.T) {
	c, err := newCompiler(t.Context(), false)
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range c.lib {
		s := sharer{id: ast.StringTerm("x"), own: module.Package.Path, exempt: true}
		if s.check(module); s.differs || s.found > 0 {
			t.Errorf("%s reads what differs from policy to policy", module.Package.Location.File)
		}
	}
	set := load(t, nil, Library())
	for _, p := range set.policies {
		if p.unit != set.policies[0].unit || !p.unit.shared {
			t.Errorf("%s is in a unit of its own", p.ID)
		}
	}
}

// scattered is the same set with each policy compiled alone and asked alone, from its own text and with its own input.
func scattered(t *testing.T, set *Set) *Set {
	t.Helper()
	other := newSet("")
	other.deadline = set.deadline
	for _, p := range set.policies {
		built := set.compiler.build([]*definition{p.definition}, false)
		if built.err != nil || built.programs[0] == nil {
			t.Fatalf("%s: %v %v", p.ID, built.err, built.problems)
		}
		single := *p
		single.program, single.health = built.programs[0], &health{}
		other.add(&single)
	}
	other.finish()
	for target, plan := range other.index {
		if len(plan.chunks) > 0 {
			t.Fatalf("%v: asked together", target)
		}
	}
	return other
}

// same compares the decisions of both sets.
func same(t *testing.T, what string, together, apart *Set, r Review) Decision {
	t.Helper()
	got, want := together.Evaluate(t.Context(), r), apart.Evaluate(t.Context(), r)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -apart +together:\n%s", what, diff)
	}
	return got
}

// TestTogetherAsApart: every sample of the library gets the same decision, byte for byte, from policies that were compiled and asked
// together and from the same policies each by itself.
func TestTogetherAsApart(t *testing.T) {
	settings := map[string]Setting{}
	for _, id := range libraryIDs(t) {
		settings[id] = Setting{Action: Deny}
	}
	settings["pod-security"] = Setting{Action: Deny, Parameters: json.RawMessage(`{"level":"restricted"}`)}
	settings["image-registry"] = Setting{Action: Deny, Parameters: json.RawMessage(`{"registries":["registry.example"]}`)}
	source := Source{Name: "library", FS: os.DirFS("library")}
	set, problems := Load(t.Context(), []Source{source}, settings)
	if len(set.policies) < 20 {
		t.Fatal(problems)
	}
	apart := scattered(t, set)
	violations, undecided := 0, 0
	for _, id := range libraryIDs(t) {
		samples, _ := source.samples(id)
		for i := range samples {
			r, err := samples[i].review(set, sampleNames)
			if err != nil {
				t.Fatal(err)
			}
			d := same(t, samples[i].File, set, apart, r)
			r.Inventory = nil
			less := same(t, samples[i].File+" without inventory", set, apart, r)
			r.Namespace = nil
			same(t, samples[i].File+" without Namespace", set, apart, r)
			violations, undecided = violations+len(d.Violations), undecided+len(less.Undecided)
		}
	}
	if violations < 100 || undecided < 10 {
		t.Errorf("%d violations, %d undecided: that says little", violations, undecided)
	}
}

// TestEachItsOwn: policies with the same names for different parameters and inventories, used in every way, see their own.
func TestEachItsOwn(t *testing.T) {
	const rules = `
deny contains sprintf("%v %v", ["ref", input.parameters.a])

deny contains sprintf("%v %v", ["whole", input.parameters])

deny contains sprintf("%v %v %v", ["some", k, v]) if some k, v in input.parameters

deny contains sprintf("%v %v", ["function", _first(input.parameters)])

deny contains sprintf("%v %v", ["with", x]) if x := _a with input.parameters.a as "other"

deny contains sprintf("%v %v", ["with all", x]) if x := _a with input.parameters as {"a": input.parameters.b}

deny contains sprintf("%v %v", ["comprehension", {x: input.parameters[x] | some x in ["a", "b"]}])

deny contains $"template {input.parameters.a}"

deny contains sprintf("%v %v", ["inventory", object.keys(input.inventory.stores)])

deny contains sprintf("%v %v", ["head", _by[x]]) if some x in [input.parameters.a]

warn contains sprintf("%v %v", ["else", _else])

_first(p) := p.a

_a := input.parameters.a

_by[input.parameters.a] := input.parameters.b

_else := "never" if input.parameters.a == "never" else := input.parameters.b
`
	var files []map[string]string
	settings := map[string]Setting{}
	for i := range 6 {
		id := fmt.Sprintf("p%d", i)
		one := declaring(id, storesInventory[:len(storesInventory)-1]+", scan: true}", rules)
		for name, text := range one {
			one[name] = strings.Replace(text, "#     match:", "#     parameters: {properties: {a: {type: string}, b: {type: string, default: two}}, required: [a]}\n#     match:", 1)
		}
		files = append(files, one)
		settings[id] = Setting{Parameters: json.RawMessage(fmt.Sprintf(`{"a":"one-%d"}`, i))}
	}
	set := load(t, settings, join(files...))
	r := pod(`{"object":{}}`)
	r.Inventory = nothing(set)
	d := same(t, "six", set, scattered(t, set), r)
	if len(d.Violations) != 6*12 {
		t.Errorf("%d violations, %d undecided: %+v", len(d.Violations), len(d.Undecided), d)
	}
	if calls := newEvaluation(set, set.plan(r), r, nil, nil).calls(); len(calls) != 1 || len(calls[0].members) != 6 {
		t.Errorf("calls are %+v", calls)
	}
}

// TestQueryNeedsNoCompiler: the bodies that queries are made of are what OPA's compiler would make of them.
func TestQueryNeedsNoCompiler(t *testing.T) {
	set := load(t, nil, Library())
	for target, plan := range set.index {
		for _, c := range plan.chunks {
			compiled, err := c.unit.compiler.QueryCompiler().Compile(c.body)
			if err != nil {
				t.Fatal(err)
			}
			for i, expression := range compiled {
				expression.Index = 0 // where it stands in the body
				if len(compiled) != len(c.body) || !expression.Equal(c.body[i]) {
					t.Fatalf("%v: %s is compiled to %s", target, c.body[i], expression)
				}
			}
		}
	}
}

// asked are the policies that are asked together.
func asked(set *Set, r Review) []string {
	var ids []string
	e := newEvaluation(set, set.plan(r), r, nil, nil)
	for _, call := range e.calls() {
		for _, at := range call.members {
			ids = append(ids, set.plan(r).policies[at].ID)
		}
	}
	return ids
}

// TestFailureApart: a policy that cannot decide makes its query fail once. Then it is asked by itself, until it decides.
func TestFailureApart(t *testing.T) {
	set := load(t, nil, join(
		policy("a", `deny contains "a"`), policy("b", `deny contains "b" if to_number(input.request.object.x) > 1`), policy("c", `deny contains "c"`),
	))
	bad, good := pod(`{"object":{"x":"geheim"}}`), pod(`{"object":{"x":"2"}}`)
	for i, step := range []struct {
		r          Review
		violations int
		together   string // afterwards
	}{{good, 3, "a b c"}, {bad, 2, "a c"}, {bad, 2, "a c"}, {good, 3, "a b c"}} {
		d := set.Evaluate(t.Context(), step.r)
		if len(d.Violations) != step.violations || len(d.Violations)+len(d.Undecided) != 3 {
			t.Errorf("%d: decision is %+v", i, d)
		}
		if got := strings.Join(asked(set, good), " "); got != step.together {
			t.Errorf("%d: together are %s; want %s", i, got, step.together)
		}
	}
	// What fails in a namespace where it is off is not asked, and no reason for the others to be asked one by one.
	off := map[string]Setting{"b": {Namespaces: []NamespaceAction{{Names: []string{"team-a"}, Action: Off}}}}
	set = load(t, off, join(policy("a", `deny contains "a"`), policy("b", `deny contains "b" if to_number("x") > 1`), policy("c", `deny contains "c"`)))
	if d := set.Evaluate(t.Context(), good); len(d.Violations) != 2 || len(d.Undecided) != 0 {
		t.Errorf("decision is %+v", d)
	}
	if got := strings.Join(asked(set, good), " "); got != "a c" {
		t.Errorf("together are %s", got)
	}
}

// TestSlowTogether: policies none of which is too slow, but all of them together are, are not asked together for a while.
func TestSlowTogether(t *testing.T) {
	set := load(t, nil, join(policy("a", `deny contains "a"`), policy("b", `deny contains "b"`)))
	r := pod(`{"object":{}}`)
	plan := set.plan(r)
	for range patience {
		plan.health.ended(set.now(), false)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	e := newEvaluation(set, plan, r, &view{}, nil)
	if e.together(ctx); e.questions[0].state != open {
		t.Error("they were asked together")
	}
	if d := set.Evaluate(ctx, r); len(d.Violations) != 2 {
		t.Errorf("decision is %+v", d)
	}
	now := set.now()
	set.now = func() (at time.Time) { return now.Add(asideFor) } // injected: half a minute passes at once
	v, err := newView(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	e = newEvaluation(set, plan, r, v, nil)
	if e.together(ctx); e.questions[0].state != decided || e.questions[1].state != decided || plan.health.ill.Load() {
		t.Error("they were not tried together after a while")
	}
}

// TestUnits: a change of a few policies is compiled beside what is there, a change of many with all of it, and the decisions are those of a
// set that was loaded at once.
func TestUnits(t *testing.T) {
	all := func(changed ...int) Source {
		files := map[string]string{}
		for i := range 16 {
			rules := fmt.Sprintf("deny contains \"%d\"", i)
			if slices.Contains(changed, i) {
				rules = fmt.Sprintf("deny contains \"new %d\"", i)
			}
			maps.Copy(files, policy(fmt.Sprintf("p%02d", i), rules))
		}
		return source(files)
	}
	units := func(set *Set) string {
		count := map[*unit]int{}
		for _, p := range set.policies {
			count[p.unit]++
		}
		return fmt.Sprint(slices.Sorted(maps.Values(count)))
	}
	r := pod(`{"object":{}}`)
	set := load(t, nil, all())
	for i, step := range []struct {
		source   Source
		settings map[string]Setting
		units    string
		kept     bool // the large unit
	}{
		{all(), nil, "[16]", true},
		{all(), map[string]Setting{"p01": {Action: Warn}}, "[16]", true}, // a setting is no part of the text
		{all(1), nil, "[1 15]", true},
		{all(1), nil, "[1 15]", true},
		{all(1, 2), nil, "[2 14]", true},
		{all(1, 2, 3, 4), nil, "[4 12]", true},
		{all(1, 2, 3, 4, 5), nil, "[16]", false},
		{join(map[string]string{"p01/p01.rego": "package x"}), nil, "[1]", true},
		{all(), nil, "[16]", false},
	} {
		before := set.policies[len(set.policies)-1].unit
		next, problems := Load(t.Context(), []Source{step.source}, step.settings, Previous(set))
		set = next.WithDeadline(set.deadline)
		if got := units(set); got != step.units || (set.policies[len(set.policies)-1].unit == before) != step.kept && i != 7 {
			t.Errorf("%d: units %s; want %s, kept %t; %v", i, got, step.units, step.kept, problems)
		}
		if len(problems) == 0 {
			fresh := load(t, step.settings, step.source)
			if diff := cmp.Diff(fresh.Evaluate(t.Context(), r), set.Evaluate(t.Context(), r)); diff != "" {
				t.Errorf("%d: -fresh +reloaded:\n%s", i, diff)
			}
		}
	}
}

// TestGuiltyAreFound: one that cannot be compiled leaves the others in one unit, and so does one that can be compiled alone only.
func TestGuiltyAreFound(t *testing.T) {
	set, problems := Load(t.Context(), []Source{join(
		policy("a", `deny contains "a"`), policy("b", `deny contains nobody`), policy("c", `deny contains "c"`), policy("d", `deny contains input.paramters.x`),
		policy("e", `deny contains json.marshal(input.parameters)`), policy("f", `deny contains json.marshal(input)`), policy("g", `help := 1`),
	)}, nil)
	want := []string{
		"dir/b/b.rego:9:15: var nobody is unsafe",
		"dir/d/d.rego:9:15: undefined ref: input.paramters.x",
		"dir/e/e.rego:9:1: reads input.parameters, but METADATA declares no parameters",
		"dir/g/g.rego:7:1: defines neither deny nor warn, so it would never say anything",
	}
	got := problemTexts(problems)
	for i := range got {
		if cut := strings.Index(got[i], " have: "); cut > 0 {
			got[i] = got[i][:cut]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems: -want +got:\n%s", diff)
	}
	if a, c, f := set.policy("a"), set.policy("c"), set.policy("f"); a.unit != c.unit || !a.unit.shared || f.unit == a.unit || f.unit.shared {
		t.Error("a and c are not together, or f is with them")
	}
}

// TestHealedAction: what served on under another action is in force under its own again as soon as its text is back.
func TestHealedAction(t *testing.T) {
	x := join(policy("x", `deny contains "x"`))
	set := load(t, nil, x)
	set, _ = Load(t.Context(), []Source{join(map[string]string{"x/x.rego": "package y"})}, map[string]Setting{"x": {Action: Warn}}, Previous(set))
	set, problems := Load(t.Context(), []Source{x}, nil, Previous(set))
	if got := set.policies[0]; got.Action != Deny || got.Stale || len(problems) > 0 {
		t.Errorf("the action is %s, stale %t, %v", got.Action, got.Stale, problems)
	}
}

// TestAllocations: what policies cost beside the reading of the request is counted, and is the same however many are installed.
func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates too")
	}
	r := benchPod(t)
	v, err := newView(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	for installed, most := range map[int]float64{10: 300, 200: 300} {
		set := load(t, nil, generated(installed, 10))
		got := testing.AllocsPerRun(50, func() {
			e := newEvaluation(set, set.plan(r), r, v, nil)
			e.together(t.Context())
			e.apart(t.Context())
			if d := e.decision(); len(d.Undecided) > 0 {
				t.Fatal(d)
			}
		})
		if got > most {
			t.Errorf("ten policies of %d allocate %.0f times; %.0f are the most", installed, got, most)
		}
	}
}
