package policies

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestScans: a policy that goes through all of an inventory is refused, with the line, unless it says that it does so.
func TestScans(t *testing.T) {
	const entry = `- {name: stores, group: g, version: v1, kind: K, by: b, fields: [c]}`
	for name, tc := range map[string]struct {
		rules string
		at    []string // line:column of each finding; the first rule stands in line 11
	}{
		"a key that is written down":   {`deny contains "no" if input.inventory.stores.main.id.c`, nil},
		"a key of the request":         {`deny contains "no" if input.inventory.stores[input.request.namespace][_].c`, nil},
		"a key from a variable":        {`deny contains "no" if { key := input.request.namespace; some id, store in input.inventory.stores[key]; id != store.c }`, nil},
		"keys from a list":             {`deny contains "no" if { some key in ["a", "b"]; input.inventory.stores[key][_].c }`, nil},
		"a key in a comprehension":     {`deny contains "no" if { some key in ["a"]; count([store | some store in input.inventory.stores[key]]) > 1 }`, nil},
		"a key of a function":          {"deny contains \"no\" if taken(input.request.namespace)\n\ntaken(key) if input.inventory.stores[key][_].c", nil},
		"a number of keys":             {`deny contains "no" if count(input.inventory.stores) > 3`, nil},
		"a default":                    {`deny contains "no" if object.get(input.inventory.stores, input.request.namespace, {}) != {}`, nil},
		"a name for it":                {"deny contains \"no\" if { all := input.inventory.stores; all[input.request.namespace] }", nil},
		"a rule for it":                {"deny contains \"no\" if known[input.request.namespace]\n\nknown := input.inventory.stores", nil},
		"a function that looks up":     {"deny contains \"no\" if has(input.inventory.stores, input.request.namespace)\n\nhas(all, key) if all[key]", nil},
		"some":                         {`deny contains "no" if { some store in input.inventory.stores; store }`, []string{"11:25"}},
		"some key":                     {`deny contains key if some key, _ in input.inventory.stores`, []string{"11:22"}},
		"an underscore":                {`deny contains "no" if input.inventory.stores[_].id.c == "x"`, []string{"11:23"}},
		"a variable":                   {`deny contains key if { some key; input.inventory.stores[key].id }`, []string{"11:34"}},
		"every":                        {`deny contains "no" if every store in input.inventory.stores { store }`, []string{"11:23"}},
		"in":                           {`deny contains "no" if {} in input.inventory.stores`, []string{"11:23"}},
		"walk":                         {`deny contains "no" if { walk(input.inventory.stores, [path, _]); path == ["x"] }`, []string{"11:25"}},
		"keys":                         {`deny contains "no" if "x" in object.keys(input.inventory.stores)`, []string{"11:30"}},
		"as text":                      {`deny contains json.marshal(input.inventory.stores)`, []string{"11:15"}},
		"in a comprehension":           {`deny contains "no" if count({key | some key, _ in input.inventory.stores}) > 0`, []string{"11:36"}},
		"in a function":                {"deny contains \"no\" if taken(\"x\")\n\ntaken(name) if { some store in input.inventory.stores; store.id.c == name }", []string{"13:18"}},
		"behind a name":                {`deny contains "no" if { all := input.inventory.stores; some store in all; store }`, []string{"11:56"}},
		"behind a rule":                {"deny contains \"no\" if known[_].id\n\ndefault known := {}\n\nknown := input.inventory.stores", []string{"11:23"}},
		"behind a rule, defined later": {"deny contains \"no\" if b[_].id\n\nb := a\n\na := input.inventory.stores", []string{"11:23"}},
		"behind an argument":           {"deny contains \"no\" if has(input.inventory.stores, \"x\")\n\nhas(all, name) if { some key; all[key].id.c == name }", []string{"13:31"}},
		"behind two arguments":         {"deny contains \"no\" if f(input.inventory.stores)\n\nf(all) if g(1, all)\n\ng(_, all) if all[_].id", []string{"15:14"}},
		"in an else":                   {"deny contains \"no\" if f(1)\n\nf(x) := 2 if { x == 2 } else := 3 if { input.inventory.stores[_].id == x }", []string{"13:40"}},
		"twice":                        {"deny contains \"no\" if input.inventory.stores[_].a\n\nwarn contains \"no\" if input.inventory.stores[_].b", []string{"11:23", "13:23"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Load(t.Context(), []Source{join(declaring("x", entry, tc.rules))}, nil)
			var want []string
			for _, at := range tc.at {
				want = append(want, "dir/x/x.rego:"+at+": goes through all of input.inventory.stores; look up by key, or write scan: true at its entry in METADATA")
			}
			if diff := cmp.Diff(want, problemTexts(problems)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			load(t, nil, join(declaring("x", entry[:len(entry)-1]+", scan: true}", tc.rules)))
		})
	}
}

// TestScansAmongOthers: one that is compiled together with others is found too, and costs them nothing.
func TestScansAmongOthers(t *testing.T) {
	const entry = `- {name: stores, group: g, version: v1, kind: K, by: b, fields: [c]}`
	files := []map[string]string{
		declaring("a-good", entry, `deny contains "no" if input.inventory.stores[input.request.namespace][_].c`),
		declaring("b-bad", entry, `deny contains "no" if input.inventory.stores[_].id.c`),
		policy("c-good", `deny contains "no" if input.request.namespace == "x"`),
	}
	set, problems := Load(t.Context(), []Source{join(files...)}, nil)
	want := []string{"dir/b-bad/b-bad.rego:11:23: goes through all of input.inventory.stores; look up by key, or write scan: true at its entry in METADATA"}
	if diff := cmp.Diff(want, problemTexts(problems)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := len(set.Policies()); n != 2 {
		t.Errorf("%d policies are in force, want 2", n)
	}
}
