package record

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// removeImplied removes from a template what the API server would put there anyway (k8s.io/kubernetes/pkg/apis/core/v1, defaults) and
// writes quantities in one way. In the API both templates of an UPDATE have it all; a manifest that is reviewed against what is stored has
// none of it, and is no change for that.
func removeImplied(template *object.Node) {
	spec := template.Get("spec")
	for name, value := range map[string]string{
		"restartPolicy": `"Always"`, "dnsPolicy": `"ClusterFirst"`, "schedulerName": `"default-scheduler"`, "terminationGracePeriodSeconds": "30",
	} {
		implied(spec, name, value)
	}
	if account := spec.Get("serviceAccount"); !account.Missing() { // the old spelling, which the API server keeps the same
		spec.Put(account, "serviceAccountName")
		spec.Remove("serviceAccount")
	}
	for _, list := range [...]string{"initContainers", "containers"} {
		for _, c := range spec.Get(list).Elements() {
			impliedInContainer(c)
		}
	}
	for _, v := range spec.Get("volumes").Elements() {
		for _, source := range [...]string{"configMap", "secret", "projected", "downwardAPI"} {
			implied(v.Get(source), "defaultMode", "420")
		}
		for _, source := range v.Get("projected", "sources").Elements() {
			implied(source.Get("serviceAccountToken"), "expirationSeconds", "3600")
		}
		implied(v.Get("hostPath"), "type", `""`)
		canonicalQuantity(v.Get("emptyDir"), "sizeLimit")
	}
}

func impliedInContainer(c *object.Node) {
	implied(c, "terminationMessagePath", `"/dev/termination-log"`)
	implied(c, "terminationMessagePolicy", `"File"`)
	implied(c, "imagePullPolicy", `"`+PullPolicy(c.Get("image").Str())+`"`)
	for _, p := range c.Get("ports").Elements() {
		implied(p, "protocol", `"TCP"`)
	}
	for _, e := range c.Get("env").Elements() {
		implied(e.Get("valueFrom", "fieldRef"), "apiVersion", `"v1"`)
	}
	for _, list := range [...]string{"requests", "limits"} {
		quantities := c.Get("resources", list)
		for name := range quantities.Clone().Members() {
			canonicalQuantity(quantities, name)
		}
	}
	for _, name := range [...]string{"livenessProbe", "readinessProbe", "startupProbe"} {
		probe := c.Get(name)
		for field, value := range map[string]string{"timeoutSeconds": "1", "periodSeconds": "10", "successThreshold": "1", "failureThreshold": "3"} {
			implied(probe, field, value)
		}
		implied(probe.Get("httpGet"), "scheme", `"HTTP"`)
	}
	for _, hook := range [...]string{"postStart", "preStop"} {
		implied(c.Get("lifecycle", hook, "httpGet"), "scheme", `"HTTP"`)
	}
}

// implied removes a member that says no more than its absence.
func implied(n *object.Node, name, value string) {
	if n.Type() == object.Map && string(n.Get(name).Canonical()) == value {
		n.Remove(name)
	}
}

func canonicalQuantity(n *object.Node, name string) {
	value := n.Get(name)
	text, ok := value.Text()
	if !ok {
		text = string(value.Bytes())
	}
	if q, err := v1alpha1.ParseQuantity(text); err == nil {
		q.RoundUp(resource.Milli)
		n.Put(object.Value(q.String()), name)
	}
}

// PullPolicy returns the imagePullPolicy that the API server gives a container that has none.
func PullPolicy(image string) string {
	name, _, digest := strings.Cut(image, "@")
	name = name[strings.LastIndex(name, "/")+1:] // a colon before it is a registry's port
	if _, tag, tagged := strings.Cut(name, ":"); tag == "latest" || !tagged && !digest {
		return "Always"
	}
	return "IfNotPresent"
}
