package policies

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/fstest"
	"time"
)

// cpu is what this process has used so far, in both modes.
func cpu() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// reportCPU reports processor time per iteration, which another process on the machine changes less than the time that passes.
func reportCPU(b *testing.B, start time.Duration) {
	b.Helper()
	b.ReportMetric(float64((cpu()-start).Microseconds())/float64(b.N), "cpu-µs/op")
}

// BenchmarkLoadLibrary is a cold start: the whole library, with nothing to take over.
func BenchmarkLoadLibrary(b *testing.B) {
	b.ReportAllocs()
	start := cpu()
	for b.Loop() {
		if _, problems := Load(b.Context(), []Source{Library()}, nil); len(problems) > 0 {
			b.Fatal(problems)
		}
	}
	reportCPU(b, start)
}

// BenchmarkEvaluate judges a Pod by policies of which ten match, and by policies that all match.
func BenchmarkEvaluate(b *testing.B) {
	r := benchPod(b)
	for _, installed := range []int{10, 100, 1000} {
		for name, matching := range map[string]int{"ten match": 10, "all match": installed} {
			if installed == 10 && name == "all match" {
				continue
			}
			b.Run(fmt.Sprintf("%d installed/%s", installed, name), func(b *testing.B) {
				set := load(b, nil, generated(installed, matching))
				want := len(set.Evaluate(b.Context(), r).Violations)
				b.ReportAllocs()
				start := cpu()
				for b.Loop() {
					if d := set.Evaluate(b.Context(), r); len(d.Violations) != want || len(d.Undecided) > 0 {
						b.Fatalf("decision is %+v", d)
					}
				}
				reportCPU(b, start)
			})
		}
	}
}

// BenchmarkReload changes one of a thousand policies each time, and all of them.
func BenchmarkReload(b *testing.B) {
	for _, changed := range []int{0, 1, 1000} {
		b.Run(fmt.Sprintf("%d of 1000 changed", changed), func(b *testing.B) {
			all := generated(1000, 10)
			set := load(b, nil, all)
			b.ReportAllocs()
			start := cpu()
			for i := 0; b.Loop(); i++ {
				set = reload(b, set, all, i, changed)
			}
			reportCPU(b, start)
		})
	}
}

// BenchmarkReviewWhileReloading tells how long reviews take while one processor reloads a thousand policies again and again, and while none does.
func BenchmarkReviewWhileReloading(b *testing.B) {
	r := benchPod(b)
	for _, changed := range []int{-1, 1, 1000} {
		name := "no reload"
		if changed >= 0 {
			name = fmt.Sprintf("%d of 1000 changed", changed)
		}
		b.Run(name, func(b *testing.B) {
			all := generated(1000, 10)
			var current atomic.Pointer[Set]
			current.Store(load(b, nil, all))
			ctx, stop := context.WithCancel(b.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := 0; changed >= 0 && ctx.Err() == nil; i++ {
					current.Store(reload(b, current.Load(), all, i, changed))
				}
			}()
			var took []time.Duration
			for b.Loop() {
				start := time.Now()
				if d := current.Load().Evaluate(b.Context(), r); len(d.Undecided) > 0 {
					b.Fatal(d)
				}
				took = append(took, time.Since(start))
			}
			stop()
			<-done
			slices.Sort(took)
			for _, p := range []int{50, 99} {
				b.ReportMetric(float64(took[len(took)*p/100].Microseconds()), fmt.Sprintf("p%d-µs", p))
			}
		})
	}
}

// reload changes the text of some policies and loads all of them.
func reload(tb testing.TB, set *Set, all Source, turn, changed int) *Set {
	tb.Helper()
	tree, _ := all.FS.(fstest.MapFS)
	next := maps.Clone(tree)
	for i := range changed {
		name := fmt.Sprintf("p%04d/p%04d.rego", (turn+i)%1000, (turn+i)%1000)
		text := slices.Clone(tree[name].Data)
		next[name] = &fstest.MapFile{Data: fmt.Appendf(text, "\n_turn := %d\n", turn)}
	}
	set, problems := Load(tb.Context(), []Source{{Name: all.Name, FS: next}}, nil, Previous(set))
	if len(problems) > 0 {
		tb.Fatal(problems)
	}
	return set
}

