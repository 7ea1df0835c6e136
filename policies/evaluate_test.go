package policies

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// policy is a Source with one policy of the given rules, which matches Pods.
func policy(id, rules string) map[string]string {
	return map[string]string{id + "/" + id + ".rego": strings.Replace(header, "policies.x", "policies."+strings.ReplaceAll(id, "-", "_"), 1) + rules}
}

// join makes one Source of several policies.
func join(policies ...map[string]string) Source {
	all := map[string]string{}
	for _, files := range policies {
		maps.Copy(all, files)
	}
	return source(all)
}

func pod(request string) Review {
	return Review{Version: "v1", Kind: "Pod", Operation: "CREATE", Request: json.RawMessage(request), Namespaced: true, Namespace: &Namespace{Name: "team-a"}}
}

// TestView asks a policy that repeats its input, one field a violation.
func TestView(t *testing.T) {
	set := load(t, nil, join(policy("x", `
deny contains {"field": key, "message": json.marshal(value)} if some key, value in input
`)))
	digest := "sha256:" + strings.Repeat("0", 64)
	ref := func(name, tag string) string {
		return fmt.Sprintf(`{"digest":"","name":%q,"ok":true,"reason":"","registry":"docker.io","repository":"library/%s","tag":%q,"trimmed":"%s:%s"}`, name, name, tag, name, tag)
	}
	bad := func(reason string) string {
		return fmt.Sprintf(`{"digest":"","name":"","ok":false,"reason":%q,"registry":"","repository":"","tag":"","trimmed":""}`, reason)
	}
	image := func(kind, name, path, image, ref string) string {
		return fmt.Sprintf(`{"image":%q,"kind":%q,"name":%q,"path":%q,"ref":%s}`, image, kind, name, path, ref)
	}
	podSpec := `{"containers":[{"image":"a:1","name":"web"}]}`
	at := func(path string) map[string]string {
		return map[string]string{
			"pod":        podSpec,
			"containers": fmt.Sprintf(`[{"image":"a:1","kind":"container","name":"web","path":"%s.containers[0]","ref":%s}]`, path, ref("a", "1")),
			"images":     "[" + image("container", "web", path+".containers[0].image", "a:1", ref("a", "1")) + "]",
		}
	}
	template := `{"spec":{"template":{"spec":` + podSpec + `}}}`
	none := map[string]string{"containers": "[]", "images": "[]"}
	for name, tc := range map[string]struct {
		group, kind, object string
		want                map[string]string
	}{
		"a Pod":                   {"", "Pod", `{"spec":` + podSpec + `}`, at("spec")},
		"a Deployment":            {"apps", "Deployment", template, at("spec.template.spec")},
		"a StatefulSet":           {"apps", "StatefulSet", template, at("spec.template.spec")},
		"a DaemonSet":             {"apps", "DaemonSet", template, at("spec.template.spec")},
		"a ReplicaSet":            {"apps", "ReplicaSet", template, at("spec.template.spec")},
		"a ReplicationController": {"", "ReplicationController", template, at("spec.template.spec")},
		"a Job":                   {"batch", "Job", template, at("spec.template.spec")},
		"a CronJob":               {"batch", "CronJob", `{"spec":{"jobTemplate":` + template + `}}`, at("spec.jobTemplate.spec.template.spec")},
		"a PodTemplate":           {"", "PodTemplate", `{"template":{"spec":` + podSpec + `}}`, at("template.spec")},
		"another kind":            {"", "ConfigMap", `{"spec":` + podSpec + `}`, none},
		"a Pod of another group":  {"example.com", "Pod", `{"spec":` + podSpec + `}`, none},
		"no spec":                 {"", "Pod", `{}`, none},
		"null":                    {"", "Pod", `null`, none},
		"a list":                  {"", "Pod", `[]`, none},
		"null lists":              {"", "Pod", `{"spec":{"containers":null,"volumes":null}}`, map[string]string{"pod": `{"containers":null,"volumes":null}`, "containers": "[]", "images": "[]"}},
		"a spec that is text": {"", "Pod", `{"spec":"x"}`, map[string]string{
			"pod": `"x"`, "containers": "[]", "images": "[" + image("container", "", "spec", "", bad("cannot be read: the Pod spec is not an object")) + "]",
		}},
		"containers that are none": {"", "Pod", `{"spec":{"containers":["x",{"image":3,"name":4}],"initContainers":"y"}}`, map[string]string{
			"pod": `{"containers":["x",{"image":3,"name":4}],"initContainers":"y"}`,
			"containers": `[{"kind":"init","path":"spec.initContainers","ref":` + bad("cannot be read: what should hold it is not an object") + `},` +
				`{"kind":"container","path":"spec.containers[0]","ref":` + bad("cannot be read: what should hold it is not an object") + `},` +
				`{"image":3,"kind":"container","name":4,"path":"spec.containers[1]","ref":` + bad("is not text") + `}]`,
			"images": "[" + image("init", "", "spec.initContainers.image", "", bad("cannot be read: what should hold it is not an object")) + "," +
				image("container", "", "spec.containers[0].image", "", bad("cannot be read: what should hold it is not an object")) + "," +
				image("container", "", "spec.containers[1].image", "", bad("is not text")) + "]",
		}},
		"every sort": {"", "Pod", `{"spec":{
			"initContainers":[{"name":"a","image":"a:1"},{"name":"b","image":"b:1","restartPolicy":"Always"}],
			"ephemeralContainers":[{"name":"c","image":"c:1"}],
			"volumes":[{"name":"d","emptyDir":{}},{"name":"e","image":{"reference":"e:1"}},{"name":"f","image":{}},{"name":"g","image":"x"}]}}`, map[string]string{
			"pod": `{"ephemeralContainers":[{"image":"c:1","name":"c"}],"initContainers":[{"image":"a:1","name":"a"},{"image":"b:1","name":"b","restartPolicy":"Always"}],` +
				`"volumes":[{"emptyDir":{},"name":"d"},{"image":{"reference":"e:1"},"name":"e"},{"image":{},"name":"f"},{"image":"x","name":"g"}]}`,
			"containers": `[{"image":"a:1","kind":"init","name":"a","path":"spec.initContainers[0]","ref":` + ref("a", "1") + `},` +
				`{"image":"b:1","kind":"sidecar","name":"b","path":"spec.initContainers[1]","ref":` + ref("b", "1") + `,"restartPolicy":"Always"},` +
				`{"image":"c:1","kind":"ephemeral","name":"c","path":"spec.ephemeralContainers[0]","ref":` + ref("c", "1") + `}]`,
			"images": "[" + strings.Join([]string{
				image("init", "a", "spec.initContainers[0].image", "a:1", ref("a", "1")),
				image("sidecar", "b", "spec.initContainers[1].image", "b:1", ref("b", "1")),
				image("ephemeral", "c", "spec.ephemeralContainers[0].image", "c:1", ref("c", "1")),
				image("volume", "e", "spec.volumes[1].image.reference", "e:1", ref("e", "1")),
				image("volume", "f", "spec.volumes[2].image.reference", "", bad("is empty")),
				image("volume", "g", "spec.volumes[3].image.reference", "", bad("cannot be read: what should hold it is not an object")),
			}, ",") + "]",
		}},
		"what a container cannot forge": {"", "Pod", `{"spec":{"containers":[{"name":"web","image":"a","kind":"none","path":"x","ref":{"ok":true,"tag":"1","digest":"` + digest + `"}}]}}`, map[string]string{
			"pod":        `{"containers":[{"image":"a","kind":"none","name":"web","path":"x","ref":{"digest":"` + digest + `","ok":true,"tag":"1"}}]}`,
			"containers": `[{"image":"a","kind":"container","name":"web","path":"spec.containers[0]","ref":` + strings.ReplaceAll(strings.Replace(ref("a", ""), "a:", "a", 1), `"trimmed":"a:"`, `"trimmed":"a"`) + `}]`,
			"images":     "[" + image("container", "web", "spec.containers[0].image", "a", strings.Replace(ref("a", ""), "a:", "a", 1)) + "]",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := pod(`{"object":` + tc.object + `}`)
			r.Group, r.Kind = tc.group, tc.kind
			r.Namespace = &Namespace{Name: "team-a", Labels: map[string]string{"b": "2", "a": "1"}}
			r.Derive = func(bool) Names {
				return Names{Environment: "prod", App: "shop", Expected: map[string]any{"secretScopes": []string{"/prod/team-a/"}}}
			}
			r.User = User{Name: "dev", Groups: []string{"a", "b"}, Platform: true}
			set.index[target{tc.group, tc.kind, "", "CREATE"}] = newPlan(tc.group, tc.kind, set.policies) // the kinds that pods: true does not select
			want := map[string]string{
				"user": `{"groups":["a","b"],"name":"dev","platform":true}`,
				"app":  `"shop"`, "environment": `"prod"`, "expected": `{"secretScopes":["/prod/team-a/"]}`, "parameters": "{}",
				"namespace": `{"annotations":{},"labels":{"a":"1","b":"2"},"name":"team-a"}`,
			}
			maps.Copy(want, tc.want)
			decision := set.Evaluate(t.Context(), r)
			got := map[string]string{}
			for _, violation := range decision.Violations {
				if violation.Field != "request" {
					got[violation.Field] = violation.Message
				}
			}
			if diff := cmp.Diff(want, got); diff != "" || len(decision.Undecided) > 0 {
				t.Errorf("undecided %v; -want +got:\n%s", decision.Undecided, diff)
			}
		})
	}
}

