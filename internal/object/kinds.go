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

// clusterScoped knows the built-in kinds without a namespace (kubectl api-resources --namespaced=false, Kubernetes 1.37).
func clusterScoped(gk GroupKind) bool {
	all := func(string) bool { return true }
	in := func(kinds ...string) func(string) bool {
		return func(kind string) bool { return slices.Contains(kinds, kind) }
	}
	var is func(kind string) bool
	switch gk.Group {
	case "":
		is = in("Namespace", "Node", "PersistentVolume", "ComponentStatus")
	case "admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io",
		"node.k8s.io", "internal.apiserver.k8s.io", "storagemigration.k8s.io", "authentication.k8s.io":
		is = all
	case "scheduling.k8s.io":
		is = in("PriorityClass")
	case "certificates.k8s.io":
		is = in("CertificateSigningRequest", "ClusterTrustBundle")
	case "authorization.k8s.io":
		is = in("SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview")
	case "networking.k8s.io":
		is = in("IngressClass", "IPAddress", "ServiceCIDR")
	case "resource.k8s.io":
		is = in("DeviceClass", "DeviceTaintRule", "ResourcePoolStatusRequest", "ResourceSlice")
	case "storage.k8s.io":
		is = in("CSIDriver", "CSINode", "StorageClass", "VolumeAttachment", "VolumeAttributesClass")
	default:
		return gk.Kind != "Cluster" && strings.HasPrefix(gk.Kind, "Cluster") // several operators have a Cluster in a namespace
	}
	return is(gk.Kind)
}
