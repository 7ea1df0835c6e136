package argocd_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gesso-dev/gesso/e2e/argocd"
)

// exception is something in Git that Kubernetes drops before Gesso sees it: Gesso fills what Argo CD believes to be empty.
type exception struct {
	where   string
	holds   string // what Git holds there
	instead string // what to write instead
	shown   shown
}

// shown are the modes in which an exception is OutOfSync: legacy for a manifest that is applied client-side, the others for one
// that is applied server-side.
type shown []argocd.Mode

const (
	inContainer = "container"
	inPod       = "Pod spec"
	inTemplate  = "metadata of the pod template"
	inObject    = "metadata of the workload"
	inAccount   = "metadata of a ServiceAccount, tracked by label"
	inIngress   = "metadata of an Ingress, tracked by label"
	inClass     = "spec of an Ingress"
)

// exceptions are all that we know. docs/argocd.md lists them.
func exceptions() []exception {
	const (
		leaveOut = "nothing"
		account  = "nothing, or an annotation"
	)
	optOut := func(id string) string {
		return fmt.Sprintf("nothing; to opt out `gesso.dev/%s: \"false\"` on the template", id)
	}
	both, list := shown{argocd.Legacy, argocd.StructuredMerge}, shown{argocd.Legacy}
	merge := shown{argocd.StructuredMerge, argocd.ServerSideMutation}
	return []exception{
		{inContainer, "securityContext: null", "nothing, or `securityContext: {}`", both},
		{inContainer, "securityContext: {readOnlyRootFilesystem: null}", "`false`, or " + optOut("read-only-root-filesystem"), both},
		{inContainer, "securityContext: {allowPrivilegeEscalation: null}", "`true`, or " + optOut("no-privilege-escalation"), both},
		{inContainer, "securityContext: {capabilities: null}", "nothing, or `capabilities: {}`", both},
		{inContainer, "securityContext: {capabilities: {drop: null}}", optOut("drop-capabilities"), both},
		{inContainer, "securityContext: {capabilities: {drop: []}}", optOut("drop-capabilities"), both},
		{inContainer, "resources: {requests: null}", "nothing, or `resources: {}`", both},
		{inContainer, "resources: {requests: {}}", "nothing, or `resources: {}`", both},
		{inContainer, "resources: {limits: null}", "nothing, or `resources: {}`", both},
		{inContainer, "resources: {limits: {}}", "nothing, or `resources: {}`", both},
		{inContainer, "volumeMounts: null", leaveOut, both},
		{inContainer, "volumeMounts: []", leaveOut, list},
		{inPod, "volumes: null", leaveOut, both},
		{inPod, "volumes: []", leaveOut, list},
		{inPod, "initContainers: null", leaveOut, both},
		{inPod, "initContainers: []", leaveOut, list},
		{inPod, "securityContext: null", "nothing, or `securityContext: {}`", both},
		{inPod, "securityContext: {seccompProfile: null}", "a profile, or " + optOut("seccomp"), both},
		{inPod, "securityContext: {runAsNonRoot: null}", "`false`, or " + optOut("run-as-non-root"), both},
		{inPod, "automountServiceAccountToken: null", "`true`, or " + optOut("no-service-account-token"), both},
		{inPod, "enableServiceLinks: null", "`true`, or " + optOut("no-service-links"), both},
		{inTemplate, "annotations: null", leaveOut, both},
		{inTemplate, "annotations: {}", leaveOut, both},
		{inObject, "labels: null", leaveOut, shown{argocd.Legacy, argocd.StructuredMerge, argocd.ServerSideDiff, argocd.ServerSideMutation}},
		{inObject, "labels: {}", leaveOut, shown{argocd.Legacy, argocd.StructuredMerge, argocd.ServerSideDiff, argocd.ServerSideMutation}},
		{inAccount, "annotations: null", account, shown{argocd.StructuredMerge}},
		{inAccount, "annotations: {}", account, shown{argocd.StructuredMerge}},
		{inIngress, "annotations: null", account, merge},
		{inIngress, "annotations: {}", account, merge},
		{inClass, "ingressClassName: null", leaveOut, both},
	}
}

