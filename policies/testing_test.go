package policies

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// tested is a policy with Rego tests and samples, some of them red.
func tested() map[string]string {
	pod := func(directives, image string) string {
		return directives + "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: team-a}\nspec:\n  containers:\n  - {name: web, image: " + image + "}\n"
	}
	return map[string]string{
		"x/x.rego": strings.Replace(header, "#     match:", "#     parameters: {properties: {bad: {type: string, default: latest}}}\n#     action: warn\n#     match:", 1) + `
deny contains {"field": image.path, "message": sprintf("%s is bad", [image.image])} if {
	some image in input.images
	print("looking at", image.image)
	image.ref.tag == input.parameters.bad
}
`,
		"x/x_test.rego": `package gesso.policies.x_test

import data.gesso.policies.x

_input(tag) := {"images": [{"path": "p", "image": concat(":", ["shop", tag]), "ref": {"tag": tag}}], "parameters": {"bad": "latest"}}

test_green if count(x.deny) == 0 with input as _input("1")

test_red if {
	found := {violation.message | some violation in x.deny with input as _input("latest")}
	found == {"shop:latest is good"}
}

test_cases[tc.note] if {
	some tc in [
		{"note": "good", "tag": "1", "want": set()},
		{"note": "bad", "tag": "latest", "want": {"shop:latest is ugly"}},
		{"note": "also good", "tag": "2", "want": set()},
	]
	found := {violation.message | some violation in x.deny with input as _input(tc.tag)}
	found == tc.want
}

test_count if count(x.deny) == 2 with input as _input("latest")

todo_test_later if false

test_err if to_number("x") == 1
`,
		"x/samples/accepted/good.yaml":       pod("", `"shop:1"`),
		"x/samples/accepted/parameters.yaml": pod("# parameters: {\"bad\": \"1\"}\n", `"shop:latest"`),
		"x/samples/accepted/wrong.yaml":      pod("", `"shop:latest"`),
		"x/samples/refused/bad.yaml":         pod("# want: x spec.containers[0].image\n# want: y spec.containers[0].image\n", `"shop:latest"`),
		"x/samples/refused/silent.yaml":      pod("", `"shop:latest"`),
		"x/samples/refused/wrong.yaml":       pod("# want: x spec.containers[1].image\n", `"shop:latest"`),
		"x/samples/refused/service.yaml":     "# want: x\napiVersion: v1\nkind: Service\nmetadata: {name: web, namespace: team-a}\n",
		"x/samples/refused/deleted.yaml":     pod("# want: x\n# operation: DELETE\n", `"shop:latest"`),
	}
}

func results(t *testing.T, options TestOptions) map[string]TestResult {
	t.Helper()
	list, problems := Test(t.Context(), options)
	for _, problem := range problems {
		t.Error(problem)
	}
	found := map[string]TestResult{}
	for _, r := range list {
		found[r.Name] = r
	}
	return found
}

