package object

import (
	"slices"
	"strings"
	"testing"
)

func mustObject(t *testing.T, doc string) *Object {
	t.Helper()
	o, err := New([]byte(doc))
	if err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return o
}

func TestNew(t *testing.T) {
	o := mustObject(t, `{"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"shop","namespace":"team-a","labels":{"a":"b","n":1},"annotations":{"c":"d","n":1}}}`)
	if o.Group != "apps" || o.Version != "v1" || o.Kind != "Deployment" || o.Name != "shop" || o.Namespace != "team-a" || o.APIVersion() != "apps/v1" {
		t.Errorf("%+v", o)
	}
	if o.Label("a") != "b" || o.Label("n") != "" || o.Label("x") != "" {
		t.Error("labels")
	}
	if v, ok := o.Annotation("c"); v != "d" || !ok {
		t.Error("annotation")
	}
	if _, ok := o.Annotation("n"); ok {
		t.Error("a number is an annotation")
	}
	o = mustObject(t, `{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"shop-"}}`)
	if o.Group != "" || o.Version != "v1" || o.Name != "shop-" || o.APIVersion() != "v1" || o.GroupKind() != (GroupKind{"", "Pod"}) {
		t.Errorf("%+v", o)
	}
	for doc, want := range map[string]string{
		`[]`:                              "a list, want an object",
		`null`:                            "null, want an object",
		`{}`:                              "apiVersion is nothing",
		`{"apiVersion":1,"kind":"a"}`:     "apiVersion is a number",
		`{"apiVersion":"","kind":"a"}`:    "apiVersion is a string",
		`{"apiVersion":"v1"}`:             "kind is nothing",
		`{"apiVersion":"v1","kind":[]}`:   "kind is a list",
		`{"apiVersion":"v1","kind":"Pod"`: "line 1, column 32",
	} {
		if _, err := New([]byte(doc)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", doc, err, want)
		}
	}
	// Metadata of wrong types name nothing, and nothing panics on them.
	o = mustObject(t, `{"apiVersion":"v1","kind":"Pod","metadata":[1],"spec":"x"}`)
	if o.Name != "" || o.Namespace != "" || o.Label("a") != "" || o.BeingDeleted() || o.ControllerOwned() || len(o.Template().Containers()) > 0 {
		t.Errorf("%+v", o)
	}
}

func TestSetNamespace(t *testing.T) {
	for _, tc := range []struct{ doc, namespace, want string }{
		{`{"apiVersion":"v1","kind":"Pod"}`, "a", `{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"a"}}`},
		{`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x"}}`, "a", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"x","namespace":"a"}}`},
		{`{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":null}}`, "a", `{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"a"}}`},
		{`{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"b"}}`, "a", `{"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"b"}}`},
		{`{"apiVersion":"v1","kind":"Pod"}`, "", `{"apiVersion":"v1","kind":"Pod"}`},
	} {
		o := mustObject(t, tc.doc)
		o.SetNamespace(tc.namespace)
		if got := string(o.Root.Bytes()); got != tc.want {
			t.Errorf("%s: %s, want %s", tc.doc, got, tc.want)
		}
		if o.Namespace != o.Root.Get("metadata", "namespace").Str() {
			t.Errorf("%s: namespace is %q", tc.doc, o.Namespace)
		}
	}
}

func TestBeingDeletedAndOwned(t *testing.T) {
	for _, tc := range []struct {
		metadata       string
		deleted, owned bool
	}{
		{`{}`, false, false},
		{`{"deletionTimestamp":null,"ownerReferences":null}`, false, false},
		{`{"deletionTimestamp":"2026-11-24T00:00:00Z"}`, true, false},
		{`{"ownerReferences":[{"controller":true}]}`, false, true},
		{`{"ownerReferences":[{"kind":"A"},{"controller":false},5,null,{"controller":true}]}`, false, true},
		{`{"ownerReferences":[{"kind":"A"},{"controller":"true"},{"controller":null}]}`, false, false},
		{`{"ownerReferences":{"controller":true}}`, false, false},
	} {
		o := mustObject(t, `{"apiVersion":"v1","kind":"Pod","metadata":`+tc.metadata+`}`)
		if o.BeingDeleted() != tc.deleted || o.ControllerOwned() != tc.owned {
			t.Errorf("%s: being deleted %v, owned %v", tc.metadata, o.BeingDeleted(), o.ControllerOwned())
		}
	}
}

