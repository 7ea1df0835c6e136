package policies

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// declaring is a policy with METADATA's inventory as given, indented by nothing.
func declaring(id, inventory, rules string) map[string]string {
	lines := strings.Split(strings.TrimSpace(inventory), "\n")
	head := strings.Replace(header, "#     match:", "#     inventory:\n#       "+strings.Join(lines, "\n#       ")+"\n#     match:", 1)
	return map[string]string{id + "/" + id + ".rego": strings.Replace(head, "policies.x", "policies."+strings.ReplaceAll(id, "-", "_"), 1) + rules}
}

const storesInventory = `- {name: stores, group: external-secrets.io, version: v1, kind: SecretStore, by: metadata.namespace, fields: [spec.provider.aws.prefix]}`

// dump makes one violation of a policy's inventory.
const dump = `deny contains {"message": json.marshal(input.inventory)}`

func decoded(tb testing.TB, text string) map[string]any {
	tb.Helper()
	object, err := decodeObject([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return object
}

func TestInventoryMetadata(t *testing.T) {
	set := load(t, nil, join(declaring("x", `
- {name: stores, group: external-secrets.io, version: v1, kind: SecretStore, by: metadata.namespace, fields: [spec.provider.aws.prefix]}
- name: proxies
  group: ""
  version: v1
  kind: Proxy
  resource: proxen
  by: spec.rules[].host`, dump)))
	want := []InventoryKind{
		{Name: "stores", Group: "external-secrets.io", Version: "v1", Kind: "SecretStore", Resource: "secretstores", By: "metadata.namespace", Fields: []string{"spec.provider.aws.prefix"}},
		{Name: "proxies", Version: "v1", Kind: "Proxy", Resource: "proxen", By: "spec.rules[].host"},
	}
	if diff := cmp.Diff(want, set.Policies()[0].Inventory); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	kinds := []InventoryKind{
		{Version: "v1", Kind: "Proxy", Resource: "proxen"},
		{Group: "external-secrets.io", Version: "v1", Kind: "SecretStore", Resource: "secretstores"},
	}
	if diff := cmp.Diff(kinds, set.InventoryKinds()); diff != "" {
		t.Errorf("InventoryKinds: -want +got:\n%s", diff)
	}
}

func TestInventoryProblems(t *testing.T) {
	entry := func(replace, with string) string {
		return strings.Replace(`- {name: a, group: g, version: v1, kind: K, by: b, fields: [c]}`, replace, with, 1)
	}
	for name, tc := range map[string]struct {
		inventory, rules string
		want             []string
	}{
		"nothing wrong":   {entry("", ""), `deny contains "no" if input.inventory.a.b`, nil},
		"no list":         {"{name: a}", "", []string{"dir/x/x.rego:6:9: inventory must be a list"}},
		"no name":         {entry("name: a, ", ""), "", []string{"dir/x/x.rego:6:11: an entry of inventory has no name"}},
		"no group":        {entry("group: g, ", ""), "", []string{`dir/x/x.rego:6:11: an entry of inventory has no group; write group: "" for the core group`}},
		"no version":      {entry("version: v1, ", ""), "", []string{"dir/x/x.rego:6:11: an entry of inventory has no version"}},
		"no kind":         {entry("kind: K, ", ""), "", []string{"dir/x/x.rego:6:11: an entry of inventory has no kind"}},
		"no key":          {entry("by: b, ", ""), "", []string{"dir/x/x.rego:6:11: an entry of inventory has no by"}},
		"an unknown key":  {entry("by: b", "by: b, index: c"), "", []string{`dir/x/x.rego:6:60: unknown key "index" in an entry of inventory; known are name, group, version, kind, resource, by, fields`}},
		"a bad name":      {entry("name: a", "name: A-b"), "", []string{`dir/x/x.rego:6:18: the name "A-b" must be a lower-case letter and then letters and digits, for example stores`}},
		"one name twice":  {entry("", "") + "\n" + entry("", ""), "", []string{`dir/x/x.rego:7:18: the name "a" stands twice in inventory`}},
		"a number":        {entry("by: b", "by: 1"), "", []string{"dir/x/x.rego:6:57: by must be text"}},
		"an empty path":   {entry("by: b", `by: ""`), "", []string{"dir/x/x.rego:6:57: by: the path is empty"}},
		"an open bracket": {entry("[c]", `["c[d"]`), "", []string{`dir/x/x.rego:6:69: a field: the path "c[d" has a [ without a ]`}},
		"two dots":        {entry("[c]", `[c..d]`), "", []string{`dir/x/x.rego:6:69: a field: the path "c..d" holds a name that is empty or odd; a name with dots or slashes stands in brackets: metadata.labels[example.com/name]`}},
		"no dot":          {entry("[c]", `["c[]d"]`), "", []string{`dir/x/x.rego:6:69: a field: the path "c[]d" needs a . after ]`}},
		"a bracket first": {entry("[c]", `["[c]"]`), "", []string{`dir/x/x.rego:6:69: a field: the path "[c]" must begin with the name of a field`}},
		"a field twice":   {entry("[c]", `[c, c]`), "", []string{"dir/x/x.rego:6:72: the field c stands twice"}},
		"fields as text":  {entry("[c]", `c`), "", []string{"dir/x/x.rego:6:68: fields must be a list"}},
		"a Secret's data": {entry("group: g, version: v1, kind: K", `group: "", version: v1, kind: Secret`), "", []string{
			"dir/x/x.rego:6:63: by: the values of Secrets are not for policies to read",
			"dir/x/x.rego:6:75: a field: the values of Secrets are not for policies to read",
		}},
		"an undeclared name": {entry("", ""), `deny contains "no" if input.inventory.b`, []string{"dir/x/x.rego:11:23: undefined ref: input.inventory.b"}},
	} {
		t.Run(name, func(t *testing.T) {
			rules := tc.rules
			if rules == "" {
				rules = dump
			}
			_, problems := Load(t.Context(), []Source{join(declaring("x", tc.inventory, rules))}, nil)
			if diff := cmp.Diff(tc.want, problemTexts(problems)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	t.Run("no inventory at all", func(t *testing.T) {
		_, problems := Load(t.Context(), []Source{join(policy("x", `deny contains "no" if input.inventory.stores`))}, nil)
		want := []string{"dir/x/x.rego:9:23: undefined ref: input.inventory.stores"}
		if diff := cmp.Diff(want, problemTexts(problems)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	})
}

// TestInventoryView: what a policy sees of other objects, and nothing more than it declared.
func TestInventoryView(t *testing.T) {
	for name, tc := range map[string]struct {
		by, fields string
		objects    []string
		want       string
	}{
		"nothing there": {"metadata.namespace", "[]", nil, `{"o":{}}`},
		"only what is declared": {"metadata.namespace", "[spec.a, spec.list[].b]", []string{
			`{"metadata":{"name":"n","namespace":"ns","labels":{"x":"y"}},"spec":{"a":{"whole":1},"c":2,"list":[{"b":1,"c":2},{"c":3},"text",null]},"status":{}}`,
		}, `{"o":{"ns":{"ns/n":{"metadata":{"name":"n","namespace":"ns"},"spec":{"a":{"whole":1},"list":[{"b":1},{},null,null]}}}}}`},
		"wrong types and nulls are absent": {"metadata.namespace", "[spec.a.b, spec.c, spec.list[].b]", []string{
			`{"metadata":{"name":"n"},"spec":{"a":"text","c":null,"list":{"b":1}}}`, `{"metadata":{"name":"m"},"spec":[]}`,
		}, `{"o":{"":{"m":{"metadata":{"name":"m"}},"n":{"metadata":{"name":"n"},"spec":{}}}}}`},
		"several keys": {"spec.rules[].host", "[]", []string{
			`{"metadata":{"name":"a","namespace":"ns"},"spec":{"rules":[{"host":"x"},{"host":"y"},{"host":"x"},{}]}}`,
			`{"metadata":{"name":"b","namespace":"ns"},"spec":{"rules":[{"host":"x"}]}}`,
			`{"metadata":{"name":"c","namespace":"ns"}}`,
		}, `{"o":{"":{"ns/c":{"metadata":{"name":"c","namespace":"ns"}}},` +
			`"x":{"ns/a":{"metadata":{"name":"a","namespace":"ns"}},"ns/b":{"metadata":{"name":"b","namespace":"ns"}}},` +
			`"y":{"ns/a":{"metadata":{"name":"a","namespace":"ns"}}}}}`},
		"a name with dots": {"metadata.labels[app.kubernetes.io/name]", "[metadata.annotations[a.b/c]]", []string{
			`{"metadata":{"name":"n","labels":{"app.kubernetes.io/name":"shop"},"annotations":{"a.b/c":"1","a":"2"}}}`,
		}, `{"o":{"shop":{"n":{"metadata":{"annotations":{"a.b/c":"1"},"name":"n"}}}}}`},
		"numbers and truth as keys": {"spec.ports[].port", "[spec.ports]", []string{
			`{"metadata":{"name":"n"},"spec":{"ports":[{"port":80},{"port":true},{"port":{}}]}}`,
		}, `{"o":{"80":{"n":{"metadata":{"name":"n"},"spec":{"ports":[{"port":80},{"port":true},{"port":{}}]}}},` +
			`"true":{"n":{"metadata":{"name":"n"},"spec":{"ports":[{"port":80},{"port":true},{"port":{}}]}}}}}`},
		"the whole object": {"metadata.name", "[metadata, kind]", []string{`{"kind":"K","metadata":{"name":"n","labels":{"a":"b"}}}`}, `{"o":{"n":{"n":{"kind":"K","metadata":{"labels":{"a":"b"},"name":"n"}}}}}`},
	} {
		t.Run(name, func(t *testing.T) {
			set := load(t, nil, join(declaring("x", fmt.Sprintf("- {name: o, group: g, version: v1, kind: K, by: %q, fields: %s}", tc.by, quoteList(tc.fields)), dump)))
			inv := NewInventory(set)
			for _, o := range tc.objects {
				if err := inv.Put("g", "K", []byte(o)); err != nil {
					t.Fatal(err)
				}
			}
			inv.MarkSynced("g", "K")
			r := pod(`{"object":{}}`)
			r.Inventory = inv.Snapshot()
			decision := set.Evaluate(t.Context(), r)
			if len(decision.Violations) != 1 {
				t.Fatalf("decision is %+v", decision)
			}
			if diff := cmp.Diff(tc.want, decision.Violations[0].Message); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// quoteList quotes the elements of a list in YAML's short form, because brackets mean something there.
func quoteList(list string) string {
	list = strings.TrimSuffix(strings.TrimPrefix(list, "["), "]")
	if list == "" {
		return "[]"
	}
	return `["` + strings.Join(strings.Split(list, ", "), `", "`) + `"]`
}

// TestInventoryUnknown: a kind that has not been read is not an empty one.
func TestInventoryUnknown(t *testing.T) {
	set := load(t, nil, join(declaring("x", storesInventory, "deny contains \"none\" if not input.inventory.stores[\"team-a\"]"), policy("y", `deny contains "y"`)))
	inv := NewInventory(set)
	check := func(name string, snapshot *Snapshot, violations int, undecided ...Undecided) {
		t.Helper()
		r := pod(`{"object":{}}`)
		r.Inventory = snapshot
		decision := set.Evaluate(t.Context(), r)
		if diff := cmp.Diff(undecided, decision.Undecided); diff != "" || len(decision.Violations) != violations {
			t.Errorf("%s: decision is %+v", name, decision)
		}
	}
	unknown := Undecided{Policy: "x", Action: Deny, Reason: "the inventory of SecretStore.external-secrets.io has not been read yet"}
	check("no snapshot", nil, 1, unknown)
	check("nothing read", inv.Snapshot(), 1, unknown)
	if err := inv.Put("external-secrets.io", "SecretStore", []byte(`{"metadata":{"name":"s","namespace":"team-a"}}`)); err != nil {
		t.Fatal(err)
	}
	check("not all read", inv.Snapshot(), 1, unknown)
	if diff := cmp.Diff([]string{"SecretStore.external-secrets.io"}, inv.Unsynced()); diff != "" {
		t.Errorf("Unsynced: %s", diff)
	}
	inv.MarkSynced("external-secrets.io", "SecretStore")
	old := inv.Snapshot()
	check("all read", old, 1)
	inv.Delete("external-secrets.io", "SecretStore", "team-a", "s")
	check("deleted", inv.Snapshot(), 2)
	check("a snapshot stays as it was", old, 1)
	if list := inv.Unsynced(); len(list) != 0 {
		t.Errorf("Unsynced: %v", list)
	}
}

// TestInventoryShares: several policies may declare the same kind; each sees its own fields, and what two declare alike is kept once.
func TestInventoryShares(t *testing.T) {
	k := func(name, by, fields string) string {
		return fmt.Sprintf("- {name: %s, group: g, version: v1, kind: K, by: %s, fields: %s}", name, by, fields)
	}
	set := load(t, nil, join(
		declaring("a", k("one", "metadata.namespace", "[spec.a]"), dump),
		declaring("b", k("two", "metadata.namespace", "[spec.a]"), dump),
		declaring("c", k("three", "spec.b", "[]"), dump),
	))
	inv := NewInventory(set)
	if len(inv.tables) != 2 {
		t.Errorf("%d tables", len(inv.tables))
	}
	if err := inv.Replace("g", "K", []map[string]any{decoded(t, `{"metadata":{"name":"n","namespace":"ns"},"spec":{"a":1,"b":"x"}}`)}); err != nil {
		t.Fatal(err)
	}
	r := pod(`{"object":{}}`)
	r.Inventory = inv.Snapshot()
	var got []string
	for _, v := range set.Evaluate(t.Context(), r).Violations {
		got = append(got, v.Message)
	}
	want := []string{
		`{"one":{"ns":{"ns/n":{"metadata":{"name":"n","namespace":"ns"},"spec":{"a":1}}}}}`,
		`{"two":{"ns":{"ns/n":{"metadata":{"name":"n","namespace":"ns"},"spec":{"a":1}}}}}`,
		`{"three":{"x":{"ns/n":{"metadata":{"name":"n","namespace":"ns"}}}}}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	next := NewInventory(load(t, nil, join(declaring("a", k("one", "metadata.namespace", "[spec.a]"), dump), declaring("d", k("four", "spec.c", "[]"), dump))), inv)
	if diff := cmp.Diff([]string{"K.g"}, next.Unsynced()); diff != "" { // the new declaration is empty
		t.Errorf("Unsynced: %s", diff)
	}
	for _, tb := range next.tables {
		if (len(tb.objects) == 1) != (tb.By == "metadata.namespace") {
			t.Errorf("the table by %s holds %d objects", tb.By, len(tb.objects))
		}
	}
}

// TestInventoryOfNobody: nobody waits for what only a policy reads that is off.
func TestInventoryOfNobody(t *testing.T) {
	set := load(t, map[string]Setting{"x": {Action: Off}}, join(declaring("x", storesInventory, dump)))
	if inv := NewInventory(set); len(inv.Unsynced()) > 0 || len(set.InventoryKinds()) > 0 {
		t.Errorf("unsynced are %v, to be watched %v", inv.Unsynced(), set.InventoryKinds())
	}
}

func TestInventoryBadObjects(t *testing.T) {
	inv := NewInventory(load(t, nil, join(declaring("x", storesInventory, dump))))
	for object, want := range map[string]string{
		`{}`:                        "an object of SecretStore.external-secrets.io has no metadata.name",
		`{"metadata":{"name":1}}`:   "an object of SecretStore.external-secrets.io has no metadata.name",
		`[]`:                        "read SecretStore.external-secrets.io: not a JSON object",
		`{"metadata":{"name":"x"}`:  "read SecretStore.external-secrets.io: not a JSON object",
		`{"metadata":{"name":"x"}}`: "",
	} {
		err := inv.Put("external-secrets.io", "SecretStore", []byte(object))
		if got := fmt.Sprint(err); got != want && (err != nil || want != "") {
			t.Errorf("%s: %v; want %s", object, err, want)
		}
	}
	if err := inv.Put("", "Pod", []byte("nonsense of a kind that nobody reads")); err != nil {
		t.Error(err)
	}
	if err := inv.Replace("external-secrets.io", "SecretStore", []map[string]any{decoded(t, `{"metadata":{"name":"y"}}`), {}}); err == nil {
		t.Error("half a list was taken")
	}
	if diff := cmp.Diff([]string{"SecretStore.external-secrets.io"}, inv.Unsynced()); diff != "" {
		t.Error(diff)
	}
}

// ingress is an object of about half a kilobyte, as large as they are.
func ingress(i int, host string) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"i%d","namespace":"ns%d","annotations":{"a":%q}},`+
		`"spec":{"rules":[{"host":%q,"http":{"paths":[{"path":"/","pathType":"Prefix","backend":{"service":{"name":"x","port":{"number":80}}}}]}}]}}`, i, i%100, strings.Repeat("x", 200), host)
}

const ingressInventory = `- {name: ingresses, group: networking.k8s.io, version: v1, kind: Ingress, by: "spec.rules[].host", fields: ["spec.rules[].host"]}`

// TestInventoryRebuildsWhatChanged: of ten thousand objects a change costs the keys that it changes.
func TestInventoryRebuildsWhatChanged(t *testing.T) {
	set := load(t, nil, join(declaring("x", ingressInventory, `deny contains {"field": id, "message": "taken"} if some id, _ in input.inventory.ingresses["h7.example"]`)))
	inv := NewInventory(set)
	put := func(i int, host string) {
		t.Helper()
		if err := inv.Put("networking.k8s.io", "Ingress", ingress(i, host)); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 10_000 {
		put(i, fmt.Sprintf("h%d.example", i))
	}
	inv.MarkSynced("networking.k8s.io", "Ingress")
	first := inv.Snapshot()
	rebuilt := func() int {
		for _, tb := range inv.tables {
			return tb.rebuilt
		}
		return 0
	}
	if rebuilt() != 10_000 {
		t.Fatalf("%d keys were built", rebuilt())
	}
	if inv.Snapshot() != first {
		t.Error("another snapshot although nothing has changed")
	}
	put(1, "h1.example")
	if inv.Snapshot() != first {
		t.Error("another snapshot although nothing that is read has changed")
	}
	put(1, "h7.example")
	second := inv.Snapshot()
	if rebuilt() != 10_002 {
		t.Errorf("%d keys were rebuilt for two that changed", rebuilt()-10_000)
	}
	for want, snapshot := range map[int]*Snapshot{1: first, 2: second} {
		r := pod(`{"object":{}}`)
		r.Inventory = snapshot
		if decision := set.Evaluate(t.Context(), r); len(decision.Violations) != want {
			t.Errorf("decision is %+v; want %d violations", decision, want)
		}
	}
}

// TestInventoryConcurrent runs under the race detector: reviews read while somebody writes.
func TestInventoryConcurrent(t *testing.T) {
	set := load(t, nil, join(
		declaring("x", ingressInventory, `deny contains {"message": sprintf("%d", [count(input.inventory.ingresses[sprintf("h%d", [1])])])}`),
		declaring("y", ingressInventory, `deny contains {"message": sprintf("%d", [count(input.inventory.ingresses)])}`),
	))
	inv := NewInventory(set)
	inv.MarkSynced("networking.k8s.io", "Ingress")
	ctx, stop := context.WithCancel(t.Context())
	var writers, readers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := inv.Put("networking.k8s.io", "Ingress", ingress(i%50+w, fmt.Sprintf("h%d", i%7))); err != nil {
					t.Error(err)
				}
				inv.Delete("networking.k8s.io", "Ingress", fmt.Sprintf("ns%d", (i-3)%50), fmt.Sprintf("i%d", (i-3)%50))
			}
		})
	}
	for range 4 {
		readers.Go(func() {
			for range 50 {
				r := pod(`{"object":{}}`)
				r.Inventory = inv.Snapshot()
				if decision := set.Evaluate(t.Context(), r); len(decision.Undecided) > 0 {
					t.Errorf("undecided: %+v", decision.Undecided)
				}
			}
		})
	}
	readers.Wait()
	stop()
	writers.Wait()
}

func TestFieldPath(t *testing.T) {
	value := decoded(t, `{"a":{"b":[{"c":"1"},{"c":"2"},{"d":{}}]},"e":["x","y"],"f":{"g.h":"z"}}`)
	for path, want := range map[string]string{
		"a.b[].c": `["1","2"]`, "e[]": `["x","y"]`, "f[g.h]": `["z"]`, "a": `null`, "a.b.c": `null`, "a[].b": `null`, "nothing": `null`,
	} {
		parsed, err := parseFieldPath(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := json.Marshal(parsed.values(value))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s: %s; want %s", path, got, want)
		}
	}
}
