package update

import (
	"fmt"
)

// secondRows are a second mutating webhook, called before Gesso and after it, again when Gesso has changed something (IfNeeded) or
// not (once).
func secondRows() []row {
	a, b := app("shop:a"), app("shop:b")
	var all []row
	for _, place := range []string{secondBefore, secondAfter} {
		for _, once := range []string{"", "-once"} {
			which := kinds()
			if once != "" {
				which = only("Deployment", "CronJob")
			}
			for _, habit := range []string{"env", "container", "annotation"} {
				if habit == "env" && place == secondBefore && once != "" {
					continue // it changes the sidecar when it sees it first, which is at the next update: its doing
				}
				check := func(any) error { return nil }
				if habit == "container" {
					check = records("second")
				}
				all = append(all, row{
					name: place + " " + habit + once, kinds: which, labels: map[string]string{place: habit + once},
					steps: []step{
						{on: v1, do: made(a), as: "a", check: check},
						{on: v2, do: annotate("team=a"), generation: deploymentOnly, reason: whatever},
						{do: apply(a), perhaps: true, reason: whatever},
						{do: putLive(), reason: whatever},
						{do: put(a), generation: deploymentOnly, reason: whatever},
						{do: serverSide(a, "kubectl"), generation: anyhow, reason: whatever},
						{do: serverSide(b, "kubectl"), gives: v2, check: check},
						{on: v3, do: undo(), back: "a"},
						{do: serverSide(app("shop:c"), "kubectl"), gives: v3, check: check},
						{do: serverSide(app("shop:c"), "kubectl"), reason: whatever},
					},
				})
			}
			if place == secondAfter || once == "" {
				all = append(all, mirrorRow(place, which, once))
			}
		}
		all = append(all, modeRow(place))
		all = append(all, row{
			// Every request changes the template, which is that webhook's doing; so every request is a deploy.
			name: place + " counter", labels: map[string]string{place: "counter"}, steps: []step{
				{on: v1, do: made(a)},
				{on: v2, do: annotate("team=a"), gives: v2, reason: whatever},
				{on: v3, do: label("team=a"), gives: v3, reason: whatever},
			},
		})
	}
	return all
}

// mirrorRow is a second webhook that rewrites images, ours too.
func mirrorRow(place string, which []kind, once string) row {
	a, b := app("shop:a"), app("shop:b")
	mirrored := func(proxy string) facts { return facts{"proxy": mirror + proxy} }
	mirroredApp := func(image string) func(any) error {
		return func(template any) error {
			if got := find(template, "spec", "containers", "web", "image"); got != mirror+image {
				return fmt.Errorf("the app's image is %v, want the mirror's", got)
			}
			return nil
		}
	}
	quiet := step{on: v2, do: put(a), generation: deploymentOnly, reason: whatever}
	// A limit: after a PUT nothing says that it was not the author who wrote the mirror's image, so that the next one differs. A mirror
	// that comes after Gesso makes it differ at once, because Gesso sees the author's own image first.
	rolls := step{on: v2, do: put(a), gives: v2, but: mirrored("proxy:2"), reason: whatever, generation: anyhow}
	puts := []step{quiet, rolls, quiet}
	if place == secondAfter {
		puts = []step{rolls, quiet, quiet}
	}
	return row{
		name: place + " mirror" + once, kinds: which, labels: map[string]string{place: "mirror" + once}, loose: true,
		steps: append([]step{
			{on: v1, do: made(a), as: "a", but: mirrored("proxy:1"), check: mirroredApp("shop:a")},
			{on: v2, do: annotate("team=a"), generation: deploymentOnly, reason: whatever},
			{do: apply(a), perhaps: true, reason: whatever},
			{do: apply(b), gives: v2, but: mirrored("proxy:2"), check: mirroredApp("shop:b"), reason: whatever},
			{on: v3, do: undo(), back: "a", reason: whatever},
			{do: apply(app("shop:c")), gives: v3, but: mirrored("proxy:3"), reason: whatever},
			{on: v1, do: apply(a), back: "a", reason: whatever},
		}, puts...),
	}
}

// modeRow is a second webhook that writes into a volume that Gesso makes. Nothing says there that it was not the author; whatever
// Gesso makes of it, the volume stays whole.
func modeRow(place string) row {
	whole := func(template any) error {
		if find(template, "spec", "volumes", "gesso-proxy-config", "configMap", "name") != "proxy" {
			return fmt.Errorf("the sidecar's volume is broken")
		}
		return nil
	}
	return row{name: place + " mode", labels: map[string]string{place: "mode"}, loose: true, steps: []step{
		{on: v1, do: create(app("shop:a")), as: "a", check: whole},
		{on: v2, do: annotate("team=a"), generation: deploymentOnly, reason: whatever},
		{do: putLive(inWeb("shop:b", "image")), rolls: true, check: whole, reason: whatever},
		{on: v3, do: put(app("shop:c")), gives: v3, check: whole, reason: whatever},
		{on: v2, do: setImage("shop:d"), rolls: true, check: whole, reason: whatever},
		{do: apply(app("shop:e")), rolls: true, generation: anyhow, check: whole, reason: whatever},
		{on: v3, do: apply(app("shop:f")), gives: v3, check: whole, reason: whatever},
	}}
}
