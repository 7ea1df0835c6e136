package policies

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// TestIsolation puts one policy of each sort of bad between ten good ones, at each place among them: the verdicts of the good ones are
// byte for byte those that they have without it. They use what policies share: helpers, ranges, patterns, an inventory, parameters.
func TestIsolation(t *testing.T) {
	good := func(ids string) []map[string]string {
		var list []map[string]string
		for i, rules := range []string{
			`deny contains {"field": c.path, "message": sprintf("%s is here", [c.name])} if some c in input.containers`,
			"import data.gesso.lib\n\ndeny contains lib.violation(i.path, lib.subject(i), i.ref.tag) if some i in input.images",
			`warn contains sprintf("%v", [sum(numbers.range(1, 1000))])`,
			`deny contains m if some m in regex.split("[0-9]", input.request.object.metadata.name)`,
			`deny contains json.marshal(input.request.object)`,
			`deny contains input.namespace.name if input.environment == ""`,
			"deny contains \"d\"\n\nwarn contains \"w\"",
			`deny contains concat(",", {c.name | some c in input.containers})`,
			`deny contains input.user.name`,
			`deny contains sprintf("%d", [product([2, 3, 7])])`,
		} {
			list = append(list, policy(fmt.Sprintf("%c-good", ids[i]), rules))
		}
		return list
	}
	raw := func(text string) map[string]string { return map[string]string{"m-bad/m-bad.rego": text} }
	bad := func(rules string) map[string]string { return policy("m-bad", rules) }
	boom := func() topdown.BuiltinFunc { // a function of OPA that crashes: no policy can make one, so one is broken for the test
		before := topdown.GetBuiltin("uuid.parse")
		topdown.RegisterBuiltinFunc("uuid.parse", func(topdown.BuiltinContext, []*ast.Term, func(*ast.Term) error) error { panic("geheim") })
		return before
	}()
	t.Cleanup(func() { topdown.RegisterBuiltinFunc("uuid.parse", boom) })
	request := `{"namespace":"team-a","object":{"metadata":{"name":"geheim"},"spec":{"containers":[{"name":"web","image":"a:1"},{"name":"two","image":"b:1"}]}}}`
	r := pod(request)
	r.User = User{Name: "dev"}
	var (
		places  = []string{"nopqrstuvw", "abcdefghij", "abcdenopqr"} // the bad one, m, first, last, in the middle
		without []*Set
		want    []string
	)
	for _, ids := range places {
		set := load(t, nil, join(good(ids)...))
		text, err := json.Marshal(set.Evaluate(t.Context(), r).Violations)
		if err != nil {
			t.Fatal(err)
		}
		without, want = append(without, set), append(want, string(text))
	}
	for name, tc := range map[string]struct {
		files     map[string]string
		undecided string // the reason, when it is loaded
	}{
		"does not parse":                {bad(`deny contains {`), ""},
		"is not UTF-8":                  {raw("\xff\xfe"), ""},
		"is empty":                      {raw(""), ""},
		"does not compile":              {bad(`deny contains nobody`), ""},
		"has no METADATA":               {raw("package gesso.policies.m_bad\n\ndeny contains \"no\"\n"), ""},
		"has METADATA that is not YAML": {raw("# METADATA\n# title: [\npackage gesso.policies.m_bad\n\ndeny contains \"no\"\n"), ""},
		"has an unknown key":            {raw(strings.Replace(header, "pods: true", "pod: true", 1) + "deny contains \"no\"\n"), ""},
		"is of another's package":       {raw(strings.Replace(header, "policies.x", "policies.a_good", 1) + "deny contains \"no\"\n"), ""},
		"is of the helpers' package":    {raw(strings.Replace(header, "policies.x", "lib", 1) + "deny contains \"no\"\n\nsubject(_) := \"mine\"\n"), ""},
		"has an odd id":                 {map[string]string{"M_bad/x.rego": "package x"}, ""},
		"calls itself":                  {bad(`deny contains "no" if count(deny) == 0`), ""},
		"uses what is refused":          {bad(`deny contains http.send({"method": "get", "url": "https://x.example"}).body`), ""},
		"says nothing":                  {bad(`help := 1`), ""},
		"errs":                          {bad(`deny contains "no" if to_number(input.request.object.metadata.name) > 1`), "dir/m-bad/m-bad.rego:9: to_number failed"},
		"divides by zero":               {bad(`deny contains "no" if 1 / count([]) > 1`), "dir/m-bad/m-bad.rego:9: div failed"},
		"does not end":                  {bad(`deny contains "no" if count([1 | some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i * j < 0]) > 0`), "deadline exceeded: the policy took longer than its 5s"},
		"cannot be interrupted":         {bad(`deny contains "no" if object.subset([1 | some i in numbers.range(1, 50000)], array.concat([1 | some i in numbers.range(1, 30000)], [2]))`), "deadline exceeded: the policy took longer than its 5s"},
		"wants all memory":              {bad(`deny contains "no" if count(numbers.range(1, 1000000000)) < 0`), "dir/m-bad/m-bad.rego:9: numbers.range failed: it gives more than 100000 elements"},
		"conflicts":                     {bad("deny contains \"no\" if help == 1\n\nhelp := 1 if input.request.object\n\nhelp := 2 if input.containers"), "dir/m-bad/m-bad.rego:13: a rule or function gave two different values"},
		"crashes":                       {bad(`deny contains uuid.parse("x").version`), "the evaluation crashed"},
		"gives a number":                {bad(`deny contains 1`), "deny has an element that is neither an object nor text but number"},
		"gives no message":              {bad(`deny contains {"field": "x"}`), "deny has an element without a message"},
		"gives an unknown key":          {bad(`deny contains {"message": "x", "msg": "y"}`), "deny has an element with a key other than message, field and fix"},
		"gives a list as the fix":       {bad(`warn contains {"message": "x", "fix": ["y"]}`), "warn has a fix that is not text but array"},
		"reads what nobody knows":       {declaring("m-bad", storesInventory, dump), "the inventory of SecretStore.external-secrets.io has not been read yet"},
		"takes another's name twice":    {map[string]string{"m-bad/a.rego": strings.Replace(header, "policies.x", "policies.m_bad", 1) + "deny contains \"no\"\n", "m-bad/b.rego": strings.Replace(header, "policies.x", "policies.m_bad", 1)}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			for i, ids := range places {
				others, want := good(ids), want[i]
				options := []Option{Previous(without[i])} // the good ones are taken over as they are,
				if i == 0 {
					options = nil // and compiled beside the bad one
				}
				set, problems := Load(t.Context(), []Source{join(slices.Insert(others, 5, tc.files)...)}, nil, options...)
				if (len(problems) > 0) != (tc.undecided == "") {
					t.Errorf("problems are %v", problems)
				}
				decision := set.WithDeadline(5*time.Second).Evaluate(t.Context(), r)
				got, err := json.Marshal(slices.DeleteFunc(decision.Violations, func(v Violation) bool { return v.Policy == "m-bad" }))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, string(got)); diff != "" {
					t.Errorf("the good ones: -without +with:\n%s", diff)
				}
				if len(decision.Violations) < 10 {
					t.Errorf("%d violations", len(decision.Violations))
				}
				switch {
				case tc.undecided == "" && len(decision.Undecided) > 0, tc.undecided != "" && (len(decision.Undecided) != 1 || decision.Undecided[0].Reason != tc.undecided):
					t.Errorf("undecided are %+v; want %q", decision.Undecided, tc.undecided)
				}
				if strings.Contains(fmt.Sprint(problems, decision.Undecided), "geheim") {
					t.Error("a reason holds a value of the object")
				}
			}
		})
	}
}