// TestUndecided evaluates policies that go wrong, each between ten that do not, whose verdicts must be the same as without it.
func TestUndecided(t *testing.T) {
	var good []map[string]string
	for i := range 10 {
		good = append(good, policy(fmt.Sprintf("good-%d", i), `deny contains {"field": c.path, "message": sprintf("%s is here", [c.name])} if some c in input.containers`))
	}
	request := `{"namespace":"team-a","object":{"metadata":{"name":"geheim"},"spec":{"containers":[{"name":"web","image":"a:1"},{"name":"two","image":"b:1"}]}}}`
	want := load(t, nil, join(good...)).Evaluate(t.Context(), pod(request)).Violations
	if len(want) != 20 {
		t.Fatalf("%d violations", len(want))
	}
	for name, tc := range map[string]struct {
		rules string
		want  string // the reason
	}{
		"a built-in error":       {`deny contains "no" if to_number(input.request.object.metadata.name) > 1`, "dir/good-5-bad/good-5-bad.rego:9: to_number failed"},
		"a conflict":             {"deny contains \"no\" if help == 1\n\nhelp := 1 if input.request.object\n\nhelp := 2 if input.containers", "dir/good-5-bad/good-5-bad.rego:13: a rule or function gave two different values"},
		"an endless computation": {`deny contains "no" if count([1 | some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i * j < 0]) > 0`, "deadline exceeded: the policy took longer than its 1s"},
		"a number":               {`deny contains 1`, "deny has an element that is neither an object nor text but number"},
		"no message":             {`deny contains {"field": "x"}`, "deny has an element without a message"},
		"a blank message":        {`warn contains " "`, "warn has an element without a message"},
		"an unknown key":         {`deny contains {"message": "x", "msg": "y"}`, "deny has an element with a key other than message, field and fix"},
		"a fix that is a list":   {`warn contains {"message": "x", "fix": ["y"]}`, "warn has a fix that is not text but array"},
		"a null message":         {`deny contains {"message": null}`, "deny has a message that is not text but null"},
	} {
		t.Run(name, func(t *testing.T) {
			set := load(t, nil, join(append(good, policy("good-5-bad", tc.rules))...)).WithDeadline(time.Second)
			decision := set.Evaluate(t.Context(), pod(request))
			if diff := cmp.Diff(want, decision.Violations); diff != "" {
				t.Errorf("the other policies: -want +got:\n%s", diff)
			}
			if diff := cmp.Diff([]Undecided{{Policy: "good-5-bad", Action: Deny, Reason: tc.want}}, decision.Undecided); diff != "" {
				t.Errorf("undecided: -want +got:\n%s", diff)
			}
		})
	}
}

