// Package object reads a Kubernetes object as bytes: who it is, where its pod template and its containers are, what is
// absent; and appends JSON patch operations. It knows no Go type of any kind, so that nothing is lost that it does not know.
package object

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Object is a parsed Kubernetes object.
type Object struct {
	Root *Node

	Group, Version, Kind string
	Namespace, Name      string // Name is generateName where there is no name yet
}

// New parses data, strict JSON, as a Kubernetes object: an object with the strings apiVersion and kind. Errors are of
// type *[SyntaxError], or say which field is missing.
func New(data []byte) (*Object, error) {
	root, err := Parse(data)
	if err != nil {
		return nil, err
	}
	return Of(root)
}

// Of takes a parsed document as a Kubernetes object.
func Of(root *Node) (*Object, error) {
	if root.Type() != Map {
		return nil, fmt.Errorf("not a Kubernetes object: %s, want an object", root.Type())
	}
	apiVersion, ok := root.Get("apiVersion").Text()
	if !ok || apiVersion == "" {
		return nil, fmt.Errorf("not a Kubernetes object: apiVersion is %s, want a string", root.Get("apiVersion").Type())
	}
	o := &Object{Root: root, Version: apiVersion}
	if group, version, found := strings.Cut(apiVersion, "/"); found {
		o.Group, o.Version = group, version
	}
	if o.Kind, ok = root.Get("kind").Text(); !ok || o.Kind == "" {
		return nil, fmt.Errorf("not a Kubernetes object: kind is %s, want a string", root.Get("kind").Type())
	}
	o.Namespace = root.Get("metadata", "namespace").Str()
	o.Name = root.Get("metadata", "name").Str()
	if o.Name == "" {
		o.Name = root.Get("metadata", "generateName").Str()
	}
	return o, nil
}

// APIVersion returns group and version as manifests write them: "apps/v1", "v1".
func (o *Object) APIVersion() string {
	if o.Group == "" {
		return o.Version
	}
	return o.Group + "/" + o.Version
}

// GroupKind names the kind of o.
func (o *Object) GroupKind() GroupKind { return GroupKind{o.Group, o.Kind} }

// Annotation returns the object's own annotation and whether it is a string that is there.
func (o *Object) Annotation(name string) (string, bool) {
	return o.Root.Get("metadata", "annotations", name).Text()
}

// Label returns the object's own label, "" where there is none.
func (o *Object) Label(name string) string { return o.Root.Get("metadata", "labels", name).Str() }

// BeingDeleted reports whether the object has a deletionTimestamp.
func (o *Object) BeingDeleted() bool {
	return !o.Root.Get("metadata", "deletionTimestamp").Missing()
}

// ControllerOwned reports whether a controller owns the object, which then decides what is in it.
func (o *Object) ControllerOwned() bool {
	for _, ref := range o.Root.Get("metadata", "ownerReferences").Elements() {
		if ref.Get("controller").IsTrue() {
			return true
		}
	}
	return false
}

// GroupKind is a kind without its version: policies and defaults act on fields, and matchPolicy Equivalent brings every
// version in the one that is registered.
type GroupKind struct{ Group, Kind string }

// templatePath says where each built-in kind keeps its pod template; a Pod is one itself.
func templatePath(gk GroupKind) ([]string, bool) {
	switch gk {
	case GroupKind{"", "Pod"}:
		return []string{}, true
	case GroupKind{"", "PodTemplate"}:
		return []string{"template"}, true
	case GroupKind{"apps", "Deployment"}, GroupKind{"apps", "StatefulSet"}, GroupKind{"apps", "DaemonSet"},
		GroupKind{"apps", "ReplicaSet"}, GroupKind{"", "ReplicationController"}, GroupKind{"batch", "Job"}:
		return []string{"spec", "template"}, true
	case GroupKind{"batch", "CronJob"}:
		return []string{"spec", "jobTemplate", "spec", "template"}, true
	}
	return nil, false
}

// Template is the pod template of an object: a place in its document.
type Template struct {
	Path []string // tokens from the root to the template; empty for a Pod
	Node *Node    // may be absent where the author left the template out
}

// Template returns the pod template of o, or nil for a kind that has none.
func (o *Object) Template() *Template {
	path, ok := templatePath(o.GroupKind())
	if !ok {
		return nil
	}
	return &Template{Path: path, Node: o.Root.Get(path...)}
}

// Spec returns the path of a field of the pod spec.
func (t *Template) Spec(tokens ...string) []string { return Join(Join(t.Path, "spec"), tokens...) }

// Annotation returns an annotation of the template and whether it is a string that is there.
func (t *Template) Annotation(name string) (string, bool) {
	return t.Node.Get("metadata", "annotations", name).Text()
}

// Sort is the sort of a container.
type Sort string

// The sorts of container. A native sidecar is an init container that restarts always (Kubernetes 1.29).
const (
	Ordinary  Sort = "container"
	Init      Sort = "init"
	Sidecar   Sort = "sidecar"
	Ephemeral Sort = "ephemeral"
)

// Container is a container of a template: a place in its document.
type Container struct {
	Sort Sort
	Name string
	Path []string // tokens from the root of the object
	Node *Node
}

// Containers returns the containers in the order in which they start: init containers and native sidecars, then the
// ordinary ones, then ephemeral ones. Elements that are no objects are left out.
func (t *Template) Containers() []Container {
	var all []Container
	for _, list := range [...]struct {
		field string
		sort  Sort
	}{{"initContainers", Init}, {"containers", Ordinary}, {"ephemeralContainers", Ephemeral}} {
		for i, n := range t.Node.Get("spec", list.field).Elements() {
			if n.Type() != Map {
				continue
			}
			c := Container{Sort: list.sort, Name: n.Get("name").Str(), Path: t.Spec(list.field, strconv.Itoa(i)), Node: n}
			if c.Sort == Init && n.Get("restartPolicy").Is("Always") {
				c.Sort = Sidecar
			}
			all = append(all, c)
		}
	}
	return all
}

// App returns the container that is the application: the one that kubectl.kubernetes.io/default-container names, else the
// first ordinary one. False where there is none.
func (t *Template) App() (Container, bool) {
	all := slices.DeleteFunc(t.Containers(), func(c Container) bool { return c.Sort != Ordinary })
	if len(all) == 0 {
		return Container{}, false
	}
	if name, ok := t.Annotation("kubectl.kubernetes.io/default-container"); ok {
		if i := slices.IndexFunc(all, func(c Container) bool { return c.Name == name }); i >= 0 {
			return all[i], true
		}
	}
	return all[0], true
}

// Windows reports whether the Pods of this template say that they run on Windows, where much of the security context is
// forbidden.
func (t *Template) Windows() bool {
	spec := t.Node.Get("spec")
	if spec.Get("os", "name").Is("windows") {
		return true
	}
	selector := spec.Get("nodeSelector")
	return selector.Get("kubernetes.io/os").Is("windows") || selector.Get("beta.kubernetes.io/os").Is("windows")
}
