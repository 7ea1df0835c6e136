package defaults

import (
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// noServiceAccountToken
//
//	Field:    automountServiceAccountToken of the pod
//	Set when: the field is absent, also where the workload names a ServiceAccount: on EKS most of those are there for an AWS role, whose
//	          token is another one and is mounted all the same
//	To:       false
//	Why:      an app that never talks to the Kubernetes API needs no credentials for it, and whatever breaks in should find none. The
//	          ServiceAccount's own automountServiceAccountToken cannot be seen from here: preview first.
//	Since:    0.1
//	Not when: a bare Pod: the API server has mounted the token before any webhook is asked.
//	Opt out:  gesso.dev/no-service-account-token: "false" on the pod template; or automountServiceAccountToken: true
func noServiceAccountToken() Default {
	return Default{
		ID:      "no-service-account-token",
		Kinds:   workloads(),
		Paths:   []string{"template.spec.automountServiceAccountToken"},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.NoServiceAccountToken },
		Fill:    func(f *Filling) { f.fillTemplateOnly("automountServiceAccountToken") },
	}
}

// fillTemplateOnly fills a field of the pod spec with false that the API server has decided already when it is a Pod that comes.
func (f *Filling) fillTemplateOnly(field string) {
	if f.Object.GroupKind() == (object.GroupKind{Kind: "Pod"}) {
		f.Skip(Immutable, f.spec, field)
		return
	}
	if f.noContainers() {
		return
	}
	f.warnPodLevel()
	if !f.Set(f.set.values.no, f.spec, field) {
		f.Skip(AlreadySet, f.spec, field)
	}
}
