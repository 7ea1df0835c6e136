package defaults

import (
	"strings"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// The annotations by which seccomp was configured before there was a field. Since Kubernetes 1.27 they do nothing, but the API server
// still refuses a field that says something else.
const (
	seccompPodAnnotation       = "seccomp.security.alpha.kubernetes.io/pod"
	seccompContainerAnnotation = "container.seccomp.security.alpha.kubernetes.io/" // and the name of the container
)

// seccomp
//
//	Field:    securityContext.seccompProfile.type of the pod
//	Set when: the pod has no profile, and some container neither has one of its own nor is privileged
//	To:       RuntimeDefault
//	Why:      the container runtime knows which system calls programs need; without a profile a container may try them all. On the
//	          pod it covers every container, later ephemeral ones too.
//	Since:    0.1
//	Not when: the template is for Windows, where the field is forbidden; a privileged container, which runs without a profile whatever
//	          is written; one of the old seccomp annotations says what the author wants.
//	Opt out:  gesso.dev/seccomp: "false" on the pod template; or a profile of the author's
func seccomp() Default {
	return Default{
		ID:      "seccomp",
		Kinds:   workloads(),
		Paths:   []string{"template.spec.securityContext.seccompProfile.type"},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.Seccomp },
		Fill:    fillSeccomp,
	}
}

func fillSeccomp(f *Filling) {
	if f.podSettled("securityContext", "seccompProfile") {
		return
	}
	if name := legacySeccomp(f.template); name != "" {
		f.Skip(AlreadySet, f.metadata, "annotations", name)
		return
	}
	wanted := false
	for _, c := range f.Containers() {
		if !f.CanSet(c.Path, "securityContext", "seccompProfile") {
			f.Skip(AlreadySet, c.Path, "securityContext", "seccompProfile")
		} else if c.Node.Get("securityContext", "privileged").IsTrue() {
			f.Skip(Privileged, c.Path, "securityContext", "privileged")
		} else {
			wanted = true
		}
	}
	if wanted {
		f.Set(f.set.values.runtimeDefault, f.spec, "securityContext", "seccompProfile", "type")
	}
}

// legacySeccomp returns the name of an annotation of the template that configures seccomp, "" if there is none.
func legacySeccomp(t *object.Template) string {
	found := ""
	for name := range t.Node.Get("metadata", "annotations").Members() {
		if (name == seccompPodAnnotation || strings.HasPrefix(name, seccompContainerAnnotation)) && (found == "" || name < found) {
			found = name
		}
	}
	return found
}
