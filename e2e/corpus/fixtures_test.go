package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/gesso-dev/gesso/internal/txtest"
)

// replayed are the fixtures whose input and result the API server accepts, at the least.
const replayed = 230

// TestFixturesAreAccepted sends the input and the golden result of every fixture of the defaults to the API server, as a dry run and
// without Gesso: the result is accepted wherever the input is, and what was filled comes back as it stands in the fixture.
func TestFixturesAreAccepted(t *testing.T) {
	namespace(t, "team-a") // the namespace of all fixtures
	dir := filepath.Join(shared.root, "defaults", "testdata")
	patches := map[string][]byte{}
	for _, s := range txtest.Sections(t, dir, "patch", replayed) {
		patches[s.Archive] = s.Data
	}
	accepted := 0
	for _, s := range txtest.Sections(t, dir, "input.yaml", 200) {
		patch := patches[s.Archive]
		if len(patch) == 0 {
			continue // nothing was filled
		}
		t.Run(s.Archive, func(t *testing.T) {
			if replay(t, s.Data, patch) {
				accepted++
			}
		})
	}
	if accepted < replayed && !t.Failed() {
		t.Errorf("the API server accepted the input of %d fixtures, want at least %d: is completed too little?", accepted, replayed)
	}
	t.Logf("%d of %d fixtures with a patch were accepted", accepted, len(patches))
}

func replay(t *testing.T, manifest, lines []byte) (accepted bool) {
	t.Helper()
	input, err := yaml.YAMLToJSONStrict(manifest)
	if err != nil {
		t.Fatal(err)
	}
	operations := "[" + strings.Join(strings.Split(strings.TrimSpace(string(lines)), "\n"), ",") + "]"
	patch, err := jsonpatch.DecodePatch([]byte(operations))
	if err != nil {
		t.Fatalf("patch: %v", err)
	}
	filled, err := patch.Apply(input)
	if err != nil {
		t.Fatalf("apply the patch: %v", err)
	}
	before, after := completed(t, input), completed(t, filled)
	was, err := dryRun(t.Context(), "team-a", before)
	if err != nil {
		t.Skipf("not accepted as it stands: %v", err)
	}
	is, err := dryRun(t.Context(), "team-a", after)
	if err != nil {
		t.Fatalf("accepted as it stands, and refused when it is filled: %v", err)
	}
	authors := map[string]bool{} // what the API server stores in another form than the author wrote it
	for _, problem := range lost(before.Object, was.Object, "") {
		authors[problem] = true
	}
	for _, problem := range lost(after.Object, is.Object, "") {
		if !authors[problem] {
			t.Errorf("filled, and stored in another form: %s", problem)
		}
	}
	return true
}

// completed gives an object what the API server asks of every object of its kind and most fixtures leave out: it is not what
// they are about. What is there stays.
func completed(t *testing.T, raw []byte) *unstructured.Unstructured {
	t.Helper()
	var o map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	kind := fmt.Sprint(o["kind"])
	spec := member(o, "spec")
	selector := map[string]any{"matchLabels": map[string]any{"fixture": "yes"}}
	template, restart := map[string]any(nil), ""
	switch kind {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet":
		absent(spec, "selector", selector)
		template = member(spec, "template")
		absent(member(member(template, "metadata"), "labels"), "fixture", "yes")
	case "ReplicationController":
		template = member(spec, "template")
		absent(member(member(template, "metadata"), "labels"), "fixture", "yes")
	case "Job":
		template, restart = member(spec, "template"), "Never"
	case "CronJob":
		absent(spec, "schedule", "0 0 1 1 *")
		template, restart = member(member(member(spec, "jobTemplate"), "spec"), "template"), "Never"
	case "Pod":
		template = o
	case "Ingress":
		absent(spec, "defaultBackend", map[string]any{"service": map[string]any{"name": "shop", "port": map[string]any{"number": 80}}})
	}
	if kind == "ServiceAccount" {
		delete(o, "spec")
	}
	if template != nil {
		pod := member(template, "spec")
		if restart != "" {
			absent(pod, "restartPolicy", restart)
		}
		for _, list := range []string{"containers", "initContainers"} {
			containers, _ := pod[list].([]any)
			for _, c := range containers {
				if c, ok := c.(map[string]any); ok {
					absent(c, "image", "shop:1")
				}
			}
		}
	}
	raw, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	out := &unstructured.Unstructured{}
	if err := out.UnmarshalJSON(raw); err != nil {
		t.Skipf("not accepted as it stands: %v", err)
	}
	out.SetNamespace("team-a")
	return out
}

// member returns an object below o and makes it where it is missing; one that is something else is left to the API server.
func member(o map[string]any, name string) map[string]any {
	if below, ok := o[name].(map[string]any); ok {
		return below
	}
	below := map[string]any{}
	absent(o, name, below)
	return below
}

func absent(o map[string]any, name string, value any) {
	if o[name] == nil {
		o[name] = value
	}
}
