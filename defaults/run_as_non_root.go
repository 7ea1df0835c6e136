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
	if f.podSettled("securityContext", "runAsNonRoot") {
		return
	}
	if reason := f.runsAsRoot(); reason != nil {
		f.Skip(RunsAsRoot, reason)
		return
	}
	all := f.Containers()
	for _, c := range all {
		if f.CanSet(c.Path, "securityContext", "runAsNonRoot") {
			f.Set(f.set.values.yes, f.spec, "securityContext", "runAsNonRoot")
			return
		}
	}
	f.Skip(AlreadySet, all[0].Path, "securityContext", "runAsNonRoot")
}

// runsAsRoot returns the field by which the author says that something in the pod is root, or may be.
func (f *Filling) runsAsRoot() (field []string) {
	spec := f.template.Node.Get("spec")
	if n := spec.Get("hostUsers"); n.Type() == object.Bool && !n.IsTrue() {
		return f.path(f.spec, "hostUsers")
	}
	if user, ok := spec.Get("securityContext", "runAsUser").Int(); ok && user == 0 {
		return f.path(f.spec, "securityContext", "runAsUser")
	}
	for _, c := range f.all() {
		if user, ok := c.Node.Get("securityContext", "runAsUser").Int(); ok && user == 0 {
			return f.path(c.Path, "securityContext", "runAsUser")
		}
	}
	return nil
}
