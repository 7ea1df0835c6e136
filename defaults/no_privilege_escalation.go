package defaults

import (
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// noPrivilegeEscalation
//
//	Field:    securityContext.allowPrivilegeEscalation of every container
//	Set when: the field is absent
//	To:       false
//	Why:      a program must not gain more rights than the one that started it, by a setuid binary for example.
//	Since:    0.1
//	Not when: the template is for Windows, where the field is forbidden; the container is privileged or adds CAP_SYS_ADMIN, with which
//	          the API server refuses the field, or the same right under the names SYS_ADMIN and ALL: it has escalated already.
//	Opt out:  gesso.dev/no-privilege-escalation: "false" on the pod template, or ….<container>: "false"
func noPrivilegeEscalation() Default {
	return Default{
		ID:    "no-privilege-escalation",
		Kinds: workloads(),
		Paths: []string{
			"template.spec.containers[].securityContext.allowPrivilegeEscalation",
			"template.spec.initContainers[].securityContext.allowPrivilegeEscalation",
		},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.NoPrivilegeEscalation },
		Fill:    fillNoPrivilegeEscalation,
	}
}

func fillNoPrivilegeEscalation(f *Filling) {
	f.eachContainer(func(c object.Container) {
		if !f.CanSet(c.Path, "securityContext", "allowPrivilegeEscalation") {
			f.Skip(AlreadySet, c.Path, "securityContext", "allowPrivilegeEscalation")
		} else if reason := powerful(c, "SYS_ADMIN", "ALL"); reason != nil {
			f.Skip(Privileged, reason)
		} else {
			f.Set(f.set.values.no, c.Path, "securityContext", "allowPrivilegeEscalation")
		}
	})
}
