package record_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
)

func parse(tb testing.TB, text string) *object.Node {
	tb.Helper()
	n, err := object.Parse([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	return n
}

// template is a small template, filled: a limit and a mount in the author's container, a volume and a sidecar of Gesso's.
const template = `{"metadata":{"labels":{"app":"shop"}},"spec":{
"containers":[{"name":"web","image":"shop:1","resources":{"limits":{"memory":"256Mi"}},"securityContext":{"readOnlyRootFilesystem":true},
  "volumeMounts":[{"mountPath":"/data","name":"data"},{"mountPath":"/tmp","name":"gesso-tmp-web"}]}],
"initContainers":[{"name":"gesso-proxy","image":"proxy:1","restartPolicy":"Always","env":[{"name":"A","value":"1"}],"ports":[{"containerPort":8443,"name":"proxy","protocol":"TCP"}]}],
"volumes":[{"name":"data","emptyDir":{}},{"name":"gesso-tmp-web","emptyDir":{"sizeLimit":"1Gi"}}]}}`

// ours are the paths of what Gesso filled in it.
var ours = [][]string{
	{"spec", "containers", "web", "resources", "limits", "memory"},
	{"spec", "containers", "web", "securityContext", "readOnlyRootFilesystem"},
	{"spec", "containers", "web", "volumeMounts", "/tmp"},
	{"spec", "initContainers", "gesso-proxy"},
	{"spec", "volumes", "gesso-tmp-web"},
}

func filled(tb testing.TB) (*object.Node, *record.Record) {
	tb.Helper()
	n, r := parse(tb, template), record.New()
	r.Note(n, ours)
	r.Base = record.Base(n, r)
	return n, r
}

func TestString(t *testing.T) {
	t.Parallel()
	n, r := filled(t)
	const want = `{"base":"BASE","containers":{"web":{"resources.limits.memory":"8d6de49f","securityContext.readOnlyRootFilesystem":"b5bea41b",` +
		`"volumeMounts[/tmp].mountPath":"7900b5d5","volumeMounts[/tmp].name":"3098e46f"}},` +
		`"initContainers":{"gesso-proxy":{"env[A].name":"06f961b8","env[A].value":"89a5d5ea","image":"a4e8d8d1","name":"b4b724ab",` +
		`"ports[8443/TCP].containerPort":"3f4a9a60","ports[8443/TCP].name":"a3a5c0d8","ports[8443/TCP].protocol":"5ee0edae","restartPolicy":"d5b4a3c6"}},` +
		`"pod":{"volumes[gesso-tmp-web].emptyDir.sizeLimit":"4bb3f4c3","volumes[gesso-tmp-web].name":"3098e46f"}}`
	got := strings.Replace(r.String(), r.Base, "BASE", 1)
	if shape(got) != shape(want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	again, err := record.Parse(r.String())
	if err != nil || !again.Equal(r) || again.String() != r.String() {
		t.Errorf("read back: %v\n%s\n%s", err, again.String(), r.String())
	}
	if !r.Complete(n) {
		t.Error("the record does not describe the template that it was made of")
	}
}

// shape leaves the hashes out.
func shape(text string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(text, `"`) {
		if len(part) == 8 && strings.Trim(part, "0123456789abcdef") == "" {
			part = "*"
		}
		b.WriteString(part + `"`)
	}
	return b.String()
}

// TestParse holds what of a record that anybody may have written is believed.
func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"nothing", `{}`, `{}`},
		{"not JSON", `{`, "error"},
		{"another type", `[]`, "error"},
		{"null", `null`, "error"},
		{"a number", `{"base":5}`, "error"},
		{"too large", `{"base":"` + strings.Repeat("a", record.MaxSize) + `"}`, "error"},
		{"sections of a newer Gesso", `{"base":"00000000","later":{"x":"y"}}`, `{"base":"00000000"}`},
		{"a path outside of the families", `{"pod":{"hostNetwork":"b5bea41b","enableServiceLinks":"fcbcf165"}}`, `{"pod":{"enableServiceLinks":"fcbcf165"}}`},
		{"the author's image", `{"containers":{"web":{"image":"00000000"}}}`, `{}`},
		{"the author's volume", `{"pod":{"volumes[data].name":"00000000","volumes[gesso-x].name":"00000000"}}`, `{"pod":{"volumes[gesso-x].name":"00000000"}}`},
		{"the author's init container", `{"initContainers":{"migrate":{"name":"00000000","image":"00000000"}}}`, `{}`},
		{"junk", `{"pod":{"":"0","[":"0","a..b":"0",".":"0",".a":"0","a.":"0","volumes[gesso-x":"0","volumes[gesso-x]].name":"0","volumes.gesso-x.name":"0","[enableServiceLinks]":"0"}}`, `{}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := "error"
			if r, err := record.Parse(c.text); err == nil {
				got = r.String()
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestSubtract(t *testing.T) {
	t.Parallel()
	const bare = `{"metadata":{"labels":{"app":"shop"}},"spec":{"containers":[{"name":"web","image":"shop:1","resources":{},` +
		`"volumeMounts":[{"mountPath":"/data","name":"data"}]}],"volumes":[{"name":"data","emptyDir":{}}]}}`
	n, r := filled(t)
	s := record.Start(n, record.Evidence{})
	s.Subtract(r)
	if got := s.Template(); !got.Equal(parse(t, bare)) || !s.Changed() {
		t.Errorf("left: %s\nwant: %s", got.Bytes(), bare)
	}
	if !n.Equal(parse(t, template)) {
		t.Errorf("the original became %s", n.Bytes())
	}
	s.SweepSidecars()
	s.Finish()
	if got := s.Template(); !got.Equal(parse(t, bare)) {
		t.Errorf("swept: %s\nwant: %s", got.Bytes(), bare)
	}
}

// TestSubtractKeeps holds what is left alone although the record names it.
func TestSubtractKeeps(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, path, value, stays string }{
		{"a value that somebody changed", "spec/containers/0/resources/limits/memory", `"300Mi"`, "spec/containers/0/resources/limits/memory"},
		{"a mount to which somebody added", "spec/containers/0/volumeMounts/1/readOnly", "true", "spec/containers/0/volumeMounts/1/mountPath"},
		{"a volume to which somebody added", "spec/volumes/1/emptyDir/medium", `"Memory"`, "spec/volumes/1/emptyDir/medium"},
		{"a mount of our volume elsewhere", "spec/containers/0/volumeMounts/0/name", `"gesso-tmp-web"`, "spec/volumes/1/emptyDir/sizeLimit"},
		{"a sidecar of another name", "spec/initContainers/0/name", `"gesso-other"`, "spec/initContainers/0/image"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, r := filled(t)
			n.Put(parse(t, c.value), strings.Split(c.path, "/")...)
			s := record.Start(n, record.Evidence{})
			s.Subtract(r)
			s.SweepSidecars()
			s.Finish()
			want, got := n.Get(strings.Split(c.stays, "/")...), s.Template().Get(strings.Split(c.stays, "/")...)
			if got == nil || !got.Equal(want) {
				t.Errorf("%s is gone: %s", c.stays, s.Template().Bytes())
			}
		})
	}
}

func TestEvidence(t *testing.T) {
	t.Parallel()
	applied := `{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"shop:1","resources":{"limits":{"memory":null}},"ports":[{"containerPort":80}]}],"volumes":[]}}}}`
	owned := `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"worker\"}":{".":{},"f:image":{},"f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{"f:containerPort":{}}}}}}}}}`
	manager := func(operation, more string) string {
		return fmt.Sprintf(`{"manager":"x","operation":%q,"fieldsV1":%s%s}`, operation, owned, more)
	}
	object1 := func(annotation, managed string) *object.Object {
		text := `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"annotations":{`
		if annotation != "" {
			text += `"kubectl.kubernetes.io/last-applied-configuration":` + string(object.Quote(annotation))
		}
		o, err := object.New([]byte(text + `},"managedFields":[` + managed + `]}}`))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	for _, c := range []struct {
		name, annotation, managed, path string
		want                            bool
	}{
		{"applied", applied, "", "spec/containers/web/image", true},
		{"applied, an element", applied, "", "spec/containers/web", true},
		{"applied, an empty list", applied, "", "spec/volumes", true},
		{"applied, a port", applied, "", "spec/containers/web/ports/80|TCP", true},
		{"applied, null is not written", applied, "", "spec/containers/web/resources/limits/memory", false},
		{"applied, another container", applied, "", "spec/containers/worker/image", false},
		{"not JSON", "{", "", "spec/containers/web/image", false},
		{"owned by Apply", "", manager("Apply", ""), "spec/containers/worker/image", true},
		{"owned by Apply, an element", "", manager("Apply", ""), "spec/containers/worker", true},
		{"owned by Apply, a port", "", manager("Apply", ""), "spec/containers/worker/ports/80|TCP/containerPort", true},
		{"owned by Apply, not this", "", manager("Apply", ""), "spec/containers/worker/resources", false},
		{"owned by Update", "", manager("Update", ""), "spec/containers/worker/image", false},
		{"owned by Apply of a subresource", "", manager("Apply", `,"subresource":"scale"`), "spec/containers/worker/image", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := strings.Split(c.path, "/")
			for i := range path {
				path[i] = strings.ReplaceAll(path[i], "|", "/")
			}
			e := record.EvidenceOf(object1(c.annotation, c.managed))
			if got := e.Claims(path); got != c.want {
				t.Errorf("claims %s: %v, want %v", c.path, got, c.want)
			}
		})
	}
}

