package value

import (
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// longestCommon bounds the texts that are looked up in common.
const longestCommon = 56

// common holds terms for what nearly every request says: names of fields, and values that the API server itself fills in. It never grows,
// so that no request can make it. Terms are immutable.
var common = commonTerms(fields, values) //nolint:gochecknoglobals // constant

// fields are names of fields, in managedFields with f: before them.
const fields = `
uid kind group version resource requestKind requestResource requestSubResource subResource name namespace operation userInfo username groups
extra object oldObject dryRun options fieldManager fieldValidation apiVersion metadata spec status data stringData type immutable
generateName labels annotations creationTimestamp deletionTimestamp deletionGracePeriodSeconds finalizers generation resourceVersion
ownerReferences controller blockOwnerDeletion managedFields manager fieldsType fieldsV1 time subresource selfLink
app component tier app.kubernetes.io/name app.kubernetes.io/instance app.kubernetes.io/version app.kubernetes.io/component
app.kubernetes.io/part-of app.kubernetes.io/managed-by pod-template-hash kubernetes.io/metadata.name
kubectl.kubernetes.io/last-applied-configuration kubectl.kubernetes.io/restartedAt kubectl.kubernetes.io/default-container
deployment.kubernetes.io/revision argocd.argoproj.io/tracking-id gesso.dev/filled
replicas selector matchLabels matchExpressions key operator effect tolerationSeconds template strategy rollingUpdate maxSurge maxUnavailable
minReadySeconds revisionHistoryLimit progressDeadlineSeconds paused serviceName podManagementPolicy updateStrategy partition
volumeClaimTemplates schedule concurrencyPolicy suspend jobTemplate successfulJobsHistoryLimit failedJobsHistoryLimit startingDeadlineSeconds
timeZone backoffLimit completions parallelism completionMode activeDeadlineSeconds ttlSecondsAfterFinished manualSelector
containers initContainers ephemeralContainers volumes image imagePullPolicy imagePullSecrets command args workingDir env envFrom
value valueFrom fieldRef fieldPath configMapKeyRef secretKeyRef resourceFieldRef containerName divisor configMapRef secretRef prefix optional
ports containerPort hostPort hostIP protocol port targetPort nodePort appProtocol
resources requests limits claims cpu memory ephemeral-storage storage hugepages-2Mi
volumeMounts volumeDevices mountPath subPath subPathExpr readOnly recursiveReadOnly mountPropagation devicePath
livenessProbe readinessProbe startupProbe httpGet path scheme host httpHeaders tcpSocket exec grpc service initialDelaySeconds timeoutSeconds
periodSeconds successThreshold failureThreshold terminationGracePeriodSeconds lifecycle postStart preStop sleep seconds
securityContext runAsUser runAsGroup runAsNonRoot fsGroup fsGroupChangePolicy supplementalGroups supplementalGroupsPolicy seLinuxOptions
windowsOptions sysctls seccompProfile localhostProfile appArmorProfile privileged allowPrivilegeEscalation readOnlyRootFilesystem procMount
capabilities add drop level role user hostProcess
terminationMessagePath terminationMessagePolicy stdin stdinOnce tty restartPolicy resizePolicy resourceName targetContainerName
dnsPolicy dnsConfig nameservers searches serviceAccountName serviceAccount automountServiceAccountToken nodeName nodeSelector hostNetwork hostPID
hostIPC hostUsers shareProcessNamespace hostname subdomain affinity nodeAffinity podAffinity podAntiAffinity
requiredDuringSchedulingIgnoredDuringExecution preferredDuringSchedulingIgnoredDuringExecution nodeSelectorTerms weight preference
podAffinityTerm labelSelector topologyKey namespaces namespaceSelector values schedulerName tolerations hostAliases priorityClassName priority
preemptionPolicy readinessGates conditionType runtimeClassName enableServiceLinks overhead topologySpreadConstraints maxSkew
whenUnsatisfiable minDomains setHostnameAsFQDN os schedulingGates
emptyDir medium sizeLimit hostPath configMap secret secretName items mode defaultMode projected sources serviceAccountToken audience
expirationSeconds downwardAPI clusterTrustBundle persistentVolumeClaim claimName csi driver volumeAttributes nodePublishSecretRef nfs server
ephemeral volumeClaimTemplate reference pullPolicy accessModes storageClassName volumeMode volumeName
phase conditions lastProbeTime lastTransitionTime lastUpdateTime reason message containerStatuses initContainerStatuses podIP podIPs hostIPs ip
startTime qosClass ready started restartCount imageID containerID state running waiting terminated exitCode observedGeneration
readyReplicas availableReplicas updatedReplicas unavailableReplicas
ingressClassName rules http paths pathType backend defaultBackend number tls hosts loadBalancer ingress clusterIP clusterIPs ipFamilies
ipFamilyPolicy sessionAffinity internalTrafficPolicy externalTrafficPolicy externalName allocateLoadBalancerNodePorts
secretStoreRef refreshInterval target creationPolicy deletionPolicy dataFrom remoteRef secretKey property extract find provider aws region auth
jwt serviceAccountRef secrets roleRef apiGroup subjects verbs apiGroups nonResourceURLs resourceNames
pods kubelet eks.amazonaws.com/role-arn expected environment parameters inventory ref registry repository tag digest trimmed ok
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
	for name := range strings.FieldsSeq(fields) {
		terms[name] = ast.InternedTerm(name)
		terms["f:"+name] = ast.InternedTerm("f:" + name)
	}
	for value := range strings.FieldsSeq(values) {
		terms[value] = ast.InternedTerm(value)
	}
	return terms
}
