package object

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Scope says how the API server serves a kind. Offline nobody can be asked: for kinds that are not built in, the plural is
// guessed as kubectl does without discovery, and a kind counts as cluster-scoped if its name is Cluster and more.
func Scope(gk GroupKind) (resource string, namespaced bool) {
	plural, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Group: gk.Group, Version: "v1", Kind: gk.Kind})
	resource = plural.Resource
	if gk.Group == "" && gk.Kind == "Endpoints" {
		resource = "endpoints"
	}
	return resource, !clusterScoped(gk)
}

// clusterScoped reports whether a kind has no namespace (kubectl api-resources --namespaced=false, Kubernetes 1.37).
func clusterScoped(gk GroupKind) bool {
	only := func(kinds ...string) bool { return slices.Contains(kinds, gk.Kind) }
	switch gk.Group {
	case "":
		return only("Namespace", "Node", "PersistentVolume", "ComponentStatus")
	case "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io",
		"node.k8s.io", "internal.apiserver.k8s.io", "storagemigration.k8s.io", "authentication.k8s.io":
		return true
	case "scheduling.k8s.io":
		return !only("Workload", "PodGroup")
	case "certificates.k8s.io":
		return only("CertificateSigningRequest", "ClusterTrustBundle")
	case "authorization.k8s.io":
		return !only("LocalSubjectAccessReview")
	case "networking.k8s.io":
		return only("IngressClass", "IPAddress", "ServiceCIDR")
	case "resource.k8s.io":
		return !only("ResourceClaim", "ResourceClaimTemplate")
	case "storage.k8s.io":
		return !only("CSIStorageCapacity")
	case "gesso.dev":
		return true
	}
	return gk.Kind != "Cluster" && strings.HasPrefix(gk.Kind, "Cluster") // several operators have a Cluster in a namespace
}