func TestTest(t *testing.T) {
	found := results(t, TestOptions{Sources: []Source{source(tested())}})
	var red []string
	for name, r := range found {
		if (r.Failure == nil) != r.Passed {
			t.Errorf("%s: passed %t, failure %v", name, r.Passed, r.Failure)
		}
		if !r.Passed {
			red = append(red, fmt.Sprintf("%s:%d %s: %s", r.Failure.File, r.Failure.Line, name, r.Failure.Reason))
		}
	}
	want := map[string]string{
		"test_red":                     `dir/x/x_test.rego:11: is not true: found == {"shop:latest is good"}`,
		"test_cases/bad":               "dir/x/x_test.rego:21: is not true: found == tc.want",
		"test_count":                   `dir/x/x_test.rego:24: is not true: count(x.deny) == 2 with input as _input("latest")`,
		"test_err":                     `dir/x/x_test.rego:28: dir/x/x_test.rego:28: eval_builtin_error: to_number: strconv.ParseFloat: parsing "x": invalid syntax`,
		"samples/accepted/wrong.yaml":  "dir/x/samples/accepted/wrong.yaml:0: refused, and must be accepted: shop:latest is bad [x] (and 1 more)",
		"samples/refused/silent.yaml":  "dir/x/samples/refused/silent.yaml:0: found, and not wanted: x spec.containers[0].image (and 1 more)",
		"samples/refused/wrong.yaml":   "dir/x/samples/refused/wrong.yaml:0: not found: x spec.containers[1].image (and 1 more)",
		"samples/refused/service.yaml": "dir/x/samples/refused/service.yaml:0: x does not match this object: CREATE Service",
		"samples/refused/deleted.yaml": "dir/x/samples/refused/deleted.yaml:0: x does not match this object: DELETE Pod",
	}
	got := map[string]string{}
	for name, r := range found {
		if !r.Passed {
			got[name] = fmt.Sprintf("%s:%d: %s", r.Failure.File, r.Failure.Line, r.Failure.Reason)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(found) != len(red)+7 { // test_green, two cases, todo, two accepted, one refused
		t.Errorf("%d results, %d red", len(found), len(red))
	}
	if !found["todo_test_later"].Skipped {
		t.Error("todo_test_later is not skipped")
	}
	if got := found["samples/accepted/good.yaml"].Output; got != "dir/x/x.rego:14: looking at shop:1\n" {
		t.Errorf("a sample printed %q", got)
	}
	if got := found["test_green"].Output; got != "looking at shop:1\n" {
		t.Errorf("a test printed %q", got)
	}
	for name, want := range map[string][3]string{ // input, expected, got
		"test_red":                   {`{"images":[{"image":"shop:latest","path":"p","ref":{"tag":"latest"}}],"parameters":{"bad":"latest"}}`, `["shop:latest is good"]`, `["shop:latest is bad"]`},
		"test_cases/bad":             {`{"images":[{"image":"shop:latest","path":"p","ref":{"tag":"latest"}}],"parameters":{"bad":"latest"}}`, `["shop:latest is ugly"]`, `["shop:latest is bad"]`},
		"test_count":                 {`{"images":[{"image":"shop:latest","path":"p","ref":{"tag":"latest"}}],"parameters":{"bad":"latest"}}`, `2`, `1`},
		"samples/refused/wrong.yaml": {`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","namespace":"team-a"},"spec":{"containers":[{"image":"shop:latest","name":"web"}]}}`, `["x spec.containers[1].image"]`, `["x spec.containers[0].image: deny: shop:latest is bad [x]"]`},
	} {
		f := found[name].Failure
		if f == nil {
			continue
		}
		if diff := cmp.Diff(want, [3]string{string(f.Input), string(f.Expected), string(f.Got)}); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
	if text, err := json.Marshal(found); err != nil || !strings.Contains(string(text), `"passed":false`) {
		t.Errorf("as JSON: %v %s", err, text)
	}
}

func TestTestLimits(t *testing.T) {
	other := policy("y", `deny contains {"field": image.path, "message": "y"} if some image in input.images`)
	files := tested()
	maps.Copy(files, other)
	all := []Source{source(files)}
	if found := results(t, TestOptions{Sources: all, Policies: []string{"y"}}); len(found) != 0 {
		t.Errorf("y has tests: %v", found)
	}
	if found := results(t, TestOptions{Sources: all, Run: regexp.MustCompile("^x/test_cases/good$")}); len(found) != 1 || !found["test_cases/good"].Passed {
		t.Errorf("found %v", found)
	}
	// Judged beside others, a sample must say what they find.
	text, err := fs.ReadFile(Library().FS, "image-tag/image-tag.rego")
	if err != nil {
		t.Fatal(err)
	}
	found := results(t, TestOptions{Sources: all, Run: regexp.MustCompile("samples"), Beside: []Source{source(map[string]string{"image-tag/image-tag.rego": string(text)})}})
	if r := found["samples/accepted/good.yaml"]; r.Passed || r.Failure.Reason != "refused, and must be accepted: y [y] (and 1 more)" {
		t.Errorf("beside y a good sample is %+v", r.Failure)
	}
	bad := found["samples/refused/bad.yaml"]
	if bad.Passed || bad.Failure.Reason != "found, and not wanted: image-tag spec.containers[0].image" {
		t.Errorf("beside the library: %+v", bad.Failure)
	}
}

func TestTestProblems(t *testing.T) {
	files := tested()
	files["x/x_test.rego"] = "package x_test\n\ntest_x if {"
	files["x/samples/refused/a.yaml"] = "a: [\n"
	files["x/samples/refused/b.yaml"] = "# operation: create\na: b\n"
	files["x/samples/refused/c.yaml"] = ""
	files["x/samples/refused/d.yaml"] = "# want: x\n# parameters: {\"nobody\": 1}\napiVersion: v1\nkind: Pod\n"
	list, problems := Test(t.Context(), TestOptions{Sources: []Source{source(files), {Name: "none"}}})
	want := []string{
		"dir/x/samples/refused/a.yaml: yaml: line 1: did not find expected node content",
		`dir/x/samples/refused/b.yaml: operation "create"; it must be one of CREATE, UPDATE, DELETE, CONNECT`,
		"dir/x/samples/refused/c.yaml: holds no object",
		"dir/x/samples/refused/d.yaml: parameters: Additional property nobody is not allowed",
		"dir/x/x_test.rego:3:11: unexpected eof token",
		"none: has no files",
	}
	if diff := cmp.Diff(want, problemTexts(problems)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, r := range list {
		if r.Kind == "rego" {
			t.Errorf("%s ran", r.Name)
		}
	}
	files["x/x.rego"] = header
	_, problems = Test(t.Context(), TestOptions{Sources: []Source{source(map[string]string{"x/x.rego": header, "x/samples/refused/a.yaml": files["x/samples/refused/wrong.yaml"]})}})
	if diff := cmp.Diff([]string{"dir/x/x.rego:7:1: defines neither deny nor warn, so it would never say anything"}, problemTexts(problems)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestSampleWorld: the documents behind the first one are what exists beside it.
func TestSampleWorld(t *testing.T) {
	files := declaring("x", storesInventory, `
deny contains {"message": json.marshal([input.inventory, input.namespace, input.environment, input.expected.secretScopes, input.expected.ingressHosts, input.expected.podRoleArn, input.user])} if input.request.operation == "UPDATE"
`)
	files["x/samples/refused/a.yaml"] = `# want: x
# operation: UPDATE
# as: alice
# platform: true
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: team-a}
spec: {template: {spec: {serviceAccountName: shop}}}
---
apiVersion: external-secrets.io/v1
kind: SecretStore
metadata: {name: s, namespace: team-a}
spec: {provider: {aws: {prefix: /prod/, region: x}}}
---
apiVersion: v1
kind: Namespace
metadata:
  name: team-a
  labels: {gesso.dev/environment: dev}
  annotations: {gesso.dev/secret-prefixes: "/shared/, /more/"}
`
	files["x/samples/refused/b.yaml"] = strings.Replace(files["x/samples/refused/a.yaml"], "# want: x\n", "", 1)
	found := results(t, TestOptions{Sources: []Source{source(files)}})
	if r := found["samples/refused/a.yaml"]; !r.Passed {
		t.Errorf("%+v", r.Failure)
	}
	var got []string
	if err := json.Unmarshal(found["samples/refused/b.yaml"].Failure.Got, &got); err != nil || len(got) != 1 {
		t.Fatal(err, got)
	}
	want := `x : deny: [{"stores":{"team-a":{"team-a/s":{"metadata":{"name":"s","namespace":"team-a"},"spec":{"provider":{"aws":{"prefix":"/prod/"}}}}}}},` +
		`{"annotations":{"gesso.dev/secret-prefixes":"/shared/, /more/"},"labels":{"gesso.dev/environment":"dev"},"name":"team-a"},"dev",` +
		`["/dev/team-a/","/shared/","/more/"],[],"arn:aws:iam::111122223333:role/k8s/demo/team-a/shop",{"groups":["system:authenticated"],"name":"alice","platform":true}] [x]`
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestTimeout: a test that takes too long is red for that reason, whatever it says.
func TestTimeout(t *testing.T) {
	files := tested()
	files["x/slow_test.rego"] = `package gesso.policies.x_test

test_slow if {
	some a in numbers.range(1, 1000)
	some b in numbers.range(1, 1000)
	some c in numbers.range(1, 1000)
	a + b + c == 4000
}
`
	found := results(t, TestOptions{Sources: []Source{source(files)}, Run: regexp.MustCompile("slow"), Timeout: 50 * time.Millisecond})
	if r := found["test_slow"]; r.Passed || r.Failure.Reason != "took longer than 50ms" {
		t.Errorf("%+v %+v", r, r.Failure)
	}
}
