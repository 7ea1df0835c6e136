package policies

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// header is the beginning of a policy that matches Pods; line 10 is the first one below it.
const header = `# METADATA
# title: A test
# custom:
#   gesso:
#     match:
#       pods: true
package gesso.policies.x

`

// source is a Source of files by name.
func source(files map[string]string) Source {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return Source{Name: "dir", FS: tree}
}

func problemTexts(problems []Problem) []string {
	var list []string
	for _, problem := range problems {
		list = append(list, problem.Error())
	}
	return list
}

// TestLoadProblems loads one policy x, which is wrong in one way, beside a good one, which must serve in any case.
func TestLoadProblems(t *testing.T) {
	meta := func(gesso string) string {
		lines := strings.Split(strings.TrimSpace(gesso), "\n")
		return "# METADATA\n# title: A test\n# custom:\n#   gesso:\n#     " + strings.Join(lines, "\n#     ") + "\npackage gesso.policies.x\n\ndeny contains \"no\"\n"
	}
	for name, tc := range map[string]struct {
		rego string
		want []string
	}{
		"no METADATA":              {"package gesso.policies.x\n\ndeny contains \"no\"\n", []string{"dir/x/x.rego:1:1: no METADATA above the package; a policy needs at least title and custom.gesso.match"}},
		"no title":                 {strings.Replace(header, "# title: A test\n", "", 1) + "deny contains \"no\"\n", []string{"dir/x/x.rego:1:1: METADATA has no title"}},
		"no gesso":                 {"# METADATA\n# title: A test\npackage gesso.policies.x\n\ndeny contains \"no\"\n", []string{"dir/x/x.rego:1:1: METADATA has no custom.gesso"}},
		"no match":                 {meta("action: deny"), []string{"dir/x/x.rego:5:7: custom.gesso has no match; say pods: true or list kinds"}},
		"an empty match":           {meta("match: {}"), []string{"dir/x/x.rego:5:14: match selects nothing; say pods: true or list kinds"}},
		"no pods":                  {meta("match: {pods: false}"), []string{"dir/x/x.rego:5:14: match selects nothing; say pods: true or list kinds"}},
		"pods as text":             {meta(`match: {pods: "true"}`), []string{"dir/x/x.rego:5:14: match selects nothing; say pods: true or list kinds", "dir/x/x.rego:5:21: match.pods must be true or false"}},
		"an unknown key":           {meta("match: {pods: true}\nseverity: high"), []string{`dir/x/x.rego:6:7: unknown key "severity" in custom.gesso; known are match, action, parameters, inventory`}},
		"an unknown key in match":  {meta("match:\n  pods: true\n  kind: Pod"), []string{`dir/x/x.rego:7:9: unknown key "kind" in match; known are pods, kinds, operations`}},
		"an unknown key in a kind": {meta("match:\n  kinds:\n  - {group: apps, kind: Deployment, version: v1}"), []string{`dir/x/x.rego:7:43: unknown key "version" in an entry of match.kinds; known are group, kind, resource, subresource`}},
		"an unknown key in custom": {strings.Replace(header, "#   gesso:", "#   other: 1\n#   gesso:", 1) + "deny contains \"no\"\n", []string{`dir/x/x.rego:4:5: unknown key "other" in custom; known are gesso`}},
		"a misspelt title":         {strings.Replace(header, "title", "titel", 1) + "deny contains \"no\"\n", []string{"dir/x/x.rego:1:1: METADATA has no title", `dir/x/x.rego:2:3: unknown key "titel" in METADATA; known are scope, title, description, related_resources, organizations, authors, entrypoint, custom`}},
		"a kind without group":     {meta("match: {kinds: [{kind: Pod}]}"), []string{`dir/x/x.rego:5:23: an entry of match.kinds has no group; write group: "" for the core group`}},
		"a group without kind":     {meta("match: {kinds: [{group: apps}]}"), []string{`dir/x/x.rego:5:23: an entry of match.kinds has no kind`}},
		"kinds as text":            {meta("match: {kinds: Pod}"), []string{"dir/x/x.rego:5:14: match selects nothing; say pods: true or list kinds", "dir/x/x.rego:5:22: match.kinds must be a list"}},
		"an unknown operation":     {meta("match: {pods: true, operations: [CREATE, create]}"), []string{`dir/x/x.rego:5:48: operation "create"; it must be one of CREATE, UPDATE, DELETE, CONNECT`}},
		"no operation":             {meta("match: {pods: true, operations: []}"), []string{"dir/x/x.rego:5:39: match.operations is empty"}},
		"an unknown action":        {meta("match: {pods: true}\naction: block"), []string{`dir/x/x.rego:6:15: action is "block"; it must be deny, warn, audit or off`}},
		"an action of YAML's own":  {meta("match: {pods: true}\naction: {a: b}"), []string{"dir/x/x.rego:6:15: action must be text"}},
		"parameters as a list":     {meta("match: {pods: true}\nparameters: []"), []string{"dir/x/x.rego:6:19: parameters must be a JSON schema of an object"}},
		"parameters of no object":  {meta("match: {pods: true}\nparameters: {type: array}"), []string{`dir/x/x.rego:6:19: the type of parameters must be "object"`}},
		"a schema that is none":    {meta("match: {pods: true}\nparameters: {properties: {a: {type: nonsense, default: 1}}}"), []string{"dir/x/x.rego:6:19: parameters is no JSON schema: jsonschema: has a primitive type that is NOT VALID -- given: /nonsense/ Expected valid values are:[array boolean integer number null object string]"}},
		"a schema elsewhere":       {meta("match: {pods: true}\nparameters: {properties: {a: {$ref: \"https://x.example/s\", default: 1}}}"), []string{`dir/x/x.rego:6:19: parameters has the reference "https://x.example/s"; a schema must stand in the policy itself`}},
		"neither default nor required": {meta("match: {pods: true}\nparameters: {properties: {a: {type: string}}}"), []string{
			`dir/x/x.rego:6:19: parameter "a" has no default and is not required; one of the two it must be`,
		}},
		"a default that does not fit": {meta("match: {pods: true}\nparameters: {properties: {a: {type: string, default: 1}}}"), []string{
			`dir/x/x.rego:6:19: parameter "a": Invalid type. Expected: string, given: integer`,
		}},
		"a required parameter that nobody gives": {meta("match: {pods: true}\nparameters: {properties: {a: {type: string}}, required: [a]}"), []string{
			"dir/x/x.rego:6:19: parameters: a is required",
		}},
		"another package":     {strings.Replace(header, "policies.x", "policies.y", 1) + "deny contains \"no\"\n", []string{"dir/x/x.rego:7:1: the package is gesso.policies.y; in this folder it must be gesso.policies.x"}},
		"a syntax error":      {header + "deny contains \"no\" if {\n", []string{`dir/x/x.rego:10: unexpected eof token`}},
		"an unknown function": {header + "deny contains \"no\" if nonsense(1)\n", []string{"dir/x/x.rego:9:23: undefined function nonsense"}},
		"a refused function":  {header + "deny contains \"no\" if time.now_ns() > 1\n", []string{"dir/x/x.rego:9:23: time.now_ns is refused in policies: depends on the time of day"}},
		"the network": {header + "deny contains \"no\" if http.send({\"method\": \"get\", \"url\": \"https://x.example\"}).status_code == 200\n", []string{
			"dir/x/x.rego:9:23: http.send is refused in policies: reaches the network",
		}},
		"an unused variable":    {header + "deny contains \"no\" if x := 1\n", []string{"dir/x/x.rego:9:23: assigned var x unused"}},
		"an unused import":      {header + "import data.gesso.lib\n\ndeny contains \"no\"\n", []string{"dir/x/x.rego:9:1: import data.gesso.lib unused"}},
		"a misspelt input":      {header + "deny contains \"no\" if input.contianers[0].name == \"x\"\n", []string{"dir/x/x.rego:9:23: undefined ref: input.contianers[0].name"}},
		"a misspelt ref":        {header + "deny contains \"no\" if input.images[0].ref.tags == \"x\"\n", []string{"dir/x/x.rego:9:23: undefined ref: input.images[0].ref.tags"}},
		"a parameter of nobody": {header + "deny contains \"no\" if input.parameters.x\n", []string{"dir/x/x.rego:9:1: reads input.parameters, but METADATA declares no parameters"}},
		"a misspelt parameter": {strings.Replace(header, "#     match:", "#     parameters: {properties: {a: {type: string, default: x}}}\n#     match:", 1) + "deny contains \"no\" if input.parameters.b == \"x\"\n", []string{
			"dir/x/x.rego:10:23: undefined ref: input.parameters.b",
		}},
		"data of nobody":        {header + "deny contains \"no\" if data.inventory.x\n", []string{"dir/x/x.rego:9:1: data.inventory.x is defined nowhere; policies share data.gesso.lib only"}},
		"another policy's data": {header + "deny contains \"no\" if data.gesso.policies.good.deny\n", []string{"dir/x/x.rego:9:1: data.gesso.policies.good.deny is defined nowhere; policies share data.gesso.lib only"}},
		"neither deny nor warn": {header + "refuse contains \"no\"\n", []string{"dir/x/x.rego:7:1: defines neither deny nor warn, so it would never say anything"}},
		"deny as a value":       {header + "deny := \"no\"\n", []string{"dir/x/x.rego:9:1: deny must be a set: write deny contains violation if { … }"}},
		"deny as an object":     {header + "deny[\"no\"] := true\n", []string{"dir/x/x.rego:9:1: deny must be a set: write deny contains violation if { … }"}},
		"Rego of old":           {header + "deny[x] { x := \"no\" }\n", []string{"dir/x/x.rego:9:1: `contains` keyword is required for partial set rules", "dir/x/x.rego:9:1: `if` keyword is required before rule body"}},
		"an empty file":         {"", []string{"dir/x/x.rego: empty module"}},
		"METADATA that is no YAML": {"# METADATA\n# title: [\npackage gesso.policies.x\n", []string{
			"dir/x/x.rego:2:1: yaml: line 1: did not find expected node content",
		}},
		"a future keyword": {header + "import future.keywords.not\n\ndeny contains \"no\"\n", []string{"dir/x/x.rego:9:8: unexpected keyword, must be one of [contains every if in]"}},
	} {
		t.Run(name, func(t *testing.T) {
			good := strings.Replace(header, "policies.x", "policies.good", 1) + "warn contains \"hm\"\n"
			set, problems := Load(t.Context(), []Source{source(map[string]string{"x/x.rego": tc.rego, "good/good.rego": good})}, nil)
			if diff := cmp.Diff(tc.want, problemTexts(problems)); diff != "" {
				t.Errorf("problems: -want +got:\n%s", diff)
			}
			if list := set.Policies(); len(list) != 1 || list[0].ID != "good" {
				t.Errorf("loaded are %v; want good alone", list)
			}
		})
	}
}