// generated is a source of policies of the shapes that people write, of which some are for Pods and the others for kinds of their own.
func generated(installed, matching int) Source {
	shapes := []string{
		`deny contains lib.violation(image.path, sprintf("%s: tag latest", [lib.subject(image)]), "pin a version") if {
	some image in input.images
	image.ref.tag == input.parameters.tag
}`,
		`deny contains lib.violation(sprintf("%s.resources.limits", [c.path]), sprintf("%s has no memory limit", [lib.subject(c)]), "write resources.limits.memory") if {
	some c in input.containers
	not c.resources.limits.memory
}`,
		`deny contains lib.violation(image.path, sprintf("%s comes from %s", [lib.subject(image), image.ref.registry]), "use a registry of ours") if {
	some image in input.images
	not _known(image.ref.registry)
}

_known(registry) if registry in ["registry.example", input.parameters.tag]`,
		`deny contains lib.violation(sprintf("%s.securityContext.privileged", [c.path]), sprintf("%s is privileged", [lib.subject(c)]), "leave it out") if {
	some c in input.containers
	c.securityContext.privileged == true
}`,
		`deny contains {"field": sprintf("spec.%s", [name]), "message": sprintf("%s is set", [name])} if {
	some name in ["hostNetwork", "hostPID", "hostIPC"]
	input.pod[name] == true
}`,
		`warn contains sprintf("the label %s is missing", [name]) if {
	some name in ["app.kubernetes.io/name", "team", input.parameters.tag]
	not input.request.object.metadata.labels[name]
}`,
		`deny contains {"field": sprintf("%s.securityContext.capabilities", [c.path]), "message": sprintf("%s adds %s", [lib.subject(c), capability])} if {
	some c in input.containers
	some capability in c.securityContext.capabilities.add
	not capability in {"NET_BIND_SERVICE"}
}`,
		`deny contains {"field": sprintf("spec.volumes[%d]", [i]), "message": sprintf("the volume %s is a path of the node", [volume.name])} if {
	some i, volume in input.pod.volumes
	volume.hostPath
}`,
	}
	files := map[string]string{}
	for i := range installed {
		match := "pods: true"
		if i >= matching {
			match = fmt.Sprintf("kinds: [{group: example.com, kind: Kind%d}]", i%50)
		}
		shape := shapes[i%len(shapes)]
		var text strings.Builder
		fmt.Fprintf(&text, "# METADATA\n# title: Number %d\n# custom:\n#   gesso:\n#     match: {%s}\n", i, match)
		if strings.Contains(shape, "input.parameters") {
			text.WriteString("#     parameters: {properties: {tag: {type: string, default: latest}}}\n")
		}
		fmt.Fprintf(&text, "package gesso.policies.p%04d\n\n", i)
		if strings.Contains(shape, "lib.") {
			text.WriteString("import data.gesso.lib\n\n")
		}
		text.WriteString(shape + "\n")
		files[fmt.Sprintf("p%04d/p%04d.rego", i, i)] = text.String()
	}
	return source(files)
}

// benchPod is a Pod as the API server sends it, about 8 KB long.
func benchPod(tb testing.TB) Review {
	tb.Helper()
	container := func(name, image string) map[string]any {
		var env []any
		for i := range 12 {
			env = append(env, map[string]any{"name": fmt.Sprintf("SETTING_%d", i), "value": strings.Repeat("v", i)})
		}
		return map[string]any{
			"name": name, "image": image, "env": env, "imagePullPolicy": "IfNotPresent",
			"ports":           []any{map[string]any{"containerPort": 8080, "name": "http", "protocol": "TCP"}},
			"resources":       map[string]any{"requests": map[string]any{"cpu": "100m", "memory": "128Mi"}, "limits": map[string]any{"memory": "128Mi"}},
			"securityContext": map[string]any{"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}}},
			"readinessProbe":  map[string]any{"httpGet": map[string]any{"path": "/ready", "port": "http"}, "periodSeconds": 10},
			"volumeMounts":    []any{map[string]any{"mountPath": "/tmp", "name": "tmp"}, map[string]any{"mountPath": "/var/run/secrets", "name": "token", "readOnly": true}},
		}
	}
	managed := map[string]any{}
	for i := range 60 {
		managed[fmt.Sprintf("f:field%d", i)] = map[string]any{".": map[string]any{}, "f:inner": map[string]any{}}
	}
	request, err := json.Marshal(map[string]any{
		"uid": "00000000-0000-0000-0000-000000000001", "operation": "CREATE", "namespace": "team-a", "name": "shop",
		"kind":     map[string]any{"group": "", "version": "v1", "kind": "Pod"},
		"resource": map[string]any{"group": "", "version": "v1", "resource": "pods"},
		"userInfo": map[string]any{"username": "dev", "groups": []any{"system:authenticated"}},
		"object": map[string]any{
			"apiVersion": "v1", "kind": "Pod",
			"metadata": map[string]any{
				"name": "shop", "namespace": "team-a", "labels": map[string]any{"app.kubernetes.io/name": "shop", "team": "a", "latest": "yes"},
				"managedFields": []any{map[string]any{"manager": "kubectl", "operation": "Update", "fieldsV1": managed}},
			},
			"spec": map[string]any{
				"containers": []any{container("web", "registry.example/shop:1.2.3"), container("proxy", "registry.example/proxy:2.0.0")},
				"volumes":    []any{map[string]any{"name": "tmp", "emptyDir": map[string]any{}}, map[string]any{"name": "token", "projected": map[string]any{}}},
			},
		},
	})
	if err != nil {
		tb.Fatal(err)
	}
	r := pod(string(request))
	r.User = User{Name: "dev"}
	return r
}