// pair is the library with two policies switched on: image-tag, which reads the Pods, and external-secret-scope, which reads the Namespace and an
// inventory.
func pair(tb testing.TB) *Set {
	tb.Helper()
	off := map[string]Setting{}
	for _, p := range load(tb, nil, Library()).Policies() {
		if p.ID != "image-tag" && p.ID != "external-secret-scope" {
			off[p.ID] = Setting{Action: Off}
		}
	}
	return load(tb, off, Library())
}

// nothing is an inventory that has been read and is empty.
func nothing(set *Set) *Snapshot {
	inventory := NewInventory(set)
	for _, kind := range set.InventoryKinds() {
		inventory.MarkSynced(kind.Group, kind.Kind)
	}
	return inventory.Snapshot()
}

func TestUndecidedRequest(t *testing.T) {
	set := pair(t)
	for name, tc := range map[string]struct {
		r    Review
		want string
	}{
		"empty":      {pod(""), "the request is not valid JSON"},
		"truncated":  {pod(`{"object":{`), "the request is not valid JSON"},
		"two values": {pod(`{} {}`), "the request is not valid JSON"},
		"a list":     {pod(`[]`), "the request is not a JSON object"},
		"null":       {pod(`null`), "the request is not a JSON object"},
		"odd expectations": {Review{
			Group: "external-secrets.io", Kind: "ExternalSecret", Operation: "CREATE", Request: []byte(`{"object":{}}`),
			Derive: func(bool) Names { return Names{Expected: map[string]any{"secretScopes": func() {}}} },
		}, "what the convention expects is not JSON"},
		"unknown Namespace": {Review{Group: "external-secrets.io", Kind: "ExternalSecret", Operation: "CREATE", Namespaced: true, Request: []byte(`{"namespace":"team-a","object":{}}`)}, `the Namespace "team-a" is not known yet`},
	} {
		t.Run(name, func(t *testing.T) {
			tc.r.Inventory = nothing(set)
			decision := set.Evaluate(t.Context(), tc.r)
			if len(decision.Violations) != 0 || len(decision.Undecided) != 1 || decision.Undecided[0].Reason != tc.want {
				t.Errorf("decision is %+v; want undecided: %s", decision, tc.want)
			}
		})
	}
}