func TestLoadSources(t *testing.T) {
	good := header + "deny contains \"no\"\n"
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		sources []Source
		want    []string
		loaded  int
	}{
		"a directory that does not exist": {[]Source{{Name: "none", FS: os.DirFS(t.TempDir() + "/none")}}, []string{"none: does not exist"}, 0},
		"a file":                          {[]Source{{Name: "file", FS: os.DirFS(file)}}, []string{"file: cannot be read: not a directory"}, 0},
		"no file system":                  {[]Source{{Name: "nil"}}, []string{"nil: has no files"}, 0},
		"an empty directory":              {[]Source{source(nil)}, []string{"dir: holds no policy; each policy is a folder with .rego files in it"}, 0},
		"a directory without policies":    {[]Source{source(map[string]string{"README.md": "x", "docs/x.md": "x"})}, []string{"dir: holds no policy; each policy is a folder with .rego files in it"}, 0},
		"the folder above the policies":   {[]Source{source(map[string]string{"policies/x/x.rego": good})}, []string{"dir: holds no policy; each policy is a folder with .rego files in it"}, 0},
		"a policy outside its folder":     {[]Source{source(map[string]string{"x.rego": good})}, []string{"dir/x.rego:1: lies beside the policies; a policy is a folder, so move the file to dir/x/x.rego"}, 0},
		"tests without a policy":          {[]Source{source(map[string]string{"x/x_test.rego": "package x"})}, []string{"dir/x: holds tests and no policy"}, 0},
		"a folder with a bad name":        {[]Source{source(map[string]string{"X_y/x.rego": good})}, []string{"dir/X_y: the name of a policy's folder is lower-case words joined by -, for example image-tag"}, 0},
		"tests beside the policy":         {[]Source{source(map[string]string{"x/x.rego": good, "x/x_test.rego": "package broken\n\np if {"})}, nil, 1},
		"a mounted ConfigMap":             {[]Source{source(map[string]string{"x/x.rego": good, "..2026/x/x.rego": good, "..data/x.rego": good})}, nil, 1},
		"several files":                   {[]Source{source(map[string]string{"x/a.rego": "package gesso.policies.x\n\nhelp := 1\n", "x/x.rego": header + "deny contains \"no\" if help == 1\n"})}, nil, 1},
		"a policy that cannot be read":    {[]Source{{Name: "dir", FS: unreadable{source(map[string]string{"x/x.rego": good}).FS}}}, []string{"dir/x/x.rego: cannot be read: permission denied"}, 0},
		"one id in two sources": {
			[]Source{{Name: "one", FS: source(map[string]string{"x/x.rego": good}).FS}, {Name: "two", FS: source(map[string]string{"x/x.rego": good}).FS}},
			[]string{"two/x: the policy x exists more than once: one/x and two/x; none of them is in force"},
			0,
		},
		"the library's id again": {
			[]Source{Library(), source(map[string]string{"image-tag/x.rego": good})},
			[]string{"dir/image-tag: the policy image-tag exists more than once: library/image-tag and dir/image-tag; none of them is in force"},
			len(load(t, nil, Library()).Policies()) - 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			set, problems := Load(t.Context(), tc.sources, nil)
			if diff := cmp.Diff(tc.want, problemTexts(problems)); diff != "" {
				t.Errorf("problems: -want +got:\n%s", diff)
			}
			if got := len(set.Policies()); got != tc.loaded {
				t.Errorf("%d policies are loaded; want %d", got, tc.loaded)
			}
		})
	}
}

