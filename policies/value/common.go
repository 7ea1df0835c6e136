package value

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/internal/object"
)

// longestCommon bounds the texts that are looked up in common.
const longestCommon = 56

// common holds terms for what nearly every request says: names of fields, and values that the API server itself fills in. It never grows,
// so that no request can make it. Terms are immutable.
var common = commonTerms(fields, values) //nolint:gochecknoglobals // constant

// fields are names of fields beside object.CommonNames, in managedFields with f: before them.
const fields = `
subresource selfLink component tier argocd.argoproj.io/tracking-id gesso.dev/filled paused activeDeadlineSeconds manualSelector
containerName divisor prefix appProtocol hugepages-2Mi recursiveReadOnly devicePath sleep seconds supplementalGroupsPolicy
appArmorProfile level role user hostProcess stdin stdinOnce tty resizePolicy resourceName targetContainerName nameservers searches
affinity namespaceSelector values conditionType mode audience clusterTrustBundle nodePublishSecretRef server ephemeral
volumeClaimTemplate reference pullPolicy accessModes storageClassName volumeMode volumeName exitCode unavailableReplicas
ingressClassName defaultBackend number ingress externalName allocateLoadBalancerNodePorts secretStoreRef refreshInterval target
creationPolicy deletionPolicy dataFrom remoteRef secretKey property extract find provider aws region auth jwt serviceAccountRef
secrets roleRef subjects verbs apiGroups nonResourceURLs resourceNames pods kubelet eks.amazonaws.com/role-arn expected
environment parameters inventory ref registry repository tag digest trimmed ok
`

const values = `
CREATE UPDATE DELETE CONNECT v1 apps apps/v1 batch batch/v1 networking.k8s.io networking.k8s.io/v1 external-secrets.io external-secrets.io/v1
Pod Deployment StatefulSet DaemonSet ReplicaSet Job CronJob Service ServiceAccount Ingress Secret ConfigMap Namespace
ExternalSecret SecretStore ClusterSecretStore deployments statefulsets daemonsets replicasets jobs cronjobs services ingresses
Always IfNotPresent Never OnFailure Allow Forbid Replace RollingUpdate Recreate OnDelete OrderedReady Parallel Opaque
TCP UDP HTTP HTTPS ClusterFirst Default None default default-scheduler File FallbackToLogsOnError /dev/termination-log /dev/shm /tmp tmp
RuntimeDefault Unconfined Localhost ALL NET_BIND_SERVICE PreemptLowerPriority Exists Equal NoExecute NoSchedule In NotIn DoesNotExist
node.kubernetes.io/not-ready node.kubernetes.io/unreachable kubernetes.io/hostname topology.kubernetes.io/zone
ca.crt token kube-root-ca.crt /var/run/secrets/kubernetes.io/serviceaccount kube-api-access
v1:metadata.name v1:metadata.namespace metadata.name metadata.namespace status.podIP spec.nodeName FieldsV1 Apply Update
kube-controller-manager kubectl kubectl-client-side-apply argocd-controller kube-scheduler Strict Warn Ignore
system:authenticated system:masters system:serviceaccounts system:nodes
system:serviceaccount:kube-system:replicaset-controller Guaranteed Burstable BestEffort Pending Running True False Unknown
Prefix Exact ImplementationSpecific ClusterIP NodePort LoadBalancer Owner Merge Retain linux windows amd64 arm64 main web http https metrics
IPv4 SingleStack Cluster Local CreateOrUpdate container init sidecar volume prod staging dev production true false
. f:. k:{"type":"Ready"}
100m 200m 250m 500m 64Mi 128Mi 256Mi 512Mi 1Gi 2Gi 1 2 25% 0 80 443 8080
`

func commonTerms(fields, values string) map[string]*ast.Term {
	terms := map[string]*ast.Term{"": ast.InternedTerm("")}
	add := func(name string) {
		terms[name] = ast.InternedTerm(name)
		terms["f:"+name] = ast.InternedTerm("f:" + name)
	}
	for name := range object.CommonNames() {
		add(name)
	}
	for name := range strings.FieldsSeq(fields) {
		add(name)
	}
	for value := range strings.FieldsSeq(values) {
		terms[value] = ast.InternedTerm(value)
	}
	return terms
}
