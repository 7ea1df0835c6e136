package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gesso-dev/gesso/admission"
)

// TestExamples applies every example, created and server-side applied, and compares with gesso review: the same fields, with the
// same values.
func TestExamples(t *testing.T) {
	namespaceFile, files := platform(t), examples(t, "shop")
	filledAny := false
	for _, file := range files {
		for _, way := range []struct {
			name string
			args []string
		}{
			{"create", []string{"create"}},
			{"server-side apply", []string{"apply", "--server-side"}},
		} {
			t.Run(strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".yaml")+"/"+way.name, func(t *testing.T) {
				kubectl(t, append(way.args, "-f", file)...)
				defer kubectl(t, "delete", "--ignore-not-found", "-f", file)
				stored := get(t, "-f", file).Object
				result := review(t, read(t, namespaceFile)+"---\n"+read(t, file))[1]
				reviewed := decode(t, result.Reviewed).Object
				for _, d := range result.Defaults {
					for _, path := range d.Paths {
						filledAny = true
						if diff := cmp.Diff(at(reviewed, path), subset(at(stored, path), at(reviewed, path))); diff != "" {
							t.Errorf("%s: %s: review and API server differ (-review +server):\n%s", d.ID, path, diff)
						}
					}
				}
			})
		}
	}
	if !filledAny {
		t.Error("no example had anything to fill: this test compares nothing")
	}
}

// subset keeps of got what want has too: the API server completes what is filled by defaults of its own.
func subset(got, want any) any {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			return got
		}
		out := map[string]any{}
		for name := range w {
			if v, ok := g[name]; ok {
				out[name] = subset(v, w[name])
			}
		}
		return out
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return got
		}
		out := make([]any, len(w))
		for i := range w {
			out[i] = subset(g[i], w[i])
		}
		return out
	}
	return got
}

// TestRefusals holds that the API server refuses what gesso review refuses, with the same messages word for word.
func TestRefusals(t *testing.T) {
	namespaceFile := platform(t)
	for _, file := range examples(t, "refused") {
		for _, way := range [][]string{{"create"}, {"apply"}, {"apply", "--server-side"}, {"create", "--dry-run=server"}} {
			t.Run(strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".yaml")+"/"+strings.Join(way, " "), func(t *testing.T) {
				stderr, err := apply(t, read(t, file), way...)
				if err == nil {
					t.Fatal("the API server accepted it")
				}
				result := review(t, read(t, namespaceFile)+"---\n"+read(t, file))[1]
				if result.Allowed || len(result.Denials()) == 0 {
					t.Fatalf("gesso review allows it: %+v", result)
				}
				for _, v := range result.Denials() {
					if !strings.Contains(stderr, v.Text()) {
						t.Errorf("the API server's answer lacks %q:\n%s", v.Text(), stderr)
					}
				}
				if !strings.Contains(stderr, `"closed.gesso.dev"`) {
					t.Errorf("refused by somebody else:\n%s", stderr)
				}
			})
		}
	}
}

// TestFillingTwiceChangesNothing sends what the API server stored through review again, as the UPDATE that a controller or
// kubectl edit would make, and through the API server itself.
func TestFillingTwiceChangesNothing(t *testing.T) {
	namespaceFile := platform(t)
	for _, file := range examples(t, "shop") {
		t.Run(strings.TrimSuffix(file[strings.LastIndexByte(file, '/')+1:], ".yaml"), func(t *testing.T) {
			kubectl(t, "apply", "-f", file)
			defer kubectl(t, "delete", "-f", file)
			stored := kubectl(t, "get", "-o", "json", "-f", file)
			// YAML is a superset of JSON: the two documents make one stream.
			results := review(t, read(t, namespaceFile)+"---\n"+stored)
			if patch := results[1].Patch; len(patch) != 0 {
				t.Errorf("a second filling changes %+v", patch)
			}
			before := decode(t, []byte(stored))
			kubectl(t, "apply", "-f", file)
			if again := get(t, "-f", file); again.GetGeneration() != before.GetGeneration() {
				t.Errorf("applied again: generation %d became %d", before.GetGeneration(), again.GetGeneration())
			}
			kubectl(t, "annotate", "-f", file, "example.org/touched=yes")
			after := get(t, "-f", file)
			if diff := cmp.Diff(before.Object["spec"], after.Object["spec"]); diff != "" {
				t.Errorf("an annotation changed the spec (-before +after):\n%s", diff)
			}
		})
	}
}

