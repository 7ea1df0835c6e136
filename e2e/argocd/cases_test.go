package argocd_test

// form is how much of a default's neighbourhood Git holds.
type form string

const (
	silent   form = "silent"   // nothing
	empty    form = "{}"       // an empty struct or map where Gesso fills
	partial  form = "partial"  // other fields of the struct or map
	siblings form = "siblings" // other elements of the list
)

func forms() []form { return []form{silent, empty, partial, siblings} }

// written is what Git holds of a workload beside the minimum. Each part is YAML and is laid over the part that it names.
type written struct {
	object    string // the workload itself
	template  string // metadata of the pod template
	pod       string // spec of the pod template
	container string // the container web
	second    string // another container
	// fills are JSON pointers below the pod template, or below the object for those that begin with /object, where Gesso must
	// have filled something; else the case says nothing.
	fills []string
	// none says why there is no such form.
	none string
}

const (
	containerPrefix = "/spec/containers/0"
	aMap            = "a map has no elements"
	aScalar         = "a scalar of the Pod has nothing inside"
)

// workloadCases are the cases of the defaults of workloads, by id and form. Some forms have more than one case.
func workloadCases() map[string]map[form][]written {
	security := func(field, partly, second string) map[form][]written {
		fills := []string{containerPrefix + "/securityContext/" + field}
		return map[form][]written{
			silent:   {{fills: fills}},
			empty:    {{container: `{securityContext: {}}`, fills: fills}},
			partial:  {{container: partly, fills: fills}},
			siblings: {{second: second, fills: fills}},
		}
	}
	scalar := func(field string) map[form][]written {
		return map[form][]written{
			silent:   {{fills: []string{"/spec/" + field}}},
			empty:    {{none: aScalar}},
			partial:  {{none: aScalar}},
			siblings: {{none: aScalar}},
		}
	}
	nonRoot := []string{"/spec/securityContext/runAsNonRoot"}
	labels := []string{"/metadata/labels/app.kubernetes.io~1name", "/object/metadata/labels/app.kubernetes.io~1name"}
	skip := []string{"/metadata/annotations/eks.amazonaws.com~1skip-containers"}
	return map[string]map[form][]written{
		"read-only-root-filesystem": {
			silent:  {{fills: []string{containerPrefix + "/securityContext/readOnlyRootFilesystem", "/spec/volumes", containerPrefix + "/volumeMounts"}}},
			empty:   {{container: `{securityContext: {}}`, fills: []string{containerPrefix + "/securityContext/readOnlyRootFilesystem"}}},
			partial: {{container: `{securityContext: {runAsUser: 1000}}`, fills: []string{containerPrefix + "/securityContext/readOnlyRootFilesystem"}}},
			siblings: {{
				pod: `{volumes: [{name: data, emptyDir: {}}]}`, container: `{volumeMounts: [{name: data, mountPath: /data}]}`,
				second: `{name: writer, volumeMounts: [{name: data, mountPath: /data}]}`,
				fills:  []string{"/spec/volumes/1", containerPrefix + "/volumeMounts/1", "/spec/containers/1/volumeMounts/1"},
			}},
		},
		"resources": {
			silent: {{fills: []string{containerPrefix + "/resources/requests", containerPrefix + "/resources/limits"}}},
			empty:  {{container: `{resources: {}}`, fills: []string{containerPrefix + "/resources/requests/cpu", containerPrefix + "/resources/limits/memory"}}},
			partial: {
				{container: `{resources: {requests: {cpu: "0.05"}}}`, fills: []string{containerPrefix + "/resources/requests/memory", containerPrefix + "/resources/limits/memory"}},
				{container: `{resources: {requests: {memory: 1024Mi}}}`, fills: []string{containerPrefix + "/resources/requests/cpu", containerPrefix + "/resources/limits/memory"}},
				{container: `{resources: {limits: {memory: 1e9}}}`, fills: []string{containerPrefix + "/resources/requests/cpu", containerPrefix + "/resources/requests/memory"}},
			},
			siblings: {{
				second: `{name: sized, resources: {requests: {cpu: 10m, memory: 16Mi}, limits: {memory: 16Mi}}}`,
				fills:  []string{containerPrefix + "/resources/limits/memory"},
			}},
		},
		"sidecar": {
			silent:  {{fills: []string{"/spec/initContainers/0", "/spec/volumes", "/metadata/annotations/kubectl.kubernetes.io~1default-container"}}},
			empty:   {{none: "an empty list or annotations map is an exception"}},
			partial: {{template: `{annotations: {team: shop}}`, fills: []string{"/metadata/annotations/kubectl.kubernetes.io~1default-container"}}},
			siblings: {{
				pod:   `{initContainers: [{name: migrate, image: "registry.example/web:1.0.0"}], volumes: [{name: data, emptyDir: {}}]}`,
				fills: []string{"/spec/initContainers/1", "/spec/volumes/1"},
			}},
		},
		"irsa": {
			silent:   {{fills: skip}},
			empty:    {{none: "an empty annotations map is an exception"}},
			partial:  {{template: `{annotations: {team: shop}}`, fills: skip}},
			siblings: {{none: aMap}},
		},
		"seccomp": {
			silent:   {{fills: []string{"/spec/securityContext/seccompProfile"}}},
			empty:    {{pod: `{securityContext: {}}`, fills: []string{"/spec/securityContext/seccompProfile"}}},
			partial:  {{pod: `{securityContext: {fsGroup: 1000}}`, fills: []string{"/spec/securityContext/seccompProfile"}}},
			siblings: {{pod: `{securityContext: {supplementalGroups: [1000]}}`, fills: []string{"/spec/securityContext/seccompProfile"}}},
		},
		"no-privilege-escalation": security("allowPrivilegeEscalation", `{securityContext: {runAsUser: 1000}}`,
			`{name: escalates, securityContext: {allowPrivilegeEscalation: false}}`),
		"drop-capabilities": {
			silent: {{fills: []string{containerPrefix + "/securityContext/capabilities/drop"}}},
			empty: {
				{container: `{securityContext: {}}`, fills: []string{containerPrefix + "/securityContext/capabilities/drop"}},
				{container: `{securityContext: {capabilities: {}}}`, fills: []string{containerPrefix + "/securityContext/capabilities/drop"}},
			},
			partial:  {{container: `{securityContext: {capabilities: {add: [NET_BIND_SERVICE]}}}`, fills: []string{containerPrefix + "/securityContext/capabilities/drop"}}},
			siblings: {{second: `{name: dropped, securityContext: {capabilities: {drop: [KILL]}}}`, fills: []string{containerPrefix + "/securityContext/capabilities/drop"}}},
		},
		"run-as-non-root": {
			silent:   {{fills: nonRoot}},
			empty:    {{pod: `{securityContext: {}}`, fills: nonRoot}},
			partial:  {{pod: `{securityContext: {fsGroup: 1000}}`, fills: nonRoot}},
			siblings: {{pod: `{securityContext: {supplementalGroups: [1000]}}`, fills: nonRoot}},
		},
		"no-service-account-token": scalar("automountServiceAccountToken"),
		"no-service-links":         scalar("enableServiceLinks"),
		"labels": {
			silent:   {{fills: labels}},
			empty:    {{none: "an empty labels map is an exception"}},
			partial:  {{object: `{metadata: {labels: {team: shop}}}`, template: `{labels: {team: shop}}`, fills: labels}},
			siblings: {{none: aMap}},
		},
	}
}