// TestSize holds what DESIGN promises of the size: it stands on every Pod.
func TestSize(t *testing.T) {
	t.Parallel()
	n, r := filled(t)
	if got := len(r.String()); got > 800 {
		t.Errorf("%d bytes for one container and a sidecar", got)
	}
	if s := record.Hash(record.Bare(n)); len(s) != 8 {
		t.Errorf("a hash of %d digits", len(s))
	}
}

// FuzzParse looks for a record that is read and not written back the same, or that makes subtraction fail.
func FuzzParse(f *testing.F) {
	_, r := filled(f)
	f.Add(r.String())
	f.Add(strings.ReplaceAll(r.String(), "mountPath", "name"))
	f.Add(`{"containers":{"web":{"volumeMounts[/a\\]b].mountPath":"7900b5d5"}},"pod":{"volumes[gesso-\\\\].name":"0"}}`)
	f.Add(`{"object":{"spec.ingressClassName":"00000000"},"template":{"labels[app.kubernetes.io/name]":"0"}}`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := record.Parse(text)
		if err != nil {
			return
		}
		again, err := record.Parse(r.String())
		if err != nil || !again.Equal(r) {
			t.Fatalf("%s is read back as %v, %v", r.String(), again, err)
		}
		n := parse(t, template)
		s := record.Start(n, record.Evidence{})
		s.Subtract(r)
		s.SweepSidecars()
		s.Finish()
		for _, c := range s.Template().Get("spec", "containers").Elements() {
			if c.Get("image").Str() != "shop:1" || c.Get("name").Str() != "web" {
				t.Fatalf("%s takes from the author's container: %s", text, c.Bytes())
			}
			for _, m := range c.Get("volumeMounts").Elements() {
				if !strings.Contains(string(s.Template().Get("spec", "volumes").Bytes()), `"`+m.Get("name").Str()+`"`) {
					t.Fatalf("%s leaves a mount without its volume: %s", text, s.Template().Bytes())
				}
			}
		}
	})
}
