package defaults

import (
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// dropCapabilities
//
//	Field:    securityContext.capabilities.drop of every container
//	Set when: the list is absent; capabilities that the author adds stay added
//	To:       [ALL]
//	Why:      container runtimes grant a dozen capabilities, nearly all of which nearly no app needs.
//	Since:    0.1
//	Not when: the author drops something: the list is atomic, and completing it would be changing it. The template is for Windows, where
//	          the field is forbidden. The container is privileged or adds ALL, which dropping ALL would take away again.
//	Opt out:  gesso.dev/drop-capabilities: "false" on the pod template, or ….<container>: "false"
func dropCapabilities() Default {
	return Default{
		ID:    "drop-capabilities",
		Kinds: workloads(),
		Paths: []string{
			"template.spec.containers[].securityContext.capabilities.drop", "template.spec.initContainers[].securityContext.capabilities.drop",
		},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.DropCapabilities },
		Fill:    fillDropCapabilities,
	}
}

func fillDropCapabilities(f *Filling) {
	f.eachContainer(func(c object.Container) {
		if !f.CanSet(c.Path, "securityContext", "capabilities", "drop") {
			f.Skip(dropped(c.Node.Get("securityContext", "capabilities", "drop")), c.Path, "securityContext", "capabilities", "drop")
		} else if reason := powerful(c, "ALL"); reason != nil {
			f.Skip(Privileged, reason)
		} else {
			f.Set(f.set.values.all, c.Path, "securityContext", "capabilities", "drop")
		}
	})
}

// dropped says why the author's own list stays: it drops all already, or it is a list that cannot be completed.
func dropped(list *object.Node) string {
	if list.Type() != object.Array {
		return AlreadySet
	}
	for _, n := range list.Elements() {
		if n.Str() == "ALL" {
			return AlreadySet
		}
	}
	return AtomicList
}