func TestTemplate(t *testing.T) {
	for _, tc := range []struct{ apiVersion, kind, path string }{
		{"v1", "Pod", ""},
		{"v1", "PodTemplate", "/template"},
		{"v1", "ReplicationController", "/spec/template"},
		{"apps/v1", "Deployment", "/spec/template"},
		{"apps/v1beta1", "StatefulSet", "/spec/template"},
		{"apps/v1", "DaemonSet", "/spec/template"},
		{"apps/v1", "ReplicaSet", "/spec/template"},
		{"batch/v1", "Job", "/spec/template"},
		{"batch/v1", "CronJob", "/spec/jobTemplate/spec/template"},
		{"v1", "Service", "none"},
		{"example.dev/v1", "Deployment", "none"},
		{"batch/v1", "Pod", "none"},
	} {
		o := mustObject(t, `{"apiVersion":"`+tc.apiVersion+`","kind":"`+tc.kind+`"}`)
		tpl := o.Template()
		if (tpl == nil) != (tc.path == "none") {
			t.Errorf("%s %s: template %v", tc.apiVersion, tc.kind, tpl)
		}
		if tpl != nil && (Pointer(tpl.Path...) != tc.path || Pointer(tpl.Spec("a")...) != tc.path+"/spec/a") {
			t.Errorf("%s %s: template at %q, spec at %q", tc.apiVersion, tc.kind, tpl.Path, tpl.Spec("a"))
		}
	}
}

func TestContainers(t *testing.T) {
	o := mustObject(t, `{"apiVersion":"batch/v1","kind":"CronJob","spec":{"jobTemplate":{"spec":{"template":{"spec":{
		"ephemeralContainers":[{"name":"debug"}],
		"containers":[{"name":"web"},5,null,"x",[],{"name":5},{}],
		"initContainers":[{"name":"migrate","restartPolicy":null},{"name":"cache","restartPolicy":"Always"},{"name":"odd","restartPolicy":"Never"}]}}}}}}`)
	var got []string
	for _, c := range o.Template().Containers() {
		if o.Root.Get(c.Path...) != c.Node {
			t.Errorf("%s: the path leads elsewhere", c.Name)
		}
		got = append(got, string(c.Sort)+" "+c.Name+" "+strings.TrimPrefix(FieldPath(c.Path...), "spec.jobTemplate.spec.template.spec."))
	}
	want := []string{
		"init migrate initContainers[0]", "sidecar cache initContainers[1]", "init odd initContainers[2]",
		"container web containers[0]", "container  containers[5]", "container  containers[6]",
		"ephemeral debug ephemeralContainers[0]",
	}
	if !slices.Equal(got, want) {
		t.Errorf("containers\n %q\nwant\n %q", got, want)
	}
	for _, spec := range []string{`null`, `{}`, `{"containers":"web"}`, `{"containers":{"0":{}}}`, `{"containers":null,"initContainers":5}`, `[]`} {
		o := mustObject(t, `{"apiVersion":"v1","kind":"Pod","spec":`+spec+`}`)
		if all := o.Template().Containers(); len(all) > 0 {
			t.Errorf("%s: containers %v", spec, all)
		}
	}
}

func TestApp(t *testing.T) {
	for _, tc := range []struct{ annotations, spec, want string }{
		{`{}`, `{"initContainers":[{"name":"a"}],"containers":[{"name":"b"},{"name":"c"}]}`, "b"},
		{`{"kubectl.kubernetes.io/default-container":"c"}`, `{"containers":[{"name":"b"},{"name":"c"}]}`, "c"},
		{`{"kubectl.kubernetes.io/default-container":"a"}`, `{"initContainers":[{"name":"a","restartPolicy":"Always"}],"containers":[{"name":"b"}]}`, "b"},
		{`{"kubectl.kubernetes.io/default-container":"x"}`, `{"containers":[{"name":"b"}]}`, "b"},
		{`{"kubectl.kubernetes.io/default-container":5}`, `{"containers":[{"name":"b"}]}`, "b"},
		{`{}`, `{"initContainers":[{"name":"a"}],"ephemeralContainers":[{"name":"e"}]}`, "none"},
		{`5`, `{}`, "none"},
	} {
		o := mustObject(t, `{"apiVersion":"v1","kind":"Pod","metadata":{"annotations":`+tc.annotations+`},"spec":`+tc.spec+`}`)
		app, ok := o.Template().App()
		if !ok {
			app.Name = "none"
		}
		if app.Name != tc.want {
			t.Errorf("%s %s: app is %q, want %q", tc.annotations, tc.spec, app.Name, tc.want)
		}
	}
}

