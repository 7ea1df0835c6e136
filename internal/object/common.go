package object

import (
	"iter"
	"strings"
)

// commonNames are member names that Kubernetes objects and admission reviews have in common. A name that stands here costs no
// memory when it is read; the list decides nothing else.
const commonNames = `
admissionregistration allowPrivilegeEscalation allowed annotations apiGroup apiVersion args automountServiceAccountToken
availableReplicas awsElasticBlockStore azureDisk azureFile backend backoffLimit binaryData blockOwnerDeletion capabilities claimName
claims clusterIP clusterIPs collisionCount command completionMode completions concurrencyPolicy conditions configMap configMapKeyRef
configMapRef containerID containerPort containerStatuses containers controller cpu creationTimestamp csi data default defaultMode
deletionGracePeriodSeconds deletionTimestamp dnsConfig dnsPolicy downwardAPI drop add driver dryRun effect emptyDir enableServiceLinks env
envFrom ephemeral-storage ephemeralContainers exec expirationSeconds externalTrafficPolicy extra failedJobsHistoryLimit
failureThreshold fieldManager fieldPath fieldRef fieldValidation fieldsType fieldsV1 finalizers fsGroup fsGroupChangePolicy
generateName generation group groups grpc gid hostIP hostIPC hostIPs hostAliases hostNetwork hostPID hostPath hostPort hostUsers hostname
host http httpGet httpHeaders image imageID imagePullPolicy imagePullSecrets immutable initContainers initContainerStatuses
initialDelaySeconds internalTrafficPolicy ip ipFamilies ipFamilyPolicy items jobTemplate key kind labels labelSelector
lastProbeTime lastState lastTransitionTime lastUpdateTime lifecycle limits livenessProbe loadBalancer localObjectReference managedFields
manager matchExpressions matchFields matchLabels matchLabelKeys maxSkew maxSurge maxUnavailable medium memory message metadata minDomains
minReadySeconds mountPath mountPropagation name namespace namespaces nfs nodeAffinity nodeAffinityPolicy nodeName nodePort nodeSelector
nodeSelectorTerms nodeTaintsPolicy object observedGeneration oldObject operation operator optional options os overhead ownerReferences parallelism
partition path paths pathType persistentVolumeClaim persistentVolumeClaimRetentionPolicy phase podAffinity podAffinityTerm
podAntiAffinity podIP podIPs podManagementPolicy policy policyTypes port ports postStart preStop preference
preferredDuringSchedulingIgnoredDuringExecution preemptionPolicy priority priorityClassName privileged procMount progressDeadlineSeconds
projected propagationPolicy protocol qosClass readOnly readOnlyRootFilesystem readinessGates readinessProbe ready readyReplicas reason
replicas request requestKind requestResource requestSubResource requests requiredDuringSchedulingIgnoredDuringExecution resource
resourceFieldRef resourceVersion resources restartCount restartPolicy revisionHistoryLimit rollingUpdate rules runAsGroup runAsNonRoot
runAsUser runtimeClassName running schedule schedulerName schedulingGates scheme seLinuxOptions seccompProfile secret secretKeyRef
secretName secretRef securityContext selector serviceAccount serviceAccountName serviceAccountToken serviceName service sessionAffinity
setHostnameAsFQDN shareProcessNamespace sizeLimit sources spec startTime startedAt started startingDeadlineSeconds startupProbe state
status storage stringData strategy subPath subPathExpr subResource subdomain successThreshold successfulJobsHistoryLimit
supplementalGroups suspend sysctls targetPort tcpSocket template terminated terminationGracePeriodSeconds terminationMessagePath
terminationMessagePolicy time timeZone timeoutSeconds periodSeconds tls hosts tolerationSeconds tolerations topologyKey topologySpreadConstraints
ttlSecondsAfterFinished type uid unhealthyPodEvictionPolicy updateStrategy updatedReplicas userInfo username value valueFrom version
volumeAttributes volumeClaimTemplates volumeDevices volumeMounts volumes waiting weight whenUnsatisfiable windowsOptions workingDir localhostProfile
f:metadata f:spec f:status f:labels f:annotations f:name f:image f:imagePullPolicy f:containers f:env f:ports f:resources f:limits f:requests
f:cpu f:memory f:securityContext f:terminationMessagePath f:terminationMessagePolicy f:volumeMounts f:volumes f:mountPath f:readOnly f:template
f:dnsPolicy f:restartPolicy f:schedulerName f:terminationGracePeriodSeconds f:enableServiceLinks f:serviceAccount f:serviceAccountName f:value
f:valueFrom f:ownerReferences f:generateName f:conditions f:type f:lastTransitionTime f:lastProbeTime f:message f:reason f:phase f:podIP f:podIPs
f:hostIP f:hostIPs f:startTime f:containerStatuses f:selector f:replicas f:strategy f:containerPort f:protocol f:observedGeneration f:livenessProbe
f:readinessProbe f:httpGet f:path f:port f:scheme f:failureThreshold f:periodSeconds f:successThreshold f:timeoutSeconds f:initialDelaySeconds . ` + `
app app.kubernetes.io/name app.kubernetes.io/instance app.kubernetes.io/component app.kubernetes.io/part-of app.kubernetes.io/version
app.kubernetes.io/managed-by pod-template-hash kubernetes.io/metadata.name kubernetes.io/os kubectl.kubernetes.io/default-container
kubectl.kubernetes.io/last-applied-configuration kubectl.kubernetes.io/restartedAt deployment.kubernetes.io/revision`

// CommonNames yields names of members that Kubernetes objects and admission reviews have in common.
func CommonNames() iter.Seq[string] { return strings.FieldsSeq(commonNames) }

// commonBits is the logarithm of the size of the table of common names, which stays less than half full.
const commonBits = 10

// commonTable is a hash table by fingerprint, with open addressing.
var commonTable = func() *[1 << commonBits]string { //nolint:gochecknoglobals // a table that is made once and never written to
	var table [1 << commonBits]string
	for name := range CommonNames() {
		at := fingerprint([]byte(name)) >> (32 - commonBits)
		for table[at] != "" && table[at] != name {
			at = (at + 1) % uint32(len(table))
		}
		table[at] = name
	}
	return &table
}()

// common returns b as a string: that of the table where it stands there, or else a copy.
func common(b []byte) string {
	for at := fingerprint(b) >> (32 - commonBits); ; at = (at + 1) % uint32(len(commonTable)) {
		switch name := commonTable[at]; name {
		case "":
			return string(b)
		case string(b):
			return name
		}
	}
}
