package defaults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/strategicpatch"

	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
)

// versionProfiles are releases of one platform's Profile, laid over baseProfile: other values, a default that went and one that came, a
// sidecar of another shape.
var versionProfiles = []string{
	`{}`,
	`{"spec":{"defaults":{"resources":{"memory":"512Mi"},"sidecar":{"container":{
		"image":"proxy:2","args":["--v2"],"ports":[{"name":"proxy","containerPort":8443},{"name":"stats","containerPort":9901}],
		"env":[{"name":"LEVEL","value":"info"}]}}}}}`,
	`{"spec":{"defaults":{"read-only-root-filesystem":{"mode":"off"},"resources":{"memory":"1Gi","cpu":"1"},"sidecar":{
		"container":{"image":"proxy:3","volumeMounts":[]},"volumes":[]},"no-service-account-token":{"mode":"enforce"}}}}`,
	`{"spec":{"defaults":{"sidecar":{"mode":"off"},"drop-capabilities":{"mode":"off"}}}}`,
}

func versionSets(tb testing.TB) []*Set {
	tb.Helper()
	var all []*Set
	for _, over := range versionProfiles {
		set, err := newSet(tb, overlay(tb, profileOf(tb, ""), []byte(over)))
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, set)
	}
	return all
}

// manifest returns a random workload of those that are updated, such as the API server accepts.
func (g generator) manifest() obj {
	kind := one(g, "apps/v1 Deployment", "apps/v1 StatefulSet", "apps/v1 DaemonSet", "batch/v1 CronJob")
	o := obj{"metadata": obj{"name": "shop", "namespace": "team-a"}}
	mustScan(kind, o)
	spec := obj{}
	containers := []any{}
	for _, name := range []string{"web", "worker", "metrics"}[:1+g.IntN(3)] {
		containers = append(containers, g.validContainer(name))
	}
	spec["containers"] = containers
	g.maybe(4, spec, "initContainers", func() any {
		inits := []any{g.validContainer("migrate")}
		if g.IntN(3) == 0 {
			own := obj{"name": "gesso-proxy", "image": "own:1", "restartPolicy": "Always"}
			g.maybe(2, own, "env", func() any { return []any{obj{"name": "OWN", "value": "1"}} })
			inits = append(inits, own)
		}
		return inits
	})
	g.maybe(3, spec, "volumes", func() any {
		volumes := []any{obj{"name": "data", "emptyDir": obj{}}}
		if g.IntN(3) == 0 {
			volumes = append(volumes, obj{"name": one(g, "gesso-tmp-web", "gesso-tmp-worker"), "emptyDir": obj{"medium": "Memory"}})
		}
		return volumes
	})
	g.maybe(4, spec, "securityContext", func() any { return one(g, obj{"runAsNonRoot": true}, obj{"fsGroup": 5}, obj{}) })
	g.maybe(8, spec, "automountServiceAccountToken", func() any { return one(g, true, false) })
	template := obj{"metadata": obj{"labels": obj{"app": "shop"}}, "spec": spec}
	g.maybe(4, template["metadata"].(obj), "annotations", func() any {
		return obj{one(g, "gesso.dev/resources", "gesso.dev/memory", "gesso.dev/read-only-root-filesystem.web", "note"): one(g, "false", "64Mi")}
	})
	g.maybe(8, o["metadata"].(obj), "annotations", func() any { return obj{one(g, "gesso.dev/sidecar", "gesso.dev/seccomp"): "false"} })
	if strings.HasSuffix(kind, "CronJob") {
		o["spec"] = obj{"jobTemplate": obj{"spec": obj{"template": template}}}
	} else {
		o["spec"] = obj{"selector": obj{"matchLabels": obj{"app": "shop"}}, "template": template}
	}
	return o
}

func (g generator) validContainer(name string) obj {
	c := obj{"name": name, "image": "shop:0123abc"}
	g.maybe(2, c, "ports", func() any { return []any{obj{"name": "http", "containerPort": 8080}} })
	g.maybe(3, c, "resources", func() any {
		return one(g, obj{"limits": obj{"memory": "256Mi"}}, obj{"requests": obj{"cpu": "100m", "memory": "256Mi"}}, obj{"limits": obj{"cpu": "2"}}, obj{})
	})
	g.maybe(3, c, "securityContext", func() any {
		return one(g, obj{"readOnlyRootFilesystem": true}, obj{"runAsUser": 7}, obj{}, obj{"capabilities": obj{"add": []any{"NET_BIND_SERVICE"}}})
	})
	return c
}

// world is a cluster as far as one workload sees it: what is stored, and which Profile is in force.
type world struct {
	*testing.T
	g    generator
	sets []*Set
	path []string // of the template
}

// stored returns an object as the API server would store it: nulls and empty lists are gone.
func (w *world) stored(raw []byte) []byte {
	w.Helper()
	into, ok := typed(parse(w, raw).GroupKind())
	if !ok {
		w.Fatalf("no type for %s", raw)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		w.Fatalf("store %s: %v", raw, err)
	}
	return mustJSON(into)
}

