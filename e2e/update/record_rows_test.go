package update

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// damages are what may become of a record that anybody can write.
func damages() map[string]func(string) string {
	change := func(do func(map[string]any)) func(string) string {
		return func(text string) string {
			r := unjson(text)
			do(r)
			return canonical(r)
		}
	}
	return map[string]func(string) string{
		"garbage":   func(string) string { return "not a record" },
		"truncated": func(text string) string { return text[:len(text)/2] },
		"empty":     func(string) string { return "{}" },
		"another kind of value": func(string) string {
			return `["base"]`
		},
		"one character of a key": change(func(r map[string]any) {
			hash := find(r, "initContainers", "gesso-proxy", "name").(string)
			flipped := map[bool]string{true: "1", false: "0"}[hash[0] == '0']
			with(r, flipped+hash[1:], "initContainers", "gesso-proxy", "name")
		}),
		"40 KB": change(func(r map[string]any) {
			for i := range 1000 {
				with(r, strings.Repeat("0", 8), "pod", fmt.Sprintf("volumes[gesso-%021d].name", i))
			}
		}),
		"ghost containers": change(func(r map[string]any) {
			with(r, maps.Clone(find(r, "containers", "web").(map[string]any)), "containers", "ghost")
			with(r, maps.Clone(find(r, "initContainers", "gesso-proxy").(map[string]any)), "initContainers", "gesso-ghost")
		}),
		// The hashes are right: whoever believes them takes the author's own fields for Gesso's.
		"foreign paths": change(func(r map[string]any) {
			with(r, leafHash("shop:a"), "containers", "web", "image")
			with(r, leafHash("web"), "containers", "web", "name")
			with(r, leafHash(int64(8080)), "containers", "web", "ports[8080/TCP].containerPort")
			with(r, leafHash("Always"), "pod", "restartPolicy")
			with(r, leafHash("web"), "template", "labels[app]")
		}),
		"wrong hashes": change(func(r map[string]any) {
			var spoil func(m map[string]any)
			spoil = func(m map[string]any) {
				for name, v := range m {
					if inner, ok := v.(map[string]any); ok {
						spoil(inner)
						continue
					}
					m[name] = "00000000"
				}
			}
			spoil(r)
		}),
		"junk for paths": change(func(r map[string]any) {
			for _, path := range []string{"", "[", "]", "a[b", "..", "volumes[].name", "volumes[gesso-tmp-web]", `\`, "volumes[gesso-tmp-web].name.x"} {
				with(r, "00000000", "pod", path)
			}
		}),
	}
}

// recordRows are records of every damaged sort.
func recordRows() []row {
	a, b, c := app("shop:a"), app("shop:b"), app("shop:c")
	served := row{name: "the record is damaged", steps: []step{{on: v1, do: made(a)}}}
	all := []row{}
	for i, name := range slices.Sorted(maps.Keys(damages())) {
		damage := damages()[name]
		served.steps = append(served.steps, step{on: []string{v2, v3}[i%2], do: patchRecord(damage, name), says: "patched"})
		all = append(all,
			// What Gesso takes for its own then is another question: it does not break the app, and nobody's fields are touched.
			row{name: "the record is damaged while Gesso is away: " + name, loose: true, steps: []step{
				{on: v1, do: made(a)},
				{on: away, do: patchRecord(damage, name), says: "patched", rolls: true},
				{on: v2, do: putLive(annotations(map[string]string{"team": "a"})), generation: deploymentOnly},
				{do: apply(b), says: "configured", rolls: true, check: intact("shop:b")},
				{on: v3, do: put(c), gives: v3, generation: anyhow},
			}},
			row{name: "a record in the manifest: " + name, kinds: only("Deployment", "CronJob"), loose: true, steps: []step{
				{on: v1, do: apply(a.plus(claimed(damage))), gives: v1, warns: warning},
				{on: v2, do: apply(a.plus(claimed(damage))), says: "unchanged", uncalled: true},
				{do: annotate("team=a"), generation: deploymentOnly},
				{do: apply(b.plus(claimed(damage))), gives: v1, warns: warning},
				// What was filled was never recorded: nothing says any more that it is not the author's.
				{do: apply(c), rolls: true, check: intact("shop:c"), reason: whatever},
			}},
		)
	}
	served.steps = append(served.steps, step{on: v2, do: apply(b), says: "configured", gives: v2})
	return append(all, served)
}

// warning begins the warning about a record in a manifest.
const warning = "annotation gesso.dev/filled from the manifest"

// claimed is a manifest that carries a record, damaged.
func claimed(damage func(string) string) change {
	r := record{
		Base: "00000000",
		Pod:  map[string]string{"volumes[gesso-tmp-web].name": leafHash("gesso-tmp-web")},
		Containers: map[string]map[string]string{"web": {
			"resources.limits.memory": leafHash("128Mi"), "volumeMounts[/tmp].mountPath": leafHash("/tmp"), "volumeMounts[/tmp].name": leafHash("gesso-tmp-web"),
		}},
		InitContainers: map[string]map[string]string{"gesso-proxy": {"name": leafHash("gesso-proxy"), "image": leafHash("proxy:1")}},
	}
	text := damage(canonical(r))
	return func(k kind, o map[string]any) {
		with(o, text, append(slices.Clone(k.template), "metadata", "annotations", recordAnnotation)...)
	}
}

// intact wants what the author wrote, and containers that can run.
func intact(image string) func(any) error {
	return func(template any) error {
		switch {
		case find(template, "spec", "containers", "web", "image") != image:
			return fmt.Errorf("the app's image is not %s", image)
		case find(template, "spec", "containers", "web", "ports", "http") == nil:
			return fmt.Errorf("the app's port is gone")
		case find(template, "metadata", "labels", "app") != "web":
			return fmt.Errorf("the app's label is gone")
		case find(template, "spec", "initContainers", "gesso-proxy") == nil:
			return fmt.Errorf("the sidecar is gone")
		}
		return nil
	}
}

// exportRows are objects that somebody took from the cluster and put into Git.
func exportRows() []row {
	a := app("shop:a")
	return []row{
		{name: "exported object in Git", steps: []step{
			{on: v1, do: made(a), as: "a"},
			{on: v2, do: applyExported("shop:a"), says: "configured", generation: deploymentOnly, reason: whatever, warns: warning},
			{do: applyExported("shop:a"), says: "unchanged", uncalled: true},
			{do: applyExported("shop:b"), says: "configured", gives: v1, reason: whatever, warns: warning},
			{on: v3, do: applyExported("shop:b"), says: "unchanged", uncalled: true},
			{on: v2, do: applyExported("shop:c"), says: "configured", gives: v1, reason: whatever, warns: warning},
			{on: v3, do: applyExported("shop:c"), says: "unchanged", uncalled: true},
			{do: apply(app("shop:d")), says: "configured", gives: v3},
			{on: v2, do: apply(app("shop:d")), says: "unchanged", uncalled: true},
		}},
		{name: "exported object in Git and the same minimal manifest again", steps: []step{
			{on: v1, do: made(a), as: "a"},
			{on: v2, do: applyExported("shop:a"), says: "configured", generation: deploymentOnly, reason: whatever, warns: warning},
			{do: apply(a), says: "configured", generation: deploymentOnly},
			{do: apply(app("shop:b")), says: "configured", gives: v2},
		}},
		{name: "replace with an exported object", steps: []step{
			{on: v1, do: made(a), as: "a"},
			{on: v2, do: replaceExported("a"), says: "replaced", generation: deploymentOnly, reason: whatever},
			{on: v3, do: apply(a), says: "configured", generation: deploymentOnly},
			{do: apply(app("shop:b")), says: "configured", gives: v3},
		}},
	}
}

// replaceExported replaces the workload by itself as kubectl get prints it, last-applied-configuration and all: into which kubectl
// then writes the whole object.
func replaceExported(step string) action {
	return action{"replace exported", func(w *running) (string, error) {
		text := w.saved[step].object.GetAnnotations()[lastApplied]
		return replace(exported(w.saved[step], "shop:a").plus(annotations(map[string]string{lastApplied: text}))).run(w)
	}}
}

// limitRows are workloads that are too large, and those that are nearly.
func limitRows() []row {
	huge := inTemplate(strings.Repeat("x", 262000), "metadata", "annotations", "author.example/notes")
	var many []change
	for i := range 59 {
		many = append(many, element(fmt.Sprintf("{name: c%d, image: helper:1}", i), "spec", "containers"))
	}
	a, b := app("shop:a", many...), app("shop:b", many...)
	size := func(template any) error {
		if n := len(fmt.Sprint(find(template, "metadata", "annotations", recordAnnotation))); n > 30_000 {
			return fmt.Errorf("the record of 60 containers has %d bytes", n)
		}
		return nil
	}
	return []row{
		{name: "annotations of 262000 bytes", steps: []step{
			{on: v1, do: create(app("shop:a", huge)), gives: away, reason: tooLarge},
			{on: v2, do: annotate("team=a"), generation: deploymentOnly},
			{do: put(app("shop:b", huge)), gives: away, reason: tooLarge, generation: anyhow},
		}},
		{name: "60 containers", steps: []step{
			{on: v1, do: made(a), check: size},
			{on: v2, do: put(a), generation: deploymentOnly},
			{do: apply(b), gives: v2, check: size, generation: anyhow},
			{on: v3, do: apply(b), says: "unchanged", uncalled: true},
		}},
	}
}