// TestNamespaceUnknown: only the policies that read facts of the Namespace cannot do without them.
func TestNamespaceUnknown(t *testing.T) {
	for rules, reads := range map[string]bool{
		`deny contains "no" if input.namespace.labels.x == "y"`:                                      true,
		`deny contains "no" if input.environment == "prod"`:                                          true,
		`deny contains "no" if input.expected.roleArn == "x"`:                                        true,
		"deny contains \"no\" if help\n\nhelp if other(1)\n\nother(x) if input.environment != x":     true,
		`deny contains "no" if { some key, _ in input; key == "x" }`:                                 true,
		`deny contains "no" if json.marshal(input) == ""`:                                            true,
		"deny contains \"no\" if {\n\tsome key in [\"app\"]\n\tinput[key]\n}":                        true,
		"deny contains \"no\" if help == 2\n\nhelp := 1 if input.app else := 2 if input.environment": true,
		`deny contains "no" if every c in input.containers { c.name == input.environment }`:          true,
		`warn contains [c | some c in input.containers; input.expected][0].path`:                     true,
		`deny contains "no" if input.request.namespace == "x"`:                                       false,
		`deny contains "no" if input.containers[0].name == input.app`:                                false,
		"deny contains \"no\" if false\n\nunused if input.environment":                               false,
	} {
		t.Run(rules, func(t *testing.T) {
			set := load(t, nil, join(policy("x", rules)))
			if got := set.Policies()[0].ReadsNamespace; got != reads {
				t.Errorf("ReadsNamespace is %t", got)
			}
			r := pod(`{"object":{}}`)
			r.Namespace = nil
			if got := len(set.Evaluate(t.Context(), r).Undecided) == 1; got != reads {
				t.Errorf("undecided is %t without a Namespace", got)
			}
			r.Namespaced = false
			if undecided := set.Evaluate(t.Context(), r).Undecided; len(undecided) != 0 {
				t.Errorf("a cluster-scoped object: %v", undecided)
			}
		})
	}
}

func TestContext(t *testing.T) {
	set := pair(t)
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	expired, stop := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer stop()
	for want, ctx := range map[string]context.Context{
		"deadline exceeded: the review was given up":       cancelled,
		"deadline exceeded: the time of the review was up": expired,
	} {
		decision := set.Evaluate(ctx, pod(`{"object":{}}`))
		if len(decision.Undecided) != 1 || decision.Undecided[0].Reason != want {
			t.Errorf("decision is %+v; want %s", decision, want)
		}
	}
}

