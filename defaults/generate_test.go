package defaults

import (
	"fmt"
	"maps"
)

// generator makes random objects of the kinds that defaults act on: mostly such as an API server could send, with traps in them,
// and now and then of wrong types. The same seed makes the same objects.
type generator struct{ state *uint64 }

type obj = map[string]any

func newGenerator(seed uint64) generator { return generator{&seed} }

// IntN returns a number from 0 to n-1 (SplitMix64).
func (g generator) IntN(n int) int {
	*g.state += 0x9e3779b97f4a7c15
	z := *g.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) >> 1 % uint64(n))
}

// one returns one of the values.
func one[T any](g generator, values ...T) T { return values[g.IntN(len(values))] }

// maybe sets a member in about one of n objects.
func (g generator) maybe(n int, o obj, name string, value func() any) {
	if g.IntN(n) == 0 {
		o[name] = value()
	}
}

// list returns up to n values.
func (g generator) list(n int, value func(i int) any) any {
	all := []any{}
	for i := range g.IntN(n + 1) {
		all = append(all, value(i))
	}
	return all
}

// object returns a random object as JSON.
func (g generator) object() []byte {
	metadata := obj{"name": one(g, "shop", "default", "a-long-name-of-an-app"), "namespace": "team-a"}
	g.maybe(3, metadata, "labels", func() any { return obj{"app.kubernetes.io/name": one[any](g, "shop", `q"\`, 5, nil)} })
	g.maybe(12, metadata, "deletionTimestamp", func() any { return "2026-11-24T00:00:00Z" })
	g.maybe(12, metadata, "ownerReferences", func() any { return []any{obj{"controller": one(g, true, false)}} })
	o := obj{"metadata": metadata}
	switch one(g, "template", "template", "template", "template", "pod", "cron", "account", "ingress") {
	case "template":
		kind := one(g, "apps/v1 Deployment", "apps/v1 StatefulSet", "apps/v1 DaemonSet", "apps/v1 ReplicaSet", "batch/v1 Job", "v1 ReplicationController")
		mustScan(kind, o)
		spec := obj{"template": g.template()}
		g.maybe(3, spec, "selector", g.selector)
		o["spec"] = spec
	case "cron":
		mustScan("batch/v1 CronJob", o)
		o["spec"] = obj{"jobTemplate": obj{"spec": obj{"template": g.template()}}}
	case "pod":
		mustScan("v1 Pod", o)
		t := g.template()
		if own, ok := t["metadata"].(obj); ok {
			maps.Copy(metadata, own)
		}
		o["spec"] = t["spec"]
	case "account":
		mustScan("v1 ServiceAccount", o)
		g.maybe(2, metadata, "annotations", func() any { return g.annotations() })
		g.maybe(6, metadata, "generateName", func() any { delete(metadata, "name"); return "shop-" })
	case "ingress":
		mustScan("networking.k8s.io/v1 Ingress", o)
		g.maybe(2, metadata, "annotations", func() any { return g.annotations() })
		spec := obj{}
		g.maybe(3, spec, "ingressClassName", func() any { return one[any](g, "shared", "nginx", nil) })
		o["spec"] = spec
	}
	for g.IntN(3) == 0 {
		g.spoil(o)
	}
	return mustJSON(o)
}

func mustScan(kind string, o obj) {
	var apiVersion, name string
	if _, err := fmt.Sscan(kind, &apiVersion, &name); err != nil {
		panic(err)
	}
	o["apiVersion"], o["kind"] = apiVersion, name
}

func (g generator) annotations() any {
	a := obj{}
	names := []string{
		writablePathsAnnotation, memoryAnnotation, cpuAnnotation, portAnnotation, defaultContainerAnnotation, skipContainersAnnotation,
		roleARNAnnotation, legacyClassAnnotation, "alb.ingress.kubernetes.io/target-type",
		"gesso.dev/read-only-root-filesystem", "gesso.dev/resources.web", "gesso.dev/sidecar", "gesso.dev/irsa", "gesso.dev/ingress-class",
		"gesso.dev/seccomp", "gesso.dev/seccomp.web", "gesso.dev/drop-capabilities.worker", "gesso.dev/run-as-non-root", "gesso.dev/labels",
		seccompPodAnnotation, seccompContainerAnnotation + "web",
	}
	for range g.IntN(4) {
		a[one(g, names...)] = one[any](g, "false", "http", "8080", "8443", "512Mi", "1.5", "/a/b,/a,/tmp/x,/srv/", "a,/..,//", "web", "", nil, 5)
	}
	return a
}

func (g generator) template() obj {
	t, metadata, spec := obj{}, obj{}, obj{}
	g.maybe(2, t, "metadata", func() any { return metadata })
	g.maybe(2, metadata, "annotations", g.annotations)
	g.maybe(4, metadata, "labels", func() any { return obj{"app.kubernetes.io/name": "shop"} })
	t["spec"] = spec
	spec["containers"] = g.list(3, func(int) any { return g.container() })
	g.maybe(3, spec, "initContainers", func() any {
		return g.list(2, func(int) any {
			c := g.container()
			g.maybe(2, c, "restartPolicy", func() any { return "Always" })
			return c
		})
	})
	g.maybe(8, spec, "ephemeralContainers", func() any { return g.list(1, func(int) any { return g.container() }) })
	g.maybe(3, spec, "volumes", func() any { return g.list(3, func(int) any { return g.volume() }) })
	g.maybe(12, spec, "os", func() any { return obj{"name": one(g, "windows", "linux")} })
	g.maybe(12, spec, "nodeSelector", func() any { return obj{"kubernetes.io/os": one(g, "windows", "linux")} })
	g.maybe(8, spec, "hostNetwork", func() any { return one(g, true, false) })
	g.maybe(10, spec, "resources", func() any { return g.resources() })
	g.maybe(3, spec, "securityContext", g.podContext)
	g.maybe(6, spec, "automountServiceAccountToken", func() any { return one[any](g, true, false, nil) })
	g.maybe(6, spec, "enableServiceLinks", func() any { return one[any](g, true, false, nil) })
	g.maybe(12, spec, "hostUsers", func() any { return one(g, true, false) })
	g.maybe(12, spec, "affinity", func() any { return obj{"podAntiAffinity": obj{"labelSelector": g.selector()}} })
	return t
}

func (g generator) selector() any {
	s, name := obj{}, one(g, "name", "part-of", "managed-by", "instance")
	g.maybe(2, s, "matchLabels", func() any { return obj{labelPrefix + name: "shop"} })
	g.maybe(4, s, "matchExpressions", func() any { return []any{obj{"key": labelPrefix + name, "operator": "DoesNotExist"}} })
	return s
}

func (g generator) podContext() any {
	s := obj{}
	g.maybe(3, s, "runAsUser", func() any { return one(g, 1000, 1000, 0) })
	g.maybe(4, s, "runAsNonRoot", func() any { return one[any](g, true, false, nil) })
	g.maybe(4, s, "seccompProfile", func() any { return one[any](g, obj{"type": "Unconfined"}, obj{"type": "RuntimeDefault"}, obj{}, nil) })
	g.maybe(4, s, "fsGroup", func() any { return 1000 })
	return s
}

// context is the security context of a container.
func (g generator) context() any {
	s := obj{}
	g.maybe(2, s, "readOnlyRootFilesystem", func() any { return one[any](g, true, false, nil) })
	g.maybe(4, s, "runAsUser", func() any { return one(g, 1000, 1000, 0) })
	g.maybe(6, s, "runAsNonRoot", func() any { return one[any](g, true, false, nil) })
	g.maybe(6, s, "privileged", func() any { return one(g, true, false) })
	g.maybe(6, s, "allowPrivilegeEscalation", func() any { return one[any](g, true, false, nil) })
	g.maybe(6, s, "seccompProfile", func() any { return one[any](g, obj{"type": "Unconfined"}, nil) })
	g.maybe(3, s, "capabilities", func() any {
		c := obj{}
		g.maybe(2, c, "add", func() any {
			return g.list(2, func(int) any { return one(g, "NET_BIND_SERVICE", "CAP_SYS_ADMIN", "SYS_ADMIN", "ALL") })
		})
		g.maybe(3, c, "drop", func() any { return g.list(2, func(int) any { return one(g, "ALL", "NET_RAW") }) })
		return c
	})
	return s
}

func (g generator) container() obj {
	c := obj{"name": one(g, "web", "worker", "metrics", "gesso-proxy", "a23456789-123456789-123456789-123456789-123456789-1234")}
	g.maybe(2, c, "image", func() any { return "shop:0123abc" })
	g.maybe(1+g.IntN(2), c, "ports", func() any {
		return g.list(1+g.IntN(2), func(int) any {
			p := obj{"containerPort": one(g, 8080, 8080, 9090, 9090, 8443, 0)}
			g.maybe(2, p, "name", func() any { return one(g, "http", "http", "metrics", "proxy") })
			g.maybe(4, p, "protocol", func() any { return one(g, "TCP", "UDP") })
			return p
		})
	})
	g.maybe(2, c, "resources", func() any { return g.resources() })
	g.maybe(3, c, "securityContext", g.context)
	g.maybe(3, c, "volumeMounts", func() any {
		return g.list(3, func(int) any {
			return obj{"name": one(g, "data", "gesso-tmp-web"), "mountPath": one(g, "/tmp", "/tmp/", "tmp", "/tmp/x", "/", "/data", "/a", "/a/b/c")}
		})
	})
	return c
}

func (g generator) resources() any {
	r := obj{}
	for _, list := range []string{"requests", "limits"} {
		g.maybe(2, r, list, func() any {
			l := obj{}
			g.maybe(2, l, "cpu", func() any { return one[any](g, "250m", "2", 1, 0.5, "0", "100u", nil) })
			g.maybe(2, l, "memory", func() any { return one[any](g, "1024Mi", "1Gi", 1073741824, "1e9", "0", "much", nil) })
			g.maybe(6, l, "nvidia.com/gpu", func() any { return 1 })
			return l
		})
	}
	return r
}

func (g generator) volume() obj {
	v := obj{"name": one(g, "data", "gesso-tmp-web", "gesso-tmp-worker", "gesso-config", "tmp")}
	v[one(g, "emptyDir", "configMap", "emptyDir")] = obj{}
	return v
}

// spoil puts something unexpected somewhere below o: a value of another type, null, or a field that nobody knows.
func (g generator) spoil(o obj) {
	at := o
	for {
		names := sorted(at)
		if len(names) == 0 {
			break
		}
		name := one(g, names...)
		if g.IntN(4) == 0 && name != "apiVersion" && name != "kind" {
			at[name] = g.junk()
			return
		}
		switch v := at[name].(type) {
		case obj:
			at = v
			continue
		case []any:
			if len(v) > 0 {
				i := g.IntN(len(v))
				if e, ok := v[i].(obj); ok && g.IntN(4) > 0 {
					at = e
					continue
				}
				v[i] = g.junk()
				return
			}
		}
		break
	}
	at["future"] = g.junk()
}

func (g generator) junk() any {
	return one[any](g, nil, true, 5, -1.5, "text", "", []any{}, []any{nil}, []any{5, "a"}, obj{}, obj{"a": nil}, obj{"name": 5, "b": []any{obj{}}})
}
