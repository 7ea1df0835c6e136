package defaults

import (
	"strconv"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

const (
	sidecarID                  = "sidecar"
	portAnnotation             = "gesso.dev/port" // the app's port: a number, or the name of one of its ports
	defaultContainerAnnotation = "kubectl.kubernetes.io/default-container"
)

// sidecar
//
//	Field:    an element of spec.initContainers, after the author's; its volumes; the annotation
//	          kubectl.kubernetes.io/default-container of the pod template
//	Set when: no container has its name
//	To:       the Profile's reverse proxy as a native sidecar, with {appPort} {app} {namespace} {environment} replaced. The
//	          app's port is gesso.dev/port, else the port named http, else the only port of the app's first container. It runs as
//	          the user of the Pod, so that the app can still read its tokens, and without resources of its own where the Pod has
//	          its own.
//	Why:      every app is reached through the same proxy. As a native sidecar it starts before the app, stops after it, and
//	          lets a Job end. Its port is called proxy: a Service says targetPort: proxy.
//	Since:    0.1
//	Not when: the Profile names no image; host network or Windows; no port to forward to; the proxy's ports or the names of its
//	          container and volumes are taken; the Pod runs as root, the proxy must not and has no user of its own.
//	Opt out:  gesso.dev/sidecar: "false" on the pod template
func sidecar() Default {
	return Default{
		ID:    sidecarID,
		Kinds: workloads(),
		Paths: []string{
			"template.spec.initContainers[]", "template.spec.volumes[]",
			"template.metadata.annotations[" + defaultContainerAnnotation + "]",
		},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.Sidecar.DefaultSetting },
		Fill:    fillSidecar,
	}
}

func fillSidecar(f *Filling) {
	s := f.set.sidecar
	if s == nil {
		f.Skip(NotConfigured, nil)
		return
	}
	own, standing := f.standingSidecar(s)
	if reason, path := f.sidecarConflict(s, standing); reason != "" {
		f.Skip(reason, path)
		if reason == NameConflict {
			f.Warn("%s: the name is one of the sidecar's, so that no sidecar was added; names that begin with %s are reserved", object.FieldPath(path...), reserved)
		}
		return
	}
	port, where, ok := f.appPort()
	if !ok {
		f.Skip(NoPort, where)
		return
	}
	if reason, path := f.portConflict(s, port, where); reason != "" {
		f.Skip(reason, path)
		f.Warn("%s: its number or its name is one of the sidecar's, so that no sidecar was added; change it", object.FieldPath(path...))
		return
	}
	if s.needsNamespace && f.Namespace == nil {
		f.Skip(NamespaceUnknown, []string{"metadata", "namespace"})
		f.Warn("no sidecar was added: the labels of namespace %q are not known yet; apply the object again", f.NamespaceName)
		return
	}
	fill := f.placeholders(strconv.FormatInt(port, 10))
	before := len(f.paths)
	if body := fill.replaceIn(f.fit(s)); standing {
		f.complete(body, own.Path)
		f.containers = nil // it may be of another sort now
		f.taken.Merged(s.name)
	} else {
		f.Append(body, f.spec, "initContainers")
	}
	volumes := volumesOf(f.template)
	for _, v := range s.plainVolumes {
		name := v.Get("name").Str()
		switch at, there := volumes[name]; {
		case !there:
			f.Append(fill.replaceIn(v), f.spec, "volumes")
		case f.taken.Keeps(name):
			f.complete(fill.replaceIn(v), f.path(f.spec, "volumes", itoa(at)))
		}
	}
	if app, ok := f.app(); ok && app.Name != "" {
		f.Set(f.edit.Text(app.Name), f.metadata, "annotations", defaultContainerAnnotation)
	}
	if len(f.paths) == before {
		f.Skip(AlreadySet, own.Path)
	}
}

// standingSidecar finds the sidecar where it stands already and is to be completed: the author demonstrably wrote some of it, or another
// webhook added something to one that Gesso made. Any other one is somebody's own, whole.
func (f *Filling) standingSidecar(s *fragment) (object.Container, bool) {
	for _, c := range f.all() {
		if s.named(c.Name) && f.taken.Completes(c.Name) && (c.Sort == object.Sidecar || c.Sort == object.Init) {
			return c, true
		}
	}
	return object.Container{}, false
}