// TestSlowPolicyLeavesTime: where the review has a deadline, a slow policy that comes first does not use it up.
func TestSlowPolicyLeavesTime(t *testing.T) {
	slow := policy("a", `deny contains "no" if count([1 | some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i * j < 0]) > 0`)
	set := load(t, nil, join(slow, policy("b", `deny contains "yes"`)))
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	decision := set.Evaluate(ctx, pod(`{"object":{}}`))
	if len(decision.Violations) != 1 || len(decision.Undecided) != 1 {
		t.Errorf("decision is %+v", decision)
	}
}

func TestActions(t *testing.T) {
	x := join(policy("x", "deny contains \"d\"\n\nwarn contains \"w\""))
	for action, want := range map[Action][]string{
		"":    {"deny d deny", "warn w warn"},
		Deny:  {"deny d deny", "warn w warn"},
		Warn:  {"deny d warn", "warn w warn"},
		Audit: {"deny d audit", "warn w audit"},
		Off:   nil,
	} {
		set := load(t, map[string]Setting{"x": {Action: action}}, x)
		var got []string
		for _, v := range set.Evaluate(t.Context(), pod(`{"object":{}}`)).Violations {
			got = append(got, fmt.Sprintf("%s %s %s", v.Rule, v.Message, v.Action))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want +got:\n%s", action, diff)
		}
		if set.Matches(pod("{}")) != (action != Off) {
			t.Errorf("%q: Matches is %t", action, action == Off)
		}
	}
}

func TestOrder(t *testing.T) {
	set := load(t, nil, join(
		policy("b", `deny contains {"field": sprintf("spec.containers[%d].image", [i]), "message": "m"} if some i in [10, 2, 0, 100]`),
		policy("a", "deny contains {\"message\": m, \"fix\": \"f\"} if some m in [\"z\", \"a\"]\n\nwarn contains {\"message\": \"a\", \"field\": \"\", \"fix\": \"f\"}\n\nwarn contains \"a\""),
	))
	var got []string
	for _, v := range set.Evaluate(t.Context(), pod(`{"object":{}}`)).Violations {
		got = append(got, v.Rule+" "+v.Field+" "+v.Text())
	}
	want := []string{
		"warn  a [a]", "deny  a; f [a]", "deny  z; f [a]",
		"deny spec.containers[0].image m [b]", "deny spec.containers[2].image m [b]", "deny spec.containers[10].image m [b]", "deny spec.containers[100].image m [b]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestNaturalCompare(t *testing.T) {
	sorted := []string{"", "a", "a[0]", "a[2].b", "a[02].b", "a[2].c", "a[10]", "a[99999999999999999999]", "b"}
	slices.Reverse(sorted)
	slices.SortFunc(sorted, naturalCompare)
	want := []string{"", "a", "a[0]", "a[02].b", "a[2].b", "a[2].c", "a[10]", "a[99999999999999999999]", "b"}
	if diff := cmp.Diff(want, sorted); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMatching covers every kind, operation and subresource of pods: true.
func TestMatching(t *testing.T) {
	set := load(t, nil, Library())
	for _, kind := range PodKinds() {
		for _, operation := range []string{"CREATE", "UPDATE", "DELETE", "CONNECT"} {
			r := Review{Group: kind.Group, Kind: kind.Kind, Subresource: kind.Subresource, Operation: operation}
			want := operation == "UPDATE" || operation == "CREATE" && kind.Subresource == ""
			if got := set.Matches(r); got != want {
				t.Errorf("%+v: matches is %t", r, got)
			}
		}
	}
	for _, r := range []Review{
		{Group: "external-secrets.io", Version: "v1", Kind: "ExternalSecret", Operation: "CREATE"},
		{Group: "external-secrets.io", Version: "v1beta1", Kind: "ExternalSecret", Operation: "UPDATE"},
	} {
		if !set.Matches(r) {
			t.Errorf("%+v: no policy", r)
		}
	}
	for _, r := range []Review{
		{Kind: "Pod", Operation: "UPDATE", Subresource: "status"}, {Group: "apps", Kind: "Pod", Operation: "CREATE"}, {Kind: "pod", Operation: "CREATE"}, {},
	} {
		if set.Matches(r) || len(set.Evaluate(t.Context(), r).Undecided) > 0 {
			t.Errorf("%+v: a policy is asked", r)
		}
	}
}

// TestConcurrent runs under the race detector: parameters and policies are shared between reviews.
func TestConcurrent(t *testing.T) {
	set := pair(t)
	r := Review{
		Inventory: nothing(set),
		Group:     "external-secrets.io", Kind: "ExternalSecret", Operation: "CREATE",
		Derive: func(bool) Names {
			return Names{App: "shop", Expected: map[string]any{"secretScopes": []string{"/prod/team-a/"}}}
		},
		Request: []byte(`{"object":{"spec":{"secretStoreRef":{"kind":"ClusterSecretStore","name":"x"},"dataFrom":[{"sourceRef":{"generatorRef":{"kind":"X"}}}]}}}`),
	}
	want := set.Evaluate(t.Context(), r)
	if len(want.Violations) != 2 {
		t.Fatalf("decision is %+v", want)
	}
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 20 {
				if diff := cmp.Diff(want, set.Evaluate(t.Context(), r)); diff != "" {
					t.Errorf("-first +now:\n%s", diff)
				}
			}
		})
	}
	group.Wait()
}