// TestAnotherTeamsManifest holds that what decides is not made for the examples: a StatefulSet of another shape.
func TestAnotherTeamsManifest(t *testing.T) {
	ns := namespace(t)
	manifest := `
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: queue, namespace: ` + ns + `}
spec:
  serviceName: queue
  selector: {matchLabels: {app: queue}}
  template:
    metadata:
      labels: {app: queue}
      annotations: {gesso.dev/writable-paths: /var/lib/queue/run, gesso.dev/sidecar: "false"}
    spec:
      initContainers:
      - {name: migrate, image: "registry.example/queue/migrate:1.4.2", resources: {limits: {memory: 1Gi, cpu: 500m}}}
      containers:
      - name: queue
        image: registry.example/queue/queue:1.4.2
        securityContext: {runAsUser: 1000}
        volumeMounts: [{name: data, mountPath: /tmp/data}]
      - {name: exporter, image: "registry.example/queue/exporter:0.9.0", securityContext: {readOnlyRootFilesystem: false}}
      volumes: [{name: data, emptyDir: {}}]
`
	mustApply(t, manifest, "create")
	stored := get(t, "statefulset", "queue", "--namespace", ns).Object
	for pointer, want := range map[string]any{
		"/spec/template/spec/initContainers/0/securityContext/readOnlyRootFilesystem": true,
		"/spec/template/spec/initContainers/0/resources/requests/memory":              "1Gi",
		"/spec/template/spec/initContainers/0/resources/requests/cpu":                 "500m",
		"/spec/template/spec/containers/0/securityContext/readOnlyRootFilesystem":     true,
		"/spec/template/spec/containers/0/securityContext/runAsUser":                  int64(1000),
		"/spec/template/spec/containers/0/volumeMounts/0/mountPath":                   "/tmp/data",
		"/spec/template/spec/containers/0/volumeMounts/1/mountPath":                   "/var/lib/queue/run",
		"/spec/template/spec/containers/0/volumeMounts/2":                             nil,
		"/spec/template/spec/containers/1/securityContext/readOnlyRootFilesystem":     false,
		"/spec/template/spec/containers/1/resources/limits/memory":                    "256Mi",
		"/spec/template/spec/containers/1/resources/limits/cpu":                       nil,
		"/spec/template/spec/initContainers/1":                                        nil, // opted out of the sidecar
		"/spec/template/spec/securityContext/seccompProfile/type":                     "RuntimeDefault",
		"/spec/template/spec/securityContext/runAsNonRoot":                            true,
		"/spec/template/spec/automountServiceAccountToken":                            false,
		"/spec/template/spec/enableServiceLinks":                                      false,
		"/spec/template/spec/initContainers/0/securityContext/capabilities/drop/0":    "ALL",
		"/spec/template/spec/containers/1/securityContext/allowPrivilegeEscalation":   false,
		"/spec/template/metadata/labels/app.kubernetes.io~1name":                      "queue",
		"/spec/selector/matchLabels/app.kubernetes.io~1name":                          nil,
	} {
		if diff := cmp.Diff(want, at(stored, pointer)); diff != "" {
			t.Errorf("%s (-want +stored):\n%s", pointer, diff)
		}
	}
	result := review(t, manifest)[0]
	if !slices.ContainsFunc(result.Skipped, func(s admission.Skipped) bool { return s.ID == "sidecar" && s.Reason == "opted-out" }) {
		t.Errorf("review does not say why there is no sidecar: %+v", result.Skipped)
	}
}
