package update

import (
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var namespaces = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}

// kind is a kind of workload.
type kind struct {
	name      string
	resource  schema.GroupVersionResource
	template  []string // path to the pod template
	revisions schema.GroupVersionResource
	spec      string // what its manifest says beside selector and template
}

// called is the name for kubectl of the one object that each namespace holds.
func (k kind) called() string { return strings.ToLower(k.name) + "/web" }

// has reports whether the kind keeps revisions of its template.
func (k kind) hasRevisions() bool { return k.revisions.Resource != "" }

func kinds() []kind {
	template := []string{"spec", "template"}
	replicaSets := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "replicasets"}
	controllerRevisions := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "controllerrevisions"}
	return []kind{
		{
			"Deployment",
			schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"},
			template, replicaSets,
			"{replicas: 0}",
		},
		{
			"StatefulSet",
			schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "statefulsets"},
			template, controllerRevisions,
			"{replicas: 0, serviceName: web}",
		},
		{
			"DaemonSet",
			schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"},
			template, controllerRevisions,
			"{}", // there are no nodes
		},
		{
			"CronJob",
			schema.GroupVersionResource{Group: "batch", Version: "v1", Resource: "cronjobs"},
			[]string{"spec", "jobTemplate", "spec", "template"},
			schema.GroupVersionResource{},
			"{suspend: true, schedule: 0 0 1 1 *}",
		},
	}
}

func kindNamed(name string) kind {
	return kinds()[slices.IndexFunc(kinds(), func(k kind) bool { return k.name == name })]
}

// only returns the kinds of these names.
func only(names ...string) []kind {
	var all []kind
	for _, name := range names {
		all = append(all, kindNamed(name))
	}
	return all
}

// withRevisions are the kinds that kubectl rollout undo knows.
func withRevisions() []kind { return only("Deployment", "StatefulSet", "DaemonSet") }

// manifest is what an author wrote, for each kind.
type manifest func(kind) *unstructured.Unstructured

// change is a change of a manifest.
type change func(k kind, o map[string]any)

// app is the smallest manifest of an app with a port.
func app(image string, changes ...change) manifest {
	return func(k kind) *unstructured.Unstructured {
		o := parse(`
metadata: {name: web}
spec: ` + k.spec).(map[string]any)
		o["apiVersion"], o["kind"] = schema.GroupVersion{Group: k.resource.Group, Version: k.resource.Version}.String(), k.name
		if k.hasRevisions() {
			with(o, map[string]any{"app": "web"}, "spec", "selector", "matchLabels")
		}
		with(o, parse(`
metadata: {labels: {app: web, app.kubernetes.io/name: web}}
spec:
  containers:
  - {name: web, image: "`+image+`", ports: [{name: http, containerPort: 8080}]}`), k.template...)
		if !k.hasRevisions() {
			with(o, "OnFailure", append(slices.Clone(k.template), "spec", "restartPolicy")...)
		}
		for _, c := range changes {
			c(k, o)
		}
		return &unstructured.Unstructured{Object: o}
	}
}

// plus is a manifest with further changes.
func (m manifest) plus(changes ...change) manifest {
	return func(k kind) *unstructured.Unstructured {
		o := m(k)
		for _, c := range changes {
			c(k, o.Object)
		}
		return o
	}
}

// inTemplate sets the value, YAML, at a path of the template.
func inTemplate(value string, path ...string) change {
	return func(k kind, o map[string]any) { with(o, parse(value), append(slices.Clone(k.template), path...)...) }
}

// inWeb sets the value, YAML, at a path of the app's container.
func inWeb(value string, path ...string) change {
	return inTemplate(value, append([]string{"spec", "containers", "web"}, path...)...)
}

// element adds an element, YAML, to a list of the template.
func element(value string, path ...string) change {
	return func(k kind, o map[string]any) {
		path := append(slices.Clone(k.template), path...)
		list, _ := find(o, path...).([]any)
		with(o, append(list, parse(value)), path...)
	}
}

// inObject sets the value, YAML, at a path of the object.
func inObject(value string, path ...string) change {
	return func(_ kind, o map[string]any) { with(o, parse(value), path...) }
}

// memory is an author who says how much memory the app needs.
func memory(quantity string) change {
	return inWeb("{requests: {memory: "+quantity+"}, limits: {memory: "+quantity+"}}", "resources")
}

// annotations sets annotations of the object.
func annotations(all map[string]string) change {
	return func(_ kind, o map[string]any) {
		u := unstructured.Unstructured{Object: o}
		have := u.GetAnnotations()
		if have == nil {
			have = map[string]string{}
		}
		maps.Copy(have, all)
		u.SetAnnotations(have)
	}
}
