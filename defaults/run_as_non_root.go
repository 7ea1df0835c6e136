package defaults

import (
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// runAsNonRoot
//
//	Field:    securityContext.runAsNonRoot of the pod
//	Set when: the pod does not say it, nor each of its containers
//	To:       true
//	Why:      root in a container is root on the node for whatever breaks out. No user is chosen: the image knows which one owns its
//	          files. An image whose user is root, or a name, is refused by the kubelet, which only the Pod's status shows: preview first.
//	Since:    0.1
//	Not when: somebody in the pod runs as root on purpose (runAsUser: 0), or may, because the pod has users of its own
//	          (hostUsers: false); the template is for Windows.
//	Opt out:  gesso.dev/run-as-non-root: "false" on the pod template; a container's own runAsNonRoot: false holds for it
func runAsNonRoot() Default {
	return Default{
		ID:      "run-as-non-root",
		Kinds:   workloads(),
		Paths:   []string{"template.spec.securityContext.runAsNonRoot"},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.RunAsNonRoot },
		Fill:    fillRunAsNonRoot,
	}
}

func fillRunAsNonRoot(f *Filling) {
	t := f.Template()
	field := t.Spec("securityContext", "runAsNonRoot")
	if f.podSettled(t, field) {
		return
	}
	if reason := runsAsRoot(t); reason != nil {
		f.Skip(RunsAsRoot, reason...)
		return
	}
	var own []string // of the first container
	for _, c := range f.Containers() {
		path := object.Join(c.Path, "securityContext", "runAsNonRoot")
		if f.edit.CanSet(path) {
			f.Set([]byte("true"), field...)
			return
		}
		if own == nil {
			own = path
		}
	}
	f.Skip(AlreadySet, own...)
}

// runsAsRoot returns the field by which the author says that something in the pod is root, or may be.
func runsAsRoot(t *object.Template) (field []string) {
	if n := t.Node.Get("spec", "hostUsers"); n.Type() == object.Bool && !n.IsTrue() {
		return t.Spec("hostUsers")
	}
	if user, ok := t.Node.Get("spec", "securityContext", "runAsUser").Int(); ok && user == 0 {
		return t.Spec("securityContext", "runAsUser")
	}
	for _, c := range t.Containers() {
		if user, ok := c.Node.Get("securityContext", "runAsUser").Int(); ok && user == 0 {
			return object.Join(c.Path, "securityContext", "runAsUser")
		}
	}
	return nil
}
