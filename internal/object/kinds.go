package object

import (
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

// clusterScoped lists the built-in kinds without a namespace (kubectl api-resources --namespaced=false, Kubernetes 1.37).
func clusterScoped(gk GroupKind) bool {
	switch gk.Group {
	case "":
		return gk.Kind == "Namespace" || gk.Kind == "Node" || gk.Kind == "PersistentVolume" || gk.Kind == "ComponentStatus"
	case "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io",
		"node.k8s.io", "scheduling.k8s.io", "internal.apiserver.k8s.io", "storagemigration.k8s.io":
		return gk.Kind != "Workload" && gk.Kind != "PodGroup"
	case "certificates.k8s.io":
		return gk.Kind == "CertificateSigningRequest" || gk.Kind == "ClusterTrustBundle"
	case "authentication.k8s.io":
		return true
	case "authorization.k8s.io":
		return gk.Kind != "LocalSubjectAccessReview"
	case "networking.k8s.io":
		return gk.Kind == "IngressClass" || gk.Kind == "IPAddress" || gk.Kind == "ServiceCIDR"
	case "resource.k8s.io":
		return gk.Kind != "ResourceClaim" && gk.Kind != "ResourceClaimTemplate"
	case "storage.k8s.io":
		return gk.Kind != "CSIStorageCapacity"
	}
	return gk.Kind != "Cluster" && strings.HasPrefix(gk.Kind, "Cluster") // several operators have a Cluster in a namespace
}