// applied returns a manifest as kubectl apply creates it.
func (w *world) applied(manifest obj) []byte {
	w.Helper()
	raw := mustJSON(manifest)
	o := parse(w, raw)
	o.Root.Put(object.Value(string(raw)), "metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
	return w.stored(o.Root.Bytes())
}

// patched returns live as kubectl apply of a manifest changes it.
func (w *world) patched(live []byte, before, after obj) []byte {
	w.Helper()
	applied := w.applied(after)
	into, _ := typed(parse(w, live).GroupKind())
	meta, err := strategicpatch.NewPatchMetaFromStruct(into)
	if err != nil {
		w.Fatal(err)
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(w.applied(before), applied, live, meta, true)
	if err != nil {
		w.Fatal(err)
	}
	merged, err := strategicpatch.StrategicMergePatchUsingLookupPatchMeta(live, patch, meta)
	if err != nil {
		w.Fatal(err)
	}
	return w.stored(merged)
}

// fill fills with a release of the Profile; an UPDATE where there is an old object.
func (w *world) fill(version int, raw, old []byte) ([]byte, Outcome) {
	w.Helper()
	f := fixture{operation: "CREATE", old: old, namespace: namespaces()[0]}
	if old != nil {
		f.operation = "UPDATE"
	}
	r := f.request(w, raw)
	out := w.sets[version].Fill(r)
	return w.stored(r.Object.Root.Bytes()), out
}

func (w *world) template(raw []byte) *object.Node { return parse(w, raw).Root.Get(w.path...) }

// same holds that two objects have one template, the record included.
func (w *world) same(what string, got, want []byte) {
	w.Helper()
	if a, b := w.template(got), w.template(want); !a.Equal(b) {
		w.Errorf("%s: the template is another (-want +got):\n%s", what, cmp.Diff(decode(w, b.Canonical()), decode(w, a.Canonical())))
	}
}

// changed returns a manifest with another image in its first container: a deploy.
func changed(tb testing.TB, manifest obj, image string) obj {
	tb.Helper()
	o := parse(tb, mustJSON(manifest))
	path := object.Join(o.Template().Path, "spec", "containers", "0", "image")
	o.Root.Put(object.Value(image), path...)
	var next obj
	if err := json.Unmarshal(o.Root.Bytes(), &next); err != nil {
		tb.Fatal(err)
	}
	return next
}

// TestUpdatesOfRandomWorkloads holds the update rule over random workloads, releases of the Profile and damaged records: 5,000 of them, and
// a tenth of that with the race detector, which finds nothing more in them. make test runs it in both ways.
func TestUpdatesOfRandomWorkloads(t *testing.T) {
	t.Parallel()
	workloads := 5000
	if raceDetector {
		workloads /= 10
	}
	sets := versionSets(t)
	for part := range 4 {
		t.Run(strconv.Itoa(part), func(t *testing.T) {
			t.Parallel()
			for seed := part; seed < workloads; seed += 4 {
				g := newGenerator(uint64(seed))
				w := &world{T: t, g: g, sets: sets}
				m := g.manifest()
				w.path = parse(t, mustJSON(m)).Template().Path
				w.run(m)
				if t.Failed() {
					t.Fatalf("workload %d: %s", seed, mustJSON(m))
				}
			}
		})
	}
}

// run lets one thing happen to a workload; Gesso is upgraded before.
func (w *world) run(m obj) {
	was, is := w.g.IntN(len(w.sets)), w.g.IntN(len(w.sets))
	live, _ := w.fill(was, w.applied(m), nil)
	w.holdsRecord(live)
	switch w.g.IntN(4) {
	case 0:
		again, out := w.fill(was, live, nil)
		if w.same("CREATE of what was filled", again, live); len(out.Patch) > 0 {
			w.Errorf("CREATE of what was filled: a patch: %s", mustJSON(out.Patch))
		}
	case 1:
		w.quiet(m, live, is)
	case 2:
		w.deploys(m, live, is)
	case 3:
		w.damaged(live, is)
	}
}

// deploys holds that a deploy gives the same in three ways, and that one can go back and forth.
func (w *world) deploys(m obj, live []byte, version int) {
	next := changed(w.T, m, "shop:4567def")
	fresh, _ := w.fill(version, w.applied(next), nil)
	byPatch, _ := w.fill(version, w.patched(live, m, next), live)
	byPut, _ := w.fill(version, w.applied(next), live)
	w.sameButRecord("a deploy by patch", byPatch, fresh)
	w.sameButRecord("a deploy by PUT", byPut, fresh)
	w.holdsAuthor(next, byPatch)
	w.holdsRecord(byPatch)
	second, _ := w.fill(version, byPatch, live)
	w.same("the second call of a deploy", second, byPatch)
	back, _ := w.fill(w.g.IntN(len(w.sets)), w.withTemplate(byPatch, live), byPatch)
	w.same("an undo", back, live)
	forth, _ := w.fill(w.g.IntN(len(w.sets)), w.withTemplate(back, byPatch), back)
	w.same("an undo of the undo", forth, byPatch)
}

// quiet holds that what is no deploy changes nothing.
func (w *world) quiet(m obj, live []byte, version int) {
	for what, next := range map[string][]byte{
		"the same object":            live,
		"a label":                    w.with(live, "v", "metadata", "labels", "l"),
		"a PUT of the same manifest": w.applied(m),
		"an apply of it":             w.patched(live, m, m),
		"a change of the record":     w.with(live, one(w.g, "{}", "x", `{"base":"0"}`, ""), append(slices.Clone(w.path), recordPath()...)...),
	} {
		got, _ := w.fill(version, next, live)
		w.same(what, got, live)
	}
}

func (w *world) with(raw []byte, value string, path ...string) []byte {
	o := parse(w, raw)
	o.Root.Put(object.Value(value), path...)
	return o.Root.Bytes()
}

func (w *world) withTemplate(raw, from []byte) []byte {
	o := parse(w, raw)
	o.Root.Put(w.template(from), w.path...)
	return o.Root.Bytes()
}

func (w *world) sameButRecord(what string, got, want []byte) {
	w.Helper()
	if a, b := record.Bare(w.template(got)), record.Bare(w.template(want)); !bytes.Equal(a, b) {
		w.Errorf("%s differs from a fresh object (-want +got):\n%s", what, cmp.Diff(decode(w, b), decode(w, a)))
	}
}

// holdsRecord holds that the record, where there is one, describes what is stored.
func (w *world) holdsRecord(raw []byte) {
	w.Helper()
	template := w.template(raw)
	r, present := record.Of(template)
	if present && (r == nil || !r.Complete(template)) {
		w.Errorf("the record does not describe what is stored: %s", raw)
	}
}

// holdsAuthor holds that all that the manifest says stands in the object.
func (w *world) holdsAuthor(m obj, raw []byte) {
	w.Helper()
	holds(w, w.template(w.stored(mustJSON(m))), w.template(raw), "template")
}

// holds holds that every value in author stands in object; elements of lists are found by their names.
func holds(tb testing.TB, author, have *object.Node, at string) {
	tb.Helper()
	switch author.Type().String() {
	case "an object":
		for name, value := range author.Members() {
			holds(tb, value, have.Get(name), at+"."+name)
		}
	case "a list":
		for i, e := range author.Elements() {
			found := have.Get(strconv.Itoa(i))
			for _, other := range have.Elements() {
				if name := e.Get("name"); name != nil && other.Get("name").Equal(name) {
					found = other
				}
			}
			holds(tb, e, found, fmt.Sprintf("%s[%d]", at, i))
		}
	default:
		if !author.Equal(have) {
			tb.Errorf("%s: the author wrote %s, it is %s", at, author.Bytes(), have.Bytes())
		}
	}
}

// damaged deploys a workload whose record somebody damaged: what comes of it may be the author's where it was ours, but the object
// must be one that the API server accepts.
func (w *world) damaged(live []byte, version int) {
	w.Helper()
	at := append(slices.Clone(w.path), recordPath()...)
	text := parse(w, live).Root.Get(at...).Str()
	if text == "" {
		return
	}
	i := w.g.IntN(len(text))
	switch w.g.IntN(4) {
	case 0:
		text = text[:i]
	case 1:
		text = text[:i] + one(w.g, "0", "f", "x", "]", "/") + text[i+1:]
	case 2:
		text = strings.ReplaceAll(text, one(w.g, "name", "mountPath", "image", "web", "gesso-"), one(w.g, "name", "image", "web", "x"))
	case 3:
		var d map[string]any
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			w.Fatal(err)
		}
		delete(d, one(w.g, "pod", "containers", "initContainers", "base"))
		text = string(mustJSON(d))
	}
	broken := w.with(live, text, at...)
	next := w.with(broken, "shop:9999999", append(slices.Clone(w.path), "spec", "containers", "0", "image")...)
	got, _ := w.fill(version, next, broken)
	spec := w.template(got).Get("spec")
	volumes := map[string]bool{}
	for _, v := range spec.Get("volumes").Elements() {
		volumes[v.Get("name").Str()] = true
	}
	for _, list := range []string{"containers", "initContainers"} {
		for _, c := range spec.Get(list).Elements() {
			if c.Get("name").Str() == "" || c.Get("image").Str() == "" {
				w.Errorf("a container without name or image: %s\nrecord: %s", c.Bytes(), text)
			}
			for _, m := range c.Get("volumeMounts").Elements() {
				if !volumes[m.Get("name").Str()] {
					w.Errorf("a mount of no volume: %s\nrecord: %s", m.Bytes(), text)
				}
			}
		}
	}
	// One more deploy, and all is well again.
	final, _ := w.fill(version, w.with(got, "shop:aaaaaaa", append(slices.Clone(w.path), "spec", "containers", "0", "image")...), got)
	w.holdsRecord(final)
}
