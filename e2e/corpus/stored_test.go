package corpus

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// richProfile has a sidecar with every kind of probe, hook, variable and common volume in the shortest form that is allowed, so that
// the API server would complete all of it, and quantities that it would write in another way.
const richProfile = `
spec:
  defaults:
    read-only-root-filesystem: {tmpSizeLimit: 0.25Gi}
    resources: {cpu: "0.1", memory: 1024Mi, cpuLimit: "1e0"}
    sidecar:
      container:
        image: registry.example:5000/{app}/proxy
        command: ["/proxy", ""]
        stdin: false
        workingDir: ""
        ports:
        - {name: proxy, containerPort: 18443, hostPort: 0, hostIP: ""}
        - {name: quic, containerPort: 18443, protocol: UDP}
        env:
        - {name: EMPTY, value: ""}
        - {name: PORT, value: "{appPort}"}
        - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu}}}
        - {name: MEMORY, valueFrom: {resourceFieldRef: {resource: limits.memory, divisor: 1024Ki}}}
        - {name: MAP, valueFrom: {configMapKeyRef: {name: proxy, key: map, optional: false}}}
        - {name: SECRET, valueFrom: {secretKeyRef: {name: proxy, key: secret}}}
        - {name: FILE, valueFrom: {fileKeyRef: {volumeName: gesso-config, path: env, key: FILE}}}
        envFrom: [{prefix: "", configMapRef: {name: proxy}}, {prefix: P_, secretRef: {name: proxy, optional: true}}]
        resources: {requests: {cpu: 0.0001, memory: 1e3, ephemeral-storage: 1024Ki}, limits: {memory: "1073741824", cpu: 1e0, ephemeral-storage: 0.5Gi}}
        livenessProbe: {tcpSocket: {port: "{appPort}"}, initialDelaySeconds: 0, timeoutSeconds: 5, terminationGracePeriodSeconds: 7}
        readinessProbe: {httpGet: {port: "{appPort}", httpHeaders: [{name: Host, value: "{app}"}]}, periodSeconds: 0, successThreshold: 2}
        startupProbe: {grpc: {port: 9000}, failureThreshold: 30}
        lifecycle:
          postStart: {exec: {command: [sleep, "{appPort}"]}}
          preStop: {httpGet: {port: proxy, path: /drain, httpHeaders: []}}
        securityContext: {capabilities: {drop: [], add: null}, runAsUser: 0, privileged: false, seLinuxOptions: {}, seccompProfile: {type: RuntimeDefault}}
        volumeMounts:
        - {name: gesso-config, mountPath: /config, readOnly: false, subPath: ""}
        - {name: gesso-secret, mountPath: /secret, readOnly: true, recursiveReadOnly: IfPossible}
        - {name: gesso-claim, mountPath: /claim, mountPropagation: None, subPathExpr: $(POD)}
      volumes:
      - {name: gesso-config, emptyDir: {medium: "", sizeLimit: 0.25Gi}}
      - {name: gesso-empty, emptyDir: {}}
      - {name: gesso-memory, emptyDir: {medium: Memory, sizeLimit: 1e3}}
      - {name: gesso-secret, secret: {secretName: proxy, items: []}}
      - {name: gesso-map, configMap: {name: proxy, optional: false, defaultMode: 0, items: [{key: a, path: a}]}}
      - name: gesso-down
        downwardAPI:
          items:
          - {path: name, fieldRef: {fieldPath: metadata.name}}
          - {path: cpu, resourceFieldRef: {containerName: gesso-proxy, resource: limits.cpu}}
          - {path: memory, mode: 256, resourceFieldRef: {containerName: gesso-proxy, resource: limits.memory, divisor: 1024Ki}}
      - name: gesso-all
        projected:
          sources:
          - serviceAccountToken: {path: token}
          - serviceAccountToken: {path: token-2, audience: proxy, expirationSeconds: 7200}
          - downwardAPI: {items: [{path: name, fieldRef: {fieldPath: metadata.name}}]}
          - secret: {name: proxy}
          - configMap: {name: proxy, items: [{key: b, path: b, mode: 0}]}
          - clusterTrustBundle: {name: proxy, path: bundle}
      - {name: gesso-image, image: {reference: "registry.example/data:1"}}
      - {name: gesso-latest, image: {reference: registry.example/data}}
      - {name: gesso-csi, csi: {driver: secrets.example, readOnly: true, volumeAttributes: {}}}
      - {name: gesso-claim, persistentVolumeClaim: {claimName: proxy, readOnly: false}}
      - {name: gesso-disk, ephemeral: {volumeClaimTemplate: {metadata: {labels: {app: "{app}"}}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1024Mi}}}}}}
      - {name: gesso-source, ephemeral: {volumeClaimTemplate: {spec: {accessModes: [ReadWriteOnce], dataSource: {kind: PersistentVolumeClaim, name: a}, resources: {requests: {storage: 0.5Gi}}}}}}
      - {name: gesso-nfs, nfs: {server: nfs.example, path: /data}}
%s
`