func TestLoadSettings(t *testing.T) {
	for name, tc := range map[string]struct {
		settings map[string]Setting
		want     []string
	}{
		"none":                {nil, nil},
		"an action":           {map[string]Setting{"image-tag": {Action: Warn}}, nil},
		"parameters":          {map[string]Setting{"external-secret-scope": {Parameters: json.RawMessage(`{"perApp":true,"generators":[]}`)}}, nil},
		"empty parameters":    {map[string]Setting{"image-tag": {Parameters: json.RawMessage(`{}`)}}, nil},
		"an empty id":         {map[string]Setting{"": {}}, []string{"there is no policy of this name"}},
		"an unknown id":       {map[string]Setting{"image-tags": {}}, []string{"policy image-tags: there is no policy of this name"}},
		"an unknown action":   {map[string]Setting{"image-tag": {Action: "block"}}, []string{`policy image-tag: action is "block"; it must be deny, warn, audit or off`}},
		"no parameters taken": {map[string]Setting{"image-tag": {Parameters: json.RawMessage(`{"a":1}`)}}, []string{`policy image-tag: parameter "a": the policy takes no parameters`}},
		"a list":              {map[string]Setting{"image-tag": {Parameters: json.RawMessage(`[]`)}}, []string{"policy image-tag: parameters: not a JSON object"}},
		"null":                {map[string]Setting{"image-tag": {Parameters: json.RawMessage(`null`)}}, []string{"policy image-tag: parameters: not a JSON object"}},
		"two values":          {map[string]Setting{"image-tag": {Parameters: json.RawMessage(`{} {}`)}}, []string{"policy image-tag: parameters: not a JSON object"}},
		"an unknown parameter": {map[string]Setting{"external-secret-scope": {Parameters: json.RawMessage(`{"perapp":true}`)}}, []string{
			"policy external-secret-scope: parameters: Additional property perapp is not allowed",
		}},
		"wrong types, all of them": {map[string]Setting{"external-secret-scope": {Parameters: json.RawMessage(`{"perApp":"yes","generators":[""]}`)}}, []string{
			`policy external-secret-scope: parameter "generators.0": String length must be greater than or equal to 1`,
			`policy external-secret-scope: parameter "perApp": Invalid type. Expected: boolean, given: string`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Load(t.Context(), []Source{Library()}, tc.settings)
			if diff := cmp.Diff(tc.want, problemTexts(problems)); diff != "" {
				t.Errorf("problems: -want +got:\n%s", diff)
			}
		})
	}
}

