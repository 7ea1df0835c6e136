package policies

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/internal/object"
)

// FuzzEvaluate: whatever the object is, the engine answers, and every policy either found something, found nothing or said why it could
// not decide. An image that no one can read is never let through unseen.
func FuzzEvaluate(f *testing.F) {
	samples, err := filepath.Glob("library/*/samples/*/*.yaml")
	if err != nil || len(samples) < 12 {
		f.Fatalf("%d samples, %v", len(samples), err)
	}
	for _, name := range samples {
		manifest, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		document, err := yaml.YAMLToJSON(manifest)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(document)
	}
	for _, odd := range []string{
		"", "null", "0", `""`, "[]", "{}", `{"spec":null}`, `{"spec":[]}`, `{"spec":{"containers":{"a":1},"volumes":[1,null,{"image":[]}]}}`,
		`{"spec":{"containers":[null,1,[],{"image":{},"restartPolicy":3}],"data":"x","dataFrom":[[]]}}`, `{"spec":{"data":[{"remoteRef":{"key":1e999}}]}}`,
		`{"spec":{"containers":[{"image":"\ud800"}]}}`, `{"spec":null,"spec":{}}`, "\"\xff\"", strings.Repeat("[", 500), strings.Repeat(`{"spec":`, 200) + "1" + strings.Repeat("}", 200),
	} {
		f.Add([]byte(odd))
	}
	set := load(f, nil, Library())
	empty := nothing(set)
	f.Fuzz(func(t *testing.T, document []byte) {
		request := append(append([]byte(`{"object":`), document...), '}')
		_, malformed := object.Parse(request)
		for _, kind := range append(PodKinds(), Kind{Group: "external-secrets.io", Kind: "ExternalSecret"}) {
			r := Review{
				Group: kind.Group, Kind: kind.Kind, Subresource: kind.Subresource, Operation: "UPDATE", Request: request, Inventory: empty,
				Derive: func(bool) Names { return Names{Expected: map[string]any{"secretScopes": []string{"/prod/team-a/"}}} },
			}
			decision := set.Evaluate(t.Context(), r)
			if malformed != nil && len(decision.Undecided) == 0 {
				t.Fatalf("%s: malformed JSON gives %+v", kind.Kind, decision)
			}
			for _, undecided := range decision.Undecided {
				if malformed == nil && !strings.HasPrefix(strings.TrimSpace(string(document)), "}") {
					t.Errorf("%s: %s could not decide: %s", kind.Kind, undecided.Policy, undecided.Reason)
				}
			}
		}
	})
}

func FuzzParseReference(f *testing.F) {
	for _, seed := range []string{
		"", "a", "a:1", "localhost:5000/a", " a", "a@sha256:" + strings.Repeat("0", 64), "A/b", "a/b/c:latest", "a.b:1/c-d/e_f.g:V1.-_@sha256:" + strings.Repeat("a", 64),
		"A.b/c", "docker.io/a", "index.docker.io/a/b", "localhost/a", "a__b/c--d", "a_b.c/d", "[::1]:5000/a", "10.0.0.1:80/x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		ref := parseReference(text)
		if ref.OK == (ref.Reason != "") {
			t.Errorf("%q: ok %t, reason %q", text, ref.OK, ref.Reason)
		}
		if !ref.OK {
			return
		}
		rebuilt := ref.Name
		if ref.Tag != "" {
			rebuilt += ":" + ref.Tag
		}
		if ref.Digest != "" {
			rebuilt += "@" + ref.Digest
		}
		if rebuilt != text {
			t.Errorf("%q is rebuilt as %q", text, rebuilt)
		}
		if slow := slowReference(text); ref != slow {
			t.Errorf("%q: the library says %+v, we say %+v", text, slow, ref)
		}
	})
}