// TestLibHelpers: a policy from outside may use data.gesso.lib.
func TestLibHelpers(t *testing.T) {
	set := load(t, nil, join(policy("x", "import data.gesso.lib\n\ndeny contains sprintf(\"%s is here\", [lib.subject(image)]) if some image in input.images\n")))
	decision := set.Evaluate(t.Context(), pod(`{"object":{"spec":{"containers":[{"name":"web","image":"a:1"}]}}}`))
	if len(decision.Violations) != 1 || decision.Violations[0].Text() != `container "web" is here [x]` {
		t.Errorf("decision is %+v", decision)
	}
}

// TestPrint: print is for authors at work; in a Set it is erased, and what it would have printed goes nowhere.
func TestPrint(t *testing.T) {
	set := load(t, nil, join(policy("x", "deny contains \"no\" if {\n\tprint(input.request.object)\n\tinput.request.object\n}\n")))
	if decision := set.Evaluate(t.Context(), pod(`{"object":{}}`)); len(decision.Violations) != 1 || len(decision.Undecided) != 0 {
		t.Errorf("decision is %+v", decision)
	}
}

// TestSlots: a review that finds no free slot waits as long as it may.
func TestSlots(t *testing.T) {
	set := load(t, nil, join(policy("x", `deny contains "x"`)))
	for range cap(set.slots) {
		set.slots <- struct{}{}
	}
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer stop()
	decision := set.Evaluate(ctx, pod(`{"object":{}}`))
	if want := []Undecided{{Policy: "x", Action: Deny, Reason: "deadline exceeded: the time of the review was up"}}; cmp.Diff(want, decision.Undecided) != "" || len(decision.Violations) > 0 {
		t.Errorf("decision is %+v", decision)
	}
	time.AfterFunc(20*time.Millisecond, func() { <-set.slots })
	if decision := set.Evaluate(t.Context(), pod(`{"object":{}}`)); len(decision.Violations) != 1 {
		t.Errorf("decision is %+v", decision)
	}
	if len(set.slots) != cap(set.slots)-1 {
		t.Errorf("%d slots are taken", len(set.slots))
	}
}

// TestSetAside: a policy that runs out of time again and again costs the reviews after that nothing.
func TestSetAside(t *testing.T) {
	slow := policy("a", `deny contains "no" if count([1 | some i in numbers.range(1, 100000); some j in numbers.range(1, 100000); i * j < 0]) > 0`)
	set := load(t, nil, join(slow, policy("b", `deny contains "yes"`))).WithDeadline(2 * blame)
	now := time.Unix(1000, 0)
	clock := set.now
	start := clock()
	set.now = func() time.Time { return now.Add(clock().Sub(start)) } // injected: half a minute passes at once
	reasons := func() string {
		decision := set.Evaluate(t.Context(), pod(`{"object":{}}`))
		if len(decision.Violations) != 1 || len(decision.Undecided) != 1 {
			t.Fatalf("decision is %+v", decision)
		}
		return decision.Undecided[0].Reason
	}
	const late, aside = "deadline exceeded: the policy took longer than its 200ms", "set aside for 30s: it ran out of time or memory 3 times in a row"
	for i, want := range []string{late, late, late, aside, aside} {
		if got := reasons(); got != want {
			t.Errorf("%d: %s; want %s", i, got, want)
		}
	}
	now = now.Add(asideFor)
	for i, want := range []string{late, aside} {
		if got := reasons(); got != want {
			t.Errorf("after a while, %d: %s; want %s", i, got, want)
		}
	}
}
