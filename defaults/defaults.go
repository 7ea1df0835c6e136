// Package defaults fills what a manifest leaves out. Each default is one value in one file: an id, the kinds that it acts
// on, the paths that it may write, and a pure function. What the author wrote is never changed, removed or reordered.
package defaults

import (
	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// Default is one default.
type Default struct {
	// ID is its name everywhere: in the Profile, in annotations, in results, on docs/names.md.
	ID string
	// Kinds are the kinds that it acts on; they feed the registration.
	Kinds []Kind
	// Paths are the families of paths that it may write, below the pod template for those that begin with "template".
	// [] stands for any element of a list.
	Paths []string
	// Setting finds its mode and opt-out in a Profile.
	Setting func(*v1alpha1.Defaults) v1alpha1.DefaultSetting
	// Fill fills one object. It is only called where the kind, the operation and the mode ask for it.
	Fill func(*Filling)
}

// List returns all defaults in the order in which they fill. The order is meaning: the sidecar comes first, so that the
// defaults of containers reach it too, and irsa after it, because it names it.
func List() []Default {
	return []Default{
		sidecar(),
		readOnlyRootFilesystem(),
		resources(),
		seccomp(),
		noPrivilegeEscalation(),
		dropCapabilities(),
		runAsNonRoot(),
		noServiceAccountToken(),
		noServiceLinks(),
		irsa(),
		ingressClass(),
		labels(),
	}
}

// Kind is a kind that a default acts on, with what a registration needs.
type Kind struct {
	object.GroupKind
	Version    string
	Resource   string   // plural name
	Operations []string // CREATE, and UPDATE where the part that is filled can change
}

// workloads are the kinds with a pod template. Jobs, ReplicaSets, ReplicationControllers and Pods only on CREATE: the
// template of a Job and the spec of a Pod are immutable, and the other two belong to a Deployment nearly always.
func workloads() []Kind {
	create, both := []string{"CREATE"}, []string{"CREATE", "UPDATE"}
	return []Kind{
		{object.GroupKind{Group: "apps", Kind: "Deployment"}, "v1", "deployments", both},
		{object.GroupKind{Group: "apps", Kind: "StatefulSet"}, "v1", "statefulsets", both},
		{object.GroupKind{Group: "apps", Kind: "DaemonSet"}, "v1", "daemonsets", both},
		{object.GroupKind{Group: "batch", Kind: "CronJob"}, "v1", "cronjobs", both},
		{object.GroupKind{Group: "batch", Kind: "Job"}, "v1", "jobs", create},
		{object.GroupKind{Group: "apps", Kind: "ReplicaSet"}, "v1", "replicasets", create},
		{object.GroupKind{Kind: "ReplicationController"}, "v1", "replicationcontrollers", create},
		{object.GroupKind{Kind: "Pod"}, "v1", "pods", create},
	}
}

// Reasons why a default did not act. docs/names.md explains each.
const (
	AlreadySet          = "already-set"
	OptedOut            = "opted-out"
	Preview             = "preview"
	Off                 = "off"
	Windows             = "windows"
	Privileged          = "privileged"
	HostNetwork         = "host-network"
	RunsAsRoot          = "runs-as-root"
	MountConflict       = "mount-conflict"
	NameConflict        = "name-conflict"
	PortConflict        = "port-conflict"
	NoPort              = "no-port"
	PodLevelResources   = "pod-level-resources"
	AtomicList          = "atomic-list"
	Immutable           = "immutable"
	ControllerOwned     = "controller-owned"
	ExcludedNamespace   = "excluded-namespace"
	NamespaceUnknown    = "namespace-unknown"
	NoOptIn             = "no-opt-in"
	NotConfigured       = "not-configured"
	KeptUntilNextDeploy = "kept-until-next-deploy"
	Restored            = "restored"
	RecordTooLarge      = "record-too-large"
	BeingDeleted        = "being-deleted"
)