// manifest is a whole object in Git that is no workload.
type manifest struct {
	kind  string // for its name
	form  form
	yaml  string // without name and namespace
	fills []string
	none  string
}

// otherCases are the cases of the defaults of other kinds, by id.
func otherCases() map[string][]manifest {
	const (
		tracked = "annotations hold Argo CD's tracking-id at least"
		account = "{apiVersion: v1, kind: ServiceAccount"
		ingress = "{apiVersion: networking.k8s.io/v1, kind: Ingress"
		web     = "{service: {name: web, port: {number: 80}}}"
		paths   = "{paths: [{path: /, pathType: Prefix, backend: " + web + "}, {path: /api, pathType: Prefix, backend: " + web + "}]}"
	)
	role := []string{"/metadata/annotations/eks.amazonaws.com~1role-arn"}
	class := []string{"/spec/ingressClassName", "/metadata/annotations/alb.ingress.kubernetes.io~1target-type"}
	return map[string][]manifest{
		"irsa": {
			{"ServiceAccount", silent, account + "}", role, ""},
			{"ServiceAccount", empty, "", nil, tracked},
			{"ServiceAccount", partial, account + ", metadata: {annotations: {team: shop}}, automountServiceAccountToken: false}", role, ""},
			{"ServiceAccount", siblings, account + ", imagePullSecrets: [{name: registry}]}", role, ""},
		},
		"ingress-class": {
			{"Ingress", silent, ingress + ", spec: {defaultBackend: " + web + "}}", class, ""},
			{"Ingress", empty, "", nil, tracked},
			{"Ingress", partial, ingress + ", metadata: {annotations: {team: shop}}, spec: {defaultBackend: " + web + "}}", class, ""},
			{"Ingress", siblings, ingress + ", spec: {rules: [{host: a.example, http: " + paths + "}, {host: b.example, http: " + paths + "}], tls: [{hosts: [a.example]}]}}", class, ""},
		},
	}
}