// TestLoadRequiredParameter: a policy that is off needs no parameters; one that is on does.
func TestLoadRequiredParameter(t *testing.T) {
	rego := strings.Replace(header, "#     match:", "#     action: off\n#     parameters: {properties: {a: {type: string}}, required: [a]}\n#     match:", 1) +
		"deny contains input.parameters.a\n"
	x := source(map[string]string{"x/x.rego": rego})
	for name, tc := range map[string]struct {
		setting Setting
		want    []string
	}{
		"off":                {Setting{}, nil},
		"off, of wrong type": {Setting{Parameters: json.RawMessage(`{"a":1}`)}, []string{`policy x: parameter "a": Invalid type. Expected: string, given: integer`}},
		"on":                 {Setting{Action: Deny}, []string{"dir/x/x.rego:6:19: parameters: a is required"}},
		"on, given":          {Setting{Action: Deny, Parameters: json.RawMessage(`{"a":"x"}`)}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, problems := Load(t.Context(), []Source{x}, map[string]Setting{"x": tc.setting})
			if diff := cmp.Diff(tc.want, problemTexts(problems)); diff != "" {
				t.Errorf("problems: -want +got:\n%s", diff)
			}
		})
	}
}

func TestPolicies(t *testing.T) {
	set := load(t, map[string]Setting{"external-secret-scope": {Action: Off, Parameters: json.RawMessage(`{"perApp":true}`)}}, Library())
	byID := map[string]Policy{}
	for _, p := range set.Policies() {
		byID[p.ID] = p
	}
	scope, tag := byID["external-secret-scope"], byID["image-tag"]
	if scope.ID != "external-secret-scope" || scope.Action != Off || scope.DefaultAction != Deny || !scope.ReadsNamespace {
		t.Errorf("external-secret-scope is %+v", scope)
	}
	if got, want := string(scope.Parameters), `{"clusterSecretStores":[],"generators":["Password","UUID"],"perApp":true}`; got != want {
		t.Errorf("parameters are %s; want %s", got, want)
	}
	if tag.ID != "image-tag" || tag.Action != Deny || tag.ReadsNamespace || string(tag.Parameters) != "{}" || tag.Schema != nil || tag.Source != "library" {
		t.Errorf("image-tag is %+v", tag)
	}
	want := Match{Kinds: []Kind{{Group: "external-secrets.io", Kind: "ExternalSecret", Resource: "externalsecrets"}}, Operations: []string{"CREATE", "UPDATE"}}
	if diff := cmp.Diff(want, scope.Match); diff != "" {
		t.Errorf("match: -want +got:\n%s", diff)
	}
	for _, policy := range byID {
		if policy.Description == "" || len(policy.Related) == 0 {
			t.Errorf("%s has no description or no related resource", policy.ID)
		}
	}
}

