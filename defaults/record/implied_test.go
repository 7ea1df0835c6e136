package record_test

import (
	"bytes"
	"testing"

	"github.com/gesso-dev/gesso/defaults/record"
)

func TestPullPolicy(t *testing.T) {
	const digest = "@sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"
	for image, want := range map[string]string{
		"proxy":                                "Always",
		"proxy:latest":                         "Always",
		"proxy:latest" + digest:                "Always",
		"registry.example:5000/team/proxy":     "Always",
		"registry.example:5000/{app}":          "Always",
		"proxy:1":                              "IfNotPresent",
		"proxy:latest-1":                       "IfNotPresent",
		"proxy:{environment}":                  "IfNotPresent",
		"proxy" + digest:                       "IfNotPresent",
		"registry.example:5000/proxy:1":        "IfNotPresent",
		"registry.example:5000/proxy" + digest: "IfNotPresent",
	} {
		if got := record.PullPolicy(image); got != want {
			t.Errorf("PullPolicy(%q) = %s, want %s", image, got, want)
		}
	}
}

// TestAuthorAsStored holds that a manifest and what the API server makes of it are one author's part.
func TestAuthorAsStored(t *testing.T) {
	t.Parallel()
	manifest := `{"metadata":{"labels":{"app":"shop"}},"spec":{"serviceAccount":"shop","containers":[{"name":"web","image":"shop:1",
"ports":[{"containerPort":80}],"env":[{"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}}],
"resources":{"requests":{"cpu":0.1,"memory":"1024Mi"}},"readinessProbe":{"httpGet":{"path":"/","port":80}}}],
"volumes":[{"name":"c","configMap":{"name":"c"}},{"name":"e","emptyDir":{"sizeLimit":"1024Mi"}},
{"name":"t","projected":{"sources":[{"serviceAccountToken":{"path":"token"}}]}},{"name":"h","hostPath":{"path":"/x"}}]}}`
	stored := `{"metadata":{"creationTimestamp":null,"labels":{"app":"shop"}},"spec":{"restartPolicy":"Always","dnsPolicy":"ClusterFirst",
"schedulerName":"default-scheduler","terminationGracePeriodSeconds":30,"securityContext":{},"serviceAccount":"shop","serviceAccountName":"shop",
"containers":[{"name":"web","image":"shop:1","imagePullPolicy":"IfNotPresent","terminationMessagePath":"/dev/termination-log","terminationMessagePolicy":"File",
"ports":[{"containerPort":80,"protocol":"TCP"}],"env":[{"name":"IP","valueFrom":{"fieldRef":{"apiVersion":"v1","fieldPath":"status.podIP"}}}],
"resources":{"requests":{"cpu":"100m","memory":"1Gi"}},
"readinessProbe":{"httpGet":{"path":"/","port":80,"scheme":"HTTP"},"timeoutSeconds":1,"periodSeconds":10,"successThreshold":1,"failureThreshold":3}}],
"volumes":[{"name":"c","configMap":{"name":"c","defaultMode":420}},{"name":"e","emptyDir":{"sizeLimit":"1Gi"}},
{"name":"t","projected":{"defaultMode":420,"sources":[{"serviceAccountToken":{"path":"token","expirationSeconds":3600}}]}},{"name":"h","hostPath":{"path":"/x","type":""}}]}}`
	if a, b := (record.Part{}).Of(parse(t, manifest), nil), (record.Part{}).Of(parse(t, stored), nil); !bytes.Equal(a, b) {
		t.Errorf("manifest: %s\nstored:   %s", a, b)
	}
	if a, b := (record.Part{}).Of(parse(t, manifest), nil), (record.Part{}).Of(parse(t, `{"spec":{"restartPolicy":"Never"}}`), nil); bytes.Equal(a, b) {
		t.Error("everything is the same")
	}
}
