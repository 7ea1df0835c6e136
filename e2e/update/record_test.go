package update

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// record is the annotation as a reader of its definition would read it, without Gesso's code.
type record struct {
	Base           string                       `json:"base,omitempty"`
	Origin         string                       `json:"origin,omitempty"`
	Template       map[string]string            `json:"template,omitempty"`
	Pod            map[string]string            `json:"pod,omitempty"`
	Containers     map[string]map[string]string `json:"containers,omitempty"`
	InitContainers map[string]map[string]string `json:"initContainers,omitempty"`
}

// recordOf reads the record of a template, nil where there is none.
func recordOf(template any) (*record, error) {
	text, _ := find(template, "metadata", "annotations", recordAnnotation).(string)
	if text == "" {
		return nil, nil //nolint:nilnil // no record is no error
	}
	var r record
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return &r, nil
}

// sound reports what is wrong with a template that the API server has stored: an entry of the record that does not match the value
// that stands there, which is what happens when the API server completes or rewrites what Gesso filled; a mount of a volume that
// is not there. In a loose template somebody else changes what Gesso fills, or the record: there, only mounts count.
func sound(template any, loose bool) error {
	errs := dangling(template)
	if loose {
		return errors.Join(errs...)
	}
	r, err := recordOf(template)
	if err != nil || r == nil {
		return errors.Join(append(errs, err)...)
	}
	check := func(root any, where string, entries map[string]string) {
		for path, want := range entries {
			value, ok := lookUp(root, path)
			if got := leafHash(value); !ok || got != want {
				errs = append(errs, fmt.Errorf("record: %s%s is %v with hash %s, recorded is %s", where, path, value, got, want))
			}
		}
	}
	check(find(template, "metadata"), "template ", r.Template)
	check(find(template, "spec"), "pod ", r.Pod)
	for name, entries := range r.Containers {
		check(find(template, "spec", "containers", name), name+" ", entries)
	}
	for name, entries := range r.InitContainers {
		check(find(template, "spec", "initContainers", name), name+" ", entries)
	}
	return errors.Join(errs...)
}

// dangling finds mounts of volumes that are not there.
func dangling(template any) []error {
	var errs []error
	for _, list := range []string{"containers", "initContainers"} {
		all, _ := find(template, "spec", list).([]any)
		for _, c := range all {
			mounts, _ := find(c, "volumeMounts").([]any)
			for _, m := range mounts {
				if name, _ := find(m, "name").(string); find(template, "spec", "volumes", name) == nil {
					errs = append(errs, fmt.Errorf("container %v mounts the volume %q, which is not there", find(c, "name"), name))
				}
			}
		}
	}
	return errs
}

// leafHash is the hash of a leaf: eight digits of SHA-256 of its canonical JSON.
func leafHash(value any) string {
	sum := sha256.Sum256([]byte(canonical(value)))
	return hex.EncodeToString(sum[:4])
}

// lookUp follows the path of an entry: a.b[key].c, where [key] names the member of a map or the element of a list by any of its
// fields.
func lookUp(o any, path string) (value any, ok bool) {
	for path != "" {
		var name string
		if rest, found := strings.CutPrefix(path, "["); found {
			name, path, ok = strings.Cut(rest, "]")
			if list, isList := o.([]any); isList && ok {
				i := slices.IndexFunc(list, func(e any) bool { return hasField(e, name) })
				if i < 0 {
					return nil, false
				}
				o = list[i]
				path = strings.TrimPrefix(path, ".")
				continue
			}
		} else {
			end := strings.IndexAny(path, ".[")
			if end < 0 {
				end = len(path)
			}
			name, path = path[:end], path[end:]
		}
		m, isMap := o.(map[string]any)
		if o, ok = m[name]; !isMap || !ok {
			return nil, false
		}
		path = strings.TrimPrefix(path, ".")
	}
	return o, true
}

// hasField reports whether an element is named by a key: one of its fields, or a port with its protocol.
func hasField(e any, key string) bool {
	m, _ := e.(map[string]any)
	for _, name := range []string{"name", "mountPath", "containerPort", "devicePath", "ip"} {
		if v, ok := m[name]; ok && fmt.Sprint(v) == key {
			return true
		}
	}
	return fmt.Sprintf("%v/%v", m["containerPort"], m["protocol"]) == key
}

func TestSoundFindsWhatDoesNotMatch(t *testing.T) {
	template := parse(`
metadata: {annotations: {other/name: x}}
spec:
  volumes: [{name: gesso-tmp-web, emptyDir: {}}]
  containers:
  - {name: web, resources: {limits: {memory: 128Mi}}, volumeMounts: [{name: gesso-tmp-web, mountPath: /tmp}]}`)
	entries := func(memory string) string {
		return canonical(record{
			Template:   map[string]string{"annotations[other/name]": leafHash("x")},
			Pod:        map[string]string{"volumes[gesso-tmp-web].name": leafHash("gesso-tmp-web")},
			Containers: map[string]map[string]string{"web": {"resources.limits.memory": leafHash(memory), "volumeMounts[/tmp].mountPath": leafHash("/tmp")}},
		})
	}
	for want, annotation := range map[string]string{
		"":                               entries("128Mi"),
		"web resources.limits.memory":    entries("256Mi"),
		"unknown field":                  `{"bass":"1"}`,
		`mounts the volume "gesso-tmp`:   entries("128Mi"),
		"web volumeMounts[/x].mountPath": `{"containers":{"web":{"volumeMounts[/x].mountPath":"1"}}}`,
	} {
		template := parse(canonical(template))
		with(template, annotation, "metadata", "annotations", recordAnnotation)
		if strings.HasPrefix(want, "mounts") {
			with(template, nil, "spec", "volumes", "gesso-tmp-web")
		}
		err := sound(template, false)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