// manifest returns a minimal object that holds the exception.
func (e exception) manifest(t *testing.T) map[string]any {
	t.Helper()
	held := "{" + e.holds + "}"
	switch e.where {
	case inContainer:
		return workload(t, "Deployment", written{container: held})
	case inPod:
		return workload(t, "Deployment", written{pod: held})
	case inTemplate:
		return workload(t, "Deployment", written{template: held})
	case inObject:
		return workload(t, "Deployment", written{object: "{metadata: " + held + "}"})
	case inAccount:
		return parse(t, "{apiVersion: v1, kind: ServiceAccount, metadata: "+held+"}")
	}
	ingress := parse(t, "{apiVersion: networking.k8s.io/v1, kind: Ingress, spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}}")
	part := map[string]string{inIngress: "metadata", inClass: "spec"}[e.where]
	return lay(ingress, parse(t, "{"+part+": "+held+"}")).(map[string]any)
}

// row is its line in docs/argocd.md.
func (e exception) row() string {
	cells := []string{e.where, "`" + e.holds + "`"}
	for _, mode := range argocd.Modes() {
		if slices.Contains(e.shown, mode) {
			cells = append(cells, "OutOfSync")
		} else {
			cells = append(cells, "Synced")
		}
	}
	return "| " + strings.Join(append(cells, e.instead), " | ") + " |"
}

// TestExceptions holds that what is known to show OutOfSync does, in the modes that docs/argocd.md names and in no other, and that
// Gesso is the reason.
func TestExceptions(t *testing.T) {
	const filled = "exceptions"
	namespace(t, filled)
	namespace(t, alone)
	for i, e := range exceptions() {
		t.Run(strings.ReplaceAll(e.where+" "+e.holds, " ", "_"), func(t *testing.T) {
			for _, how := range []argocd.How{argocd.ClientSide, argocd.ServerSide, argocd.Replace} {
				with := e.sync(t, how, filled, fmt.Sprintf("%d-%s", i, how))
				without := e.sync(t, how, alone, fmt.Sprintf("%d-%s", i, how))
				for _, mode := range argocd.Modes() {
					want := slices.Contains(e.shown, mode) && how == map[bool]argocd.How{true: argocd.ClientSide, false: argocd.ServerSide}[mode == argocd.Legacy]
					if want && !without[mode].Synced() {
						t.Errorf("%s, %s: %v without Gesso too", how, mode, without[mode])
					}
					if got := with[mode]; got.OutOfSync != want && got.Error == "" {
						t.Errorf("%s, %s: %v, want OutOfSync: %v", how, mode, got, want)
					} else if got.Error != "" && without[mode].Error == "" {
						t.Errorf("%s, %s: %v", how, mode, got)
					}
				}
			}
		})
	}
}

// TestNullsWithoutGesso holds that nulls inside of maps are OutOfSync in every mode whether Gesso is there or not.
func TestNullsWithoutGesso(t *testing.T) {
	const filled = "nulls"
	namespace(t, filled)
	namespace(t, alone)
	for i, e := range []exception{
		{where: inContainer, holds: "resources: {limits: {memory: null}}"},
		{where: inTemplate, holds: "annotations: {team: null}"},
		{where: inObject, holds: "labels: {team: null}"},
	} {
		for _, ns := range []string{filled, alone} {
			for mode, v := range e.sync(t, argocd.ClientSide, ns, fmt.Sprintf("null-%d", i)) {
				if !v.OutOfSync {
					t.Errorf("%s %s in namespace %s, %s: %v", e.where, e.holds, ns, mode, v)
				}
			}
		}
	}
}

// sync syncs the exception and returns what Argo CD shows.
func (e exception) sync(t *testing.T, how argocd.How, ns, name string) map[argocd.Mode]argocd.Verdict {
	t.Helper()
	git := e.manifest(t)
	place(git, ns, "e-"+name)
	if e.where == inAccount || e.where == inIngress {
		set(git, "shop", "metadata", "labels", "app.kubernetes.io/instance") // application.resourceTrackingMethod: label
	} else {
		track(git)
	}
	s := &subject{what: e.where + " " + e.holds, how: how, git: git}
	sync(t, s)
	_, shows := verdicts(t, s)
	return shows
}

// TestExceptionsAreDocumented holds that docs/argocd.md lists them all, as they are tested here, and no other.
func TestExceptionsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(shared.root, "docs", "argocd.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, e := range exceptions() {
		want = append(want, e.row())
	}
	var got []string
	for line := range strings.Lines(string(raw)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "|") && (strings.Contains(line, " OutOfSync ") || strings.Contains(line, " Synced ")) {
			got = append(got, line)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table of exceptions in docs/argocd.md is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