// sidecarConflict returns the reason why the template cannot take the sidecar, and the field that is the reason.
func (f *Filling) sidecarConflict(s *fragment, standing bool) (reason string, path []string) {
	t := f.template
	if t.Windows() {
		return Windows, f.spec
	}
	if t.Node.Get("spec", "hostNetwork").IsTrue() {
		return HostNetwork, f.path(f.spec, "hostNetwork")
	}
	if root := s.rootConflict(t); root != nil {
		return RunsAsRoot, root
	}
	if standing {
		return "", nil
	}
	for _, c := range f.all() {
		if c.Name == s.name && c.Sort == object.Sidecar {
			return AlreadySet, c.Path
		}
		if c.Name == s.name {
			return NameConflict, object.Join(c.Path, "name")
		}
	}
	for i, v := range t.Node.Get("spec", "volumes").Elements() {
		if name := v.Get("name").Str(); s.hasVolume(name) && !f.taken.Keeps(name) {
			return NameConflict, f.path(f.spec, "volumes", itoa(i), "name")
		}
	}
	for _, list := range [...]string{"initContainers", "volumes"} {
		if !f.CanAppend(f.spec, list) {
			return AlreadySet, f.path(f.spec, list)
		}
	}
	return "", nil
}

// appPort finds the port that the proxy forwards to, and the field that says so, or where one was missed.
func (f *Filling) appPort() (port int64, where []string, ok bool) {
	if value, set := f.answer(portAnnotation); set {
		annotation := answerPath(f.Object, f.template, portAnnotation)
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 1 && n <= 65535 {
			return n, annotation, true
		}
		if port, where, ok = f.namedPort(value); ok {
			return port, where, true
		}
		f.Warn("annotation %s: %q is neither a port from 1 to 65535 nor the name of a port; no sidecar was added", portAnnotation, value)
		return 0, annotation, false
	}
	if port, where, ok = f.namedPort("http"); ok {
		return port, where, true
	}
	for _, c := range f.all() {
		if c.Sort != object.Ordinary {
			continue
		}
		if ports := c.Node.Get("ports"); ports.Len() == 1 && forwardable(ports.Get("0")) {
			return portOf(ports.Get("0")).number, f.path(c.Path, "ports", "0", "containerPort"), true
		}
		return 0, f.path(c.Path, "ports"), false
	}
	return 0, f.path(f.spec, "containers"), false
}

// namedPort finds the port of that name in the ordinary containers.
func (f *Filling) namedPort(name string) (port int64, where []string, ok bool) {
	for _, c := range f.all() {
		if c.Sort != object.Ordinary {
			continue
		}
		for i, p := range c.Node.Get("ports").Elements() {
			if p.Get("name").Str() == name && forwardable(p) {
				return portOf(p).number, object.Join(c.Path, "ports", itoa(i), "containerPort"), true
			}
		}
	}
	return 0, nil, false
}

// forwardable reports whether an element of a container's ports is one that a reverse proxy can forward to.
func forwardable(n *object.Node) bool {
	p := portOf(n)
	return p.protocol == "TCP" && p.number >= 1 && p.number <= 65535
}

// portConflict finds a port of the author's that the sidecar has too: containers of a Pod share one network, so that the
// second to listen fails, and the API server does not refuse it.
func (f *Filling) portConflict(s *fragment, appPort int64, where []string) (reason string, path []string) {
	if s.takes(port{number: appPort, protocol: "TCP"}) {
		return PortConflict, where
	}
	for _, c := range f.all() {
		if c.Sort == object.Init || c.Name == s.name {
			continue // over before the sidecar starts, or the sidecar itself
		}
		for i, p := range c.Node.Get("ports").Elements() {
			if s.takes(portOf(p)) {
				return PortConflict, object.Join(c.Path, "ports", itoa(i))
			}
		}
	}
	return "", nil
}
