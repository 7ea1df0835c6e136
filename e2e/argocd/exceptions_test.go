package argocd_test

import (
	"fmt"
	"testing"

	"github.com/gesso-dev/gesso/e2e/argocd"
)

// exception is something in Git that Kubernetes drops, so that Gesso fills what Argo CD believes the author has emptied.
type exception struct {
	name string // as docs/argocd.md has it
	written
	other string // a whole manifest that is no workload
}

func exceptions() []exception {
	const account = "{apiVersion: v1, kind: ServiceAccount"
	const ingress = "{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {defaultBackend: {service: {name: web, port: {number: 80}}}"
	container := func(field string) exception {
		return exception{name: "container " + field, written: written{container: "{" + field + "}"}}
	}
	pod := func(field string) exception {
		return exception{name: "pod " + field, written: written{pod: "{" + field + "}"}}
	}
	template := func(field string) exception {
		return exception{name: "template " + field, written: written{template: "{" + field + "}"}}
	}
	object := func(field string) exception {
		return exception{name: "object " + field, written: written{object: "{metadata: {" + field + "}}"}}
	}
	return []exception{
		container("securityContext: null"),
		container("securityContext: {readOnlyRootFilesystem: null}"),
		container("securityContext: {allowPrivilegeEscalation: null}"),
		container("securityContext: {capabilities: null}"),
		container("securityContext: {capabilities: {drop: null}}"),
		container("securityContext: {capabilities: {drop: []}}"),
		container("resources: null"),
		container("resources: {requests: null}"),
		container("resources: {limits: null}"),
		container("resources: {limits: {memory: null}}"),
		container("resources: {requests: {cpu: null}}"),
		container("resources: {requests: {}}"),
		container("resources: {limits: {}}"),
		container("volumeMounts: null"),
		container("volumeMounts: []"),
		pod("volumes: null"),
		pod("volumes: []"),
		pod("initContainers: null"),
		pod("initContainers: []"),
		pod("securityContext: null"),
		pod("securityContext: {seccompProfile: null}"),
		pod("securityContext: {runAsNonRoot: null}"),
		pod("automountServiceAccountToken: null"),
		pod("enableServiceLinks: null"),
		template("annotations: null"),
		template("annotations: {}"),
		template("annotations: {kubectl.kubernetes.io/default-container: null}"),
		template("labels: {app.kubernetes.io/name: null}"),
		object("labels: null"),
		object("labels: {}"),
		object("labels: {app.kubernetes.io/name: null}"),
		{name: "ServiceAccount annotations: null", other: account + ", metadata: {annotations: null}}"},
		{name: "ServiceAccount annotations: {}", other: account + ", metadata: {annotations: {}}}"},
		{name: "ServiceAccount annotations: {eks.amazonaws.com/role-arn: null}", other: account + ", metadata: {annotations: {eks.amazonaws.com/role-arn: null}}}"},
		{name: "Ingress annotations: null", other: ingress + "}, metadata: {annotations: null}}"},
		{name: "Ingress annotations: {}", other: ingress + "}, metadata: {annotations: {}}}"},
		{name: "Ingress annotations: {alb.ingress.kubernetes.io/target-type: null}", other: ingress + "}, metadata: {annotations: {alb.ingress.kubernetes.io/target-type: null}}}"},
		{name: "Ingress ingressClassName: null", other: ingress + ", ingressClassName: null}}"},
	}
}

func TestExceptions(t *testing.T) {
	for _, ns := range []string{"exceptions", bare} {
		namespace(t, ns)
	}
	for i, e := range exceptions() {
		line := ""
		for _, ns := range []string{"exceptions", bare} {
			for _, how := range []argocd.How{argocd.ClientSide, argocd.ServerSide, argocd.Replace} {
				git := parse(t, e.other)
				if e.other == "" {
					git = workload(t, "Deployment", e.written)
				}
				set(git, fmt.Sprintf("e-%d-%s", i, how), "metadata", "name")
				set(git, ns, "metadata", "namespace")
				s := &subject{what: e.name, how: how, git: git}
				{
					if err := shared.argo.Sync(how, git); err != nil {
						line += err.Error()
					}
				}
				_, v := verdicts(t, s)
				for _, mode := range argocd.Modes() {
					if v[mode].Error != "" {
						line += "E"
					} else if v[mode].OutOfSync {
						line += "X"
					} else {
						line += "."
					}
				}
				line += " "
			}
			line += " | "
		}
		t.Logf("%-60s %s", e.name, line)
	}
}
