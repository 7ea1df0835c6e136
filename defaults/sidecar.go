package defaults

import (
	"strconv"
	"strings"

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
	t, s := f.Template(), f.set.sidecar
	own, standing := f.standingSidecar(t, s)
	if s == nil {
		f.Skip(NotConfigured)
		return
	}
	if reason, path := f.sidecarConflict(t, s, standing); reason != "" {
		f.Skip(reason, path...)
		if reason == NameConflict {
			f.Warn("%s: the name is one of the sidecar's, so that no sidecar was added; names that begin with %s are reserved", object.FieldPath(path...), reserved)
		}
		return
	}
	port, where, ok := f.appPort(t)
	if !ok {
		f.Skip(NoPort, where...)
		return
	}
	if reason, path := f.portConflict(t, s, port, where); reason != "" {
		f.Skip(reason, path...)
		f.Warn("%s: its number or its name is one of the sidecar's, so that no sidecar was added; change it", object.FieldPath(path...))
		return
	}
	if s.needsNamespace && f.Namespace == nil {
		f.Skip(NamespaceUnknown, "metadata", "namespace")
		f.Warn("no sidecar was added: the labels of namespace %q are not known yet; apply the object again", f.NamespaceName)
		return
	}
	names := f.Names("")
	fill := strings.NewReplacer(
		"{appPort}", strconv.FormatInt(port, 10), "{app}", names.App,
		"{namespace}", f.NamespaceName, "{environment}", names.Environment,
	)
	before := len(f.paths)
	if standing {
		f.complete(object.MustParse(replaceStrings(s.fit(t), fill)), own.Path)
		f.taken.Merged(s.name)
	} else {
		f.Append(replaceStrings(s.fit(t), fill), t.Spec("initContainers")...)
	}
	volumes := volumesOf(t)
	for _, v := range s.volumes {
		name := v.Get("name").Str()
		switch at, there := volumes[name]; {
		case !there:
			f.Append(replaceStrings(v, fill), t.Spec("volumes")...)
		case f.taken.Keeps(name):
			f.complete(object.MustParse(replaceStrings(v, fill)), t.Spec("volumes", itoa(at)))
		}
	}
	if app, ok := t.App(); ok && app.Name != "" {
		f.Set(object.Quote(app.Name), object.Join(t.Path, "metadata", "annotations", defaultContainerAnnotation)...)
	}
	if len(f.paths) == before {
		f.Skip(AlreadySet, own.Path...)
	}
}

// standingSidecar finds the sidecar where it stands already and is to be completed: the author demonstrably wrote some of it, or another
// webhook added something to one that Gesso made. Any other one is somebody's own, whole.
func (f *Filling) standingSidecar(t *object.Template, s *fragment) (object.Container, bool) {
	for _, c := range t.Containers() {
		if s.named(c.Name) && f.taken.Completes(c.Name) && (c.Sort == object.Sidecar || c.Sort == object.Init) {
			return c, true
		}
	}
	return object.Container{}, false
}

// sidecarConflict returns the reason why the template cannot take the sidecar, and the field that is the reason.
func (f *Filling) sidecarConflict(t *object.Template, s *fragment, standing bool) (reason string, path []string) {
	if t.Windows() {
		return Windows, t.Spec()
	}
	if t.Node.Get("spec", "hostNetwork").IsTrue() {
		return HostNetwork, t.Spec("hostNetwork")
	}
	if root := s.rootConflict(t); root != nil {
		return RunsAsRoot, root
	}
	if standing {
		return "", nil
	}
	for _, c := range t.Containers() {
		if c.Name == s.name && c.Sort == object.Sidecar {
			return AlreadySet, c.Path
		}
		if c.Name == s.name {
			return NameConflict, object.Join(c.Path, "name")
		}
	}
	for i, v := range t.Node.Get("spec", "volumes").Elements() {
		if name := v.Get("name").Str(); s.hasVolume(name) && !f.taken.Keeps(name) {
			return NameConflict, t.Spec("volumes", itoa(i), "name")
		}
	}
	for _, list := range [...]string{"initContainers", "volumes"} {
		if !f.CanAppend(t.Spec(list)...) {
			return AlreadySet, t.Spec(list)
		}
	}
	return "", nil
}

// appPort finds the port that the proxy forwards to, and the field that says so, or where one was missed.
func (f *Filling) appPort(t *object.Template) (port int64, where []string, ok bool) {
	if value, annotation, set := answer(f.Object, portAnnotation); set {
		if n, err := strconv.ParseInt(value, 10, 64); err == nil && n >= 1 && n <= 65535 {
			return n, annotation, true
		}
		if port, where, ok = namedPort(t, value); ok {
			return port, where, true
		}
		f.Warn("annotation %s: %q is neither a port from 1 to 65535 nor the name of a port; no sidecar was added", portAnnotation, value)
		return 0, annotation, false
	}
	if port, where, ok = namedPort(t, "http"); ok {
		return port, where, true
	}
	for _, c := range t.Containers() {
		if c.Sort != object.Ordinary {
			continue
		}
		if ports := c.Node.Get("ports"); ports.Len() == 1 && forwardable(ports.Get("0")) {
			return portOf(ports.Get("0")).number, object.Join(c.Path, "ports", "0", "containerPort"), true
		}
		return 0, object.Join(c.Path, "ports"), false
	}
	return 0, t.Spec("containers"), false
}

// namedPort finds the port of that name in the ordinary containers.
func namedPort(t *object.Template, name string) (port int64, where []string, ok bool) {
	for _, c := range t.Containers() {
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
func (f *Filling) portConflict(t *object.Template, s *fragment, appPort int64, where []string) (reason string, path []string) {
	if s.takes(port{number: appPort, protocol: "TCP"}) {
		return PortConflict, where
	}
	for _, c := range t.Containers() {
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