// hostVolumes are those that say something about a node or a vendor's disk.
const hostVolumes = `
      - {name: gesso-host, hostPath: {path: /data}}
      - {name: gesso-host-type, hostPath: {path: /data, type: Directory}}
      - {name: gesso-iscsi, iscsi: {targetPortal: "192.0.2.1:3260", iqn: "iqn.2001-04.example:a", lun: 0}}
      - {name: gesso-rbd, rbd: {monitors: ["192.0.2.1"], image: a}}
      - {name: gesso-azure, azureDisk: {diskName: a, diskURI: "https://disks.example/a"}}
      - {name: gesso-azure-file, azureFile: {secretName: a, shareName: a}}
      - {name: gesso-scale, scaleIO: {gateway: "https://gateway.example", system: a, volumeName: a, secretRef: {name: a}}}
      - {name: gesso-fc, fc: {targetWWNs: ["500a0982991b8dc5"], lun: 0}}
      - {name: gesso-flex, flexVolume: {driver: example/a}}
      - {name: gesso-ebs, awsElasticBlockStore: {volumeID: a, partition: 0}}
      - {name: gesso-gce, gcePersistentDisk: {pdName: a}}
      - {name: gesso-cinder, cinder: {volumeID: a}}
      - {name: gesso-ceph, cephfs: {monitors: ["192.0.2.1"]}}
      - {name: gesso-gluster, glusterfs: {endpoints: a, path: a}}
      - {name: gesso-quobyte, quobyte: {registry: "quobyte.example:7861", volume: a}}
      - {name: gesso-portworx, portworxVolume: {volumeID: a}}
      - {name: gesso-storageos, storageos: {volumeName: a}}
      - {name: gesso-vsphere, vsphereVolume: {volumePath: a}}
`

// kinds is one minimal manifest of each kind that defaults fill a template of. Nothing in it is completed by hand.
func kinds() map[string]string {
	const pod = `{containers: [{name: web, image: "shop:1", ports: [{containerPort: 8080}]}], automountServiceAccountToken: false`
	const template = `template: {metadata: {labels: {app: shop}}, spec: ` + pod + `}}`
	const job = `template: {spec: ` + pod + `, restartPolicy: Never}}`
	return map[string]string{
		"Deployment":            `{apiVersion: apps/v1, kind: Deployment, metadata: {name: shop}, spec: {replicas: 0, selector: {matchLabels: {app: shop}}, ` + template + `}}`,
		"StatefulSet":           `{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: shop}, spec: {replicas: 0, serviceName: shop, selector: {matchLabels: {app: shop}}, ` + template + `}}`,
		"DaemonSet":             `{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: shop}, spec: {selector: {matchLabels: {app: shop}}, ` + template + `}}`,
		"ReplicaSet":            `{apiVersion: apps/v1, kind: ReplicaSet, metadata: {name: alone}, spec: {replicas: 0, selector: {matchLabels: {app: shop}}, ` + template + `}}`,
		"ReplicationController": `{apiVersion: v1, kind: ReplicationController, metadata: {name: shop}, spec: {replicas: 0, ` + template + `}}`,
		"CronJob":               `{apiVersion: batch/v1, kind: CronJob, metadata: {name: shop}, spec: {suspend: true, schedule: "0 0 1 1 *", jobTemplate: {spec: {` + job + `}}}}`,
		"Job":                   `{apiVersion: batch/v1, kind: Job, metadata: {name: shop}, spec: {suspend: true, ` + job + `}}`,
		// Every Pod gets a token where it does not refuse one; the mount in the sidecar is the API server's.
		"Pod": `{apiVersion: v1, kind: Pod, metadata: {name: shop}, spec: ` + pod + `}}`,
	}
}

// TestStoredAsFilled holds that all that is filled comes back from the API server as it was filled, to the last byte: another form
// would look like somebody's change.
func TestStoredAsFilled(t *testing.T) {
	g, _ := serve(t, profile(t, everything(), fmt.Sprintf(richProfile, hostVolumes)))
	namespace(t, "stored")
	for kind, manifest := range kinds() {
		t.Run(kind, func(t *testing.T) {
			input := object(t, manifest)
			input.SetNamespace("stored")
			raw, err := input.MarshalJSON()
			if err != nil {
				t.Fatal(err)
			}
			results, err := review(t, []json.RawMessage{raw}, g.flags...)
			if err != nil {
				t.Fatal(err)
			}
			var filled unstructured.Unstructured
			if err := filled.UnmarshalJSON(results[0].Reviewed); err != nil {
				t.Fatal(err)
			}
			if _, err := create(t.Context(), "stored", input, metav1.CreateOptions{}); err != nil {
				t.Fatal(err)
			}
			gvr, err := resource(input.GroupVersionKind())
			if err != nil {
				t.Fatal(err)
			}
			stored, err := shared.client.Resource(gvr).Namespace("stored").Get(t.Context(), input.GetName(), metav1.GetOptions{})
			if err != nil {
				t.Fatal(err)
			}
			sidecar := false
			for _, d := range results[0].Defaults {
				for _, path := range d.Paths {
					want, got := at(filled.Object, path), at(stored.Object, path)
					for _, problem := range different(want, got, path) {
						t.Errorf("%s: %s", d.ID, problem)
					}
					sidecar = sidecar || strings.Contains(path, "/initContainers/")
				}
			}
			if !sidecar || len(results[0].Defaults) < 3 {
				t.Errorf("nearly nothing was filled: %v", results[0].Defaults)
			}
		})
	}
}

// different returns where two values differ.
func different(filled, stored any, path string) []string {
	return append(lost(filled, stored, path), lost(stored, filled, path+" (stored first)")...)
}