func TestRevision(t *testing.T) {
	good := header + "deny contains \"no\"\n"
	x := source(map[string]string{"x/x.rego": good})
	moved := Source{Name: "elsewhere", FS: x.FS}
	revision := func(settings map[string]Setting, sources ...Source) string {
		set, _ := Load(t.Context(), sources, settings)
		return set.Revision()
	}
	base := revision(nil, x)
	if len(base) != 12 {
		t.Errorf("revision %q is not short", base)
	}
	one, two := map[string]Setting{"x": {Parameters: json.RawMessage(`{"a":1,"b":2}`)}}, map[string]Setting{"x": {Parameters: json.RawMessage(`{ "b":2, "a":1 }`)}}
	for name, same := range map[string][2]string{
		"the same again":            {base, revision(nil, x)},
		"the same elsewhere":        {base, revision(nil, moved)},
		"parameters spelt anew":     {revision(one, x), revision(two, x)},
		"sources in another order":  {revision(nil, x, Library()), revision(nil, Library(), x)},
		"tests are not part of it":  {base, revision(nil, source(map[string]string{"x/x.rego": good, "x/x_test.rego": "package x"}))},
		"samples are not, nor docs": {base, revision(nil, source(map[string]string{"x/x.rego": good, "x/README.md": "x"}))},
	} {
		if same[0] != same[1] {
			t.Errorf("%s: %s and %s", name, same[0], same[1])
		}
	}
	for name, other := range map[string]string{
		"another text":   revision(nil, source(map[string]string{"x/x.rego": good + "\n"})),
		"another file":   revision(nil, source(map[string]string{"x/y.rego": good})),
		"another action": revision(map[string]Setting{"x": {Action: Warn}}, x),
		"parameters":     revision(one, x),
		"another policy": revision(nil, x, Library()),
	} {
		if other == base {
			t.Errorf("%s has the same revision", name)
		}
	}
}

func TestMatchRules(t *testing.T) {
	match := Match{Pods: true, Kinds: []Kind{{Kind: "ConfigMap", Resource: "configmaps"}}, Operations: []string{"CREATE"}}
	rules := match.Rules()
	if len(rules) != len(PodKinds())+1 {
		t.Fatalf("%d rules", len(rules))
	}
	for _, rule := range rules {
		want := "CREATE"
		if rule.Kind.Subresource == "ephemeralcontainers" {
			want = "UPDATE"
		}
		if diff := cmp.Diff([]string{want}, rule.Operations); diff != "" {
			t.Errorf("%v: -want +got:\n%s", rule.Kind, diff)
		}
	}
}

func TestPlural(t *testing.T) {
	for kind, want := range map[string]string{
		"pod": "pods", "ingress": "ingresses", "networkpolicy": "networkpolicies", "gateway": "gateways", "": "",
		"switch": "switches", "index": "indexes", "externalsecret": "externalsecrets",
	} {
		if got := plural(kind); got != want {
			t.Errorf("plural(%q) = %q; want %q", kind, got, want)
		}
	}
}

// unreadable is a tree whose folders can be listed and whose files cannot be opened.
type unreadable struct{ fs.FS }

func (u unreadable) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, ".rego") {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("permission denied")}
	}
	return u.FS.Open(name)
}
