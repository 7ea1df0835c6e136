package defaults

import (
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
)

// The annotations of the EKS pod identity webhook (github.com/aws/amazon-eks-pod-identity-webhook, README).
const (
	roleARNAnnotation        = "eks.amazonaws.com/role-arn"
	skipContainersAnnotation = "eks.amazonaws.com/skip-containers"
)

// irsa
//
//	Field:    metadata.annotations[eks.amazonaws.com/role-arn] of a ServiceAccount;
//	          metadata.annotations[eks.amazonaws.com/skip-containers] of a pod template with the sidecar
//	Set when: the annotation is absent; the role only in a namespace labelled gesso.dev/irsa: enabled
//	To:       arn:{partition}:iam::{account}:role/k8s/{cluster}/{namespace}/{serviceAccount}; the name of the sidecar
//	Why:      one role for each app, found without asking anybody; and the sidecar, which needs no AWS, must not get the
//	          app's credentials.
//	Since:    0.1
//	Not when: the Profile names no account and cluster, or another identity than irsa; never on the ServiceAccount
//	          "default": every Pod that names none would get the role.
//	Opt out:  gesso.dev/irsa: "false" on the ServiceAccount or on the pod template
func irsa() Default {
	serviceAccount := Kind{object.GroupKind{Kind: "ServiceAccount"}, "v1", "serviceaccounts", []string{"CREATE", "UPDATE"}}
	return Default{
		ID:    "irsa",
		Kinds: append(workloads(), serviceAccount),
		Paths: []string{
			"metadata.annotations[" + roleARNAnnotation + "]",
			"template.metadata.annotations[" + skipContainersAnnotation + "]",
		},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.IRSA },
		Fill:    fillIRSA,
	}
}

func fillIRSA(f *Filling) {
	aws := &f.Spec.AWS
	if aws.Identity != v1alpha1.IdentityIRSA || aws.Account == "" || aws.Cluster == "" {
		f.Skip(NotConfigured, nil)
		return
	}
	if f.template != nil {
		f.fillSkipContainers()
		return
	}
	annotation := []string{"metadata", "annotations", roleARNAnnotation}
	switch {
	case !f.CanSet(annotation):
		f.Skip(AlreadySet, annotation)
	case f.Object.Name == "default", f.Object.Root.Get("metadata", "name").Str() == "": // default, or made up later from generateName
		f.Skip(NoOptIn, []string{"metadata", "name"})
	case f.Namespace == nil:
		f.Skip(NamespaceUnknown, []string{"metadata", "namespace"})
		f.Warn("no role was filled: the labels of namespace %q are not known yet; apply the ServiceAccount again", f.NamespaceName)
	case f.Namespace.Labels[convention.IRSALabel] != convention.Enabled:
		f.Skip(NoOptIn, []string{"metadata", "namespace"})
	default:
		f.Set(f.edit.Text(f.Names(f.Object.Name).RoleARN), annotation)
	}
}

func (f *Filling) fillSkipContainers() {
	for _, c := range f.Containers() {
		if !f.set.sidecar.named(c.Name) || c.Sort != object.Sidecar {
			continue
		}
		if !f.Set(f.edit.Text(c.Name), f.metadata, "annotations", skipContainersAnnotation) {
			f.Skip(AlreadySet, f.metadata, "annotations", skipContainersAnnotation)
		}
		return
	}
	f.Skip(NotConfigured, f.spec, "initContainers") // no sidecar, nothing to keep credentials from
}