func TestWindows(t *testing.T) {
	for spec, want := range map[string]bool{
		`{"os":{"name":"windows"}}`: true, `{"os":{"name":"linux"}}`: false, `{"os":"windows"}`: false, `{}`: false,
		`{"nodeSelector":{"kubernetes.io/os":"windows"}}`:      true,
		`{"nodeSelector":{"beta.kubernetes.io/os":"windows"}}`: true,
		`{"nodeSelector":{"kubernetes.io/os":"linux"}}`:        false,
		`{"nodeSelector":["windows"]}`:                         false,
	} {
		o := mustObject(t, `{"apiVersion":"v1","kind":"Pod","spec":`+spec+`}`)
		if got := o.Template().Windows(); got != want {
			t.Errorf("%s: Windows is %v", spec, got)
		}
	}
}

func TestScope(t *testing.T) {
	for _, tc := range []struct {
		group, kind, resource string
		namespaced            bool
	}{
		{"", "Pod", "pods", true},
		{"", "Endpoints", "endpoints", true},
		{"", "Namespace", "namespaces", false},
		{"", "Node", "nodes", false},
		{"", "PersistentVolume", "persistentvolumes", false},
		{"", "PersistentVolumeClaim", "persistentvolumeclaims", true},
		{"", "ServiceAccount", "serviceaccounts", true},
		{"apps", "Deployment", "deployments", true},
		{"batch", "CronJob", "cronjobs", true},
		{"policy", "PodDisruptionBudget", "poddisruptionbudgets", true},
		{"networking.k8s.io", "Ingress", "ingresses", true},
		{"networking.k8s.io", "NetworkPolicy", "networkpolicies", true},
		{"networking.k8s.io", "IngressClass", "ingressclasses", false},
		{"networking.k8s.io", "IPAddress", "ipaddresses", false},
		{"networking.k8s.io", "ServiceCIDR", "servicecidrs", false},
		{"rbac.authorization.k8s.io", "Role", "roles", true},
		{"rbac.authorization.k8s.io", "RoleBinding", "rolebindings", true},
		{"rbac.authorization.k8s.io", "ClusterRole", "clusterroles", false},
		{"rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", false},
		{"storage.k8s.io", "StorageClass", "storageclasses", false},
		{"storage.k8s.io", "CSIDriver", "csidrivers", false},
		{"storage.k8s.io", "CSIStorageCapacity", "csistoragecapacities", true},
		{"scheduling.k8s.io", "PriorityClass", "priorityclasses", false},
		{"node.k8s.io", "RuntimeClass", "runtimeclasses", false},
		{"certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", false},
		{"certificates.k8s.io", "ClusterTrustBundle", "clustertrustbundles", false},
		{"admissionregistration.k8s.io", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", false},
		{"admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings", false},
		{"apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", false},
		{"apiregistration.k8s.io", "APIService", "apiservices", false},
		{"flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas", false},
		{"authentication.k8s.io", "TokenReview", "tokenreviews", false},
		{"authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", false},
		{"authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews", true},
		{"coordination.k8s.io", "Lease", "leases", true},
		{"discovery.k8s.io", "EndpointSlice", "endpointslices", true},
		{"autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", true},
		{"resource.k8s.io", "DeviceClass", "deviceclasses", false},
		{"resource.k8s.io", "ResourceSlice", "resourceslices", false},
		{"resource.k8s.io", "ResourceClaim", "resourceclaims", true},
		{"resource.k8s.io", "ResourceClaimTemplate", "resourceclaimtemplates", true},
		{"resource.k8s.io", "DeviceTaintRule", "devicetaintrules", false},
		{"gesso.dev", "Profile", "profiles", false},
		{"external-secrets.io", "ExternalSecret", "externalsecrets", true},
		{"external-secrets.io", "ClusterSecretStore", "clustersecretstores", false},
		{"postgresql.cnpg.io", "Cluster", "clusters", true},
	} {
		resource, namespaced := Scope(GroupKind{tc.group, tc.kind})
		if resource != tc.resource || namespaced != tc.namespaced {
			t.Errorf("%s/%s: %s, namespaced %v; want %s, %v", tc.group, tc.kind, resource, namespaced, tc.resource, tc.namespaced)
		}
	}
}
