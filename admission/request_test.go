package admission_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/admission"
	"github.com/gesso-dev/gesso/internal/object"
)

func TestDecodeRefuses(t *testing.T) {
	const (
		kind = `"kind":{"group":"","version":"v1","kind":"Pod"}`
		pod  = `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web"}}`
	)
	for name, tc := range map[string]struct{ request, want string }{
		"nothing":               {``, "line 1, column 1: unexpected end of input"},
		"truncated":             {`{"uid":"1",`, "unexpected end of input"},
		"a list":                {`[]`, "a list, want an object"},
		"null":                  {`null`, "null, want an object"},
		"a duplicate key":       {`{"uid":"1","uid":"2"}`, `member "uid" comes twice`},
		"no uid":                {`{` + kind + `,"operation":"CREATE","object":` + pod + `}`, "uid is missing"},
		"a uid of another type": {`{"uid":1,` + kind + `,"operation":"CREATE","object":` + pod + `}`, "uid is missing"},
		"no kind":               {`{"uid":"1","operation":"CREATE","object":` + pod + `}`, "kind is incomplete"},
		"no version":            {`{"uid":"1","kind":{"kind":"Pod"},"operation":"CREATE","object":` + pod + `}`, "kind is incomplete"},
		"no operation":          {`{"uid":"1",` + kind + `,"object":` + pod + `}`, `unknown operation ""`},
		"an unknown operation":  {`{"uid":"1",` + kind + `,"operation":"PATCH","object":` + pod + `}`, `unknown operation "PATCH"`},
		"lower case":            {`{"uid":"1",` + kind + `,"operation":"create","object":` + pod + `}`, `unknown operation "create"`},
		"CREATE without object": {`{"uid":"1",` + kind + `,"operation":"CREATE"}`, "CREATE without an object"},
		"UPDATE without object": {`{"uid":"1",` + kind + `,"operation":"UPDATE","oldObject":` + pod + `}`, "UPDATE without an object"},
		"object without kind":   {`{"uid":"1",` + kind + `,"operation":"CREATE","object":{"apiVersion":"v1"}}`, "object: not a Kubernetes object: kind is"},
		"oldObject a string":    {`{"uid":"1",` + kind + `,"operation":"DELETE","oldObject":"x"}`, "oldObject: not a Kubernetes object"},
		"an object of another kind": {
			`{"uid":"1",` + kind + `,"operation":"CREATE","object":{"apiVersion":"apps/v1","kind":"Deployment"}}`,
			"kind is Pod of the core group, but the object is Deployment of group apps",
		},
		"an old object of another kind": {
			`{"uid":"1",` + kind + `,"operation":"UPDATE","object":` + pod + `,"oldObject":{"apiVersion":"v1","kind":"Secret"}}`,
			"but the object is Secret of the core group",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := admission.Decode([]byte(tc.request))
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "read admission request: ") {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
			if strings.Contains(tc.request, kind) && strings.HasPrefix(tc.request, `{"uid":"1"`) && r.UID != "1" {
				t.Errorf("UID is %q: an answer that does not repeat it is no answer", r.UID)
			}
		})
	}
}

func TestDecodeAccepts(t *testing.T) {
	for name, tc := range map[string]struct {
		request       string
		wantNamespace string
		wantName      string
	}{
		"DELETE with a null object": {
			`{"uid":"1","kind":{"version":"v1","kind":"Pod"},"operation":"DELETE","namespace":"a","name":"web","object":null,"oldObject":{"apiVersion":"v1","kind":"Pod"}}`, "a", "web",
		},
		"CONNECT": {
			`{"uid":"1","kind":{"version":"v1","kind":"PodExecOptions"},"operation":"CONNECT","subResource":"exec","namespace":"a","name":"web","object":{"apiVersion":"v1","kind":"PodExecOptions","command":["sh"]}}`, "a", "web",
		},
		"CONNECT without an object": {
			`{"uid":"1","kind":{"version":"v1","kind":"PodProxyOptions"},"operation":"CONNECT","namespace":"a","name":"web"}`, "a", "web",
		},
		"another version of the kind": {
			`{"uid":"1","kind":{"group":"apps","version":"v1","kind":"Deployment"},"operation":"CREATE","namespace":"a","object":{"apiVersion":"apps/v1beta1","kind":"Deployment"}}`, "a", "",
		},
		"a Namespace lies in no namespace": {
			`{"uid":"1","kind":{"version":"v1","kind":"Namespace"},"operation":"CREATE","namespace":"a","name":"a","object":{"apiVersion":"v1","kind":"Namespace"}}`, "", "a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := admission.Decode([]byte(tc.request))
			if err != nil {
				t.Fatal(err)
			}
			if r.NamespaceName != tc.wantNamespace || r.Name != tc.wantName {
				t.Errorf("namespace %q and name %q, want %q and %q", r.NamespaceName, r.Name, tc.wantNamespace, tc.wantName)
			}
			// Whatever can be decoded can be reviewed.
			res := setup{}.engine(t).Review(t.Context(), r)
			if !res.Allowed {
				t.Errorf("denied: %+v", res)
			}
		})
	}
}

// TestNewRequest holds what an offline request looks like to a policy, and that the caller's objects stay as they are.
func TestNewRequest(t *testing.T) {
	const text = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"},"data":{"html":"<a&b>","n":1e3}}`
	o, err := object.New([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	old, err := object.New([]byte(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a"}}`))
	if err != nil {
		t.Fatal(err)
	}
	r, err := admission.NewRequest(o, old, "configmaps", "team-a", admission.User{Name: "dev", Groups: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	// A policy that says what it sees.
	e := setup{policies: map[string]string{
		"see": rego("see", `[{group: "", kind: ConfigMap}]`, `deny contains json.marshal(input.request)`),
	}}.engine(t)
	res := e.Review(t.Context(), r)
	if len(res.Violations) != 1 {
		t.Fatalf("want one violation: %+v", res)
	}
	var got, want any
	if err := json.Unmarshal([]byte(res.Violations[0].Message), &got); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(`{
		"uid": "offline", "operation": "UPDATE", "name": "a", "namespace": "team-a", "dryRun": false,
		"kind": {"group": "", "version": "v1", "kind": "ConfigMap"}, "requestKind": {"group": "", "version": "v1", "kind": "ConfigMap"},
		"resource": {"group": "", "version": "v1", "resource": "configmaps"}, "requestResource": {"group": "", "version": "v1", "resource": "configmaps"},
		"userInfo": {"username": "dev", "groups": ["g"]},
		"object": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "team-a"}, "data": {"html": "<a&b>", "n": 1e3}},
		"oldObject": {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "team-a"}},
		"options": {"apiVersion": "meta.k8s.io/v1", "kind": "UpdateOptions"}}`), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what a policy sees (-want +got):\n%s", diff)
	}
	if string(res.Reviewed) != text {
		t.Errorf("reviewed is %s, want the bytes of the author: %s", res.Reviewed, text)
	}
	if got := string(o.Root.Bytes()); got != text || o.Namespace != "" {
		t.Errorf("the caller's object changed: %s", got)
	}
	if res.Object.Namespace != "team-a" {
		t.Errorf("the result is about namespace %q", res.Object.Namespace)
	}
}
