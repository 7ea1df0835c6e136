package update

// writer is a way to bring a whole manifest to the API server, the first time and later.
type writer struct {
	name        string
	first, next func(manifest) action
	again       generation // what the same manifest once more does
}

// writers are those that differ in what they leave behind about who wrote what: last-applied-configuration, managedFields of
// Apply, nothing.
func writers() []writer {
	ssa := func(m manifest) action { return serverSide(m, "kubectl") }
	return []writer{
		{"apply", made, apply, 0},
		{"SSA", ssa, ssa, 0},
		{"PUT", create, put, deploymentOnly}, // the controller's annotation goes
	}
}

// rich is an app that says something of most of what Gesso fills, but not all.
func rich(image string) manifest {
	return app(image,
		inWeb("{requests: {cpu: 250m}}", "resources"),
		inWeb("[{name: A, value: \"1\"}, {name: B, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]", "env"),
		element("{name: data, mountPath: /data}", "spec", "containers", "web", "volumeMounts"),
		element("{name: data, emptyDir: {}}", "spec", "volumes"),
		element("{name: scratch, emptyDir: {}}", "spec", "volumes"),
		element("{name: helper, image: helper:1, volumeMounts: [{name: scratch, mountPath: /tmp}]}", "spec", "containers"),
		element("{name: prepare, image: prepare:1, command: [prepare], securityContext: {allowPrivilegeEscalation: true}}", "spec", "initContainers"),
		inTemplate("{fsGroup: 2000}", "spec", "securityContext"),
		inTemplate("\"true\"", "metadata", "annotations", "author.example/scrape"),
	)
}

// deployRows are deploys of every sort: with each of them come the defaults of the day, and nothing comes between them.
func deployRows() []row {
	a := app("shop:a")
	all := []row{
		{name: "a, b, and a again", steps: []step{
			{on: v1, do: made(a), as: "a"},
			{do: apply(app("shop:b")), gives: v1},
			{do: apply(a), back: "a", reason: deployed},
		}},
		{name: "made by v2", steps: []step{{on: v2, do: made(a)}, {on: v1, do: putLive()}}},
		{name: "made by v3", steps: []step{{on: v3, do: made(a)}, {on: v1, do: putLive()}}},
		{name: "a copy", steps: []step{{on: v2, do: copied(v1, v2)}, {on: v3, do: putLive()}}},
		{name: "an app with everything", steps: []step{
			{on: v1, do: apply(rich("shop:a")), says: "created", as: "a", but: facts{"cpu": "250m"}},
			{on: v2, do: annotate("team=a"), generation: deploymentOnly},
			{do: put(rich("shop:a")), generation: deploymentOnly},
			{do: serverSide(rich("shop:a"), "kubectl"), generation: anyhow},
			{do: serverSide(rich("shop:b"), "kubectl"), gives: v2, but: facts{"cpu": "250m"}},
			{on: v3, do: undo(), back: "a"},
			{do: serverSide(rich("shop:c"), "kubectl"), gives: v3, but: facts{"cpu": "250m"}},
		}},
		{name: "restart", kinds: withRevisions(), steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: restart(), says: "restarted", gives: v2},
			{on: v3, do: apply(a), says: "unchanged", uncalled: true},
		}},
		{name: "deploys by kubectl set and edit", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: setImage("shop:b"), says: "image updated", gives: v2},
			{on: v3, do: setEnv("A=1"), says: "env updated", gives: v3},
			{on: v1, do: edited(writing("shop:c", "spec", "containers", "web", "image")), says: "edited", gives: v1},
			{on: v3, do: annotate("team=a"), generation: deploymentOnly},
			{on: v3, do: edited(deleting("metadata", "annotations", recordAnnotation), writing("shop:d", "spec", "containers", "web", "image")), says: "edited", gives: v3},
			{on: v2, do: edited(deleting("metadata", "annotations"), writing("shop:e", "spec", "containers", "web", "image")), says: "edited", gives: v2},
		}},
		{name: "deploys by replace", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: replace(app("shop:b")), says: "replaced", gives: v2},
			{on: v3, do: replace(app("shop:c")), says: "replaced", gives: v3},
			{on: v2, do: replace(app("shop:c")), says: "replaced", generation: deploymentOnly},
		}},
		{name: "deploys by PUT of the object as read", steps: []step{
			{on: v1, do: create(a)},
			{on: v2, do: putLive(inWeb("shop:b", "image")), gives: v2},
			{on: v3, do: putLive(inWeb("shop:c", "image")), gives: v3},
			{on: v1, do: putLive()},
		}},
	}
	for _, w := range writers() {
		all = append(all, row{name: "deploys by " + w.name, steps: []step{
			{on: v1, do: w.first(a)},
			{on: v2, do: w.next(app("shop:b")), gives: v2},
			{on: v3, do: w.next(app("shop:b")), perhaps: true, generation: w.again},
			{on: v3, do: w.next(app("shop:c")), gives: v3},
			{on: v1, do: annotate("team=a"), generation: deploymentOnly},
			{on: v1, do: w.next(app("shop:d")), gives: v1, generation: anyhow},
			{on: v2, do: w.next(app("shop:d", inTemplate(`"1"`, "metadata", "annotations", "gesso.dev/refresh"))), gives: v2},
			// kubectl apply sends "annotations: null" when the last one goes from the manifest, and ours go with it.
			{on: v3, do: w.next(app("shop:d")), gives: v3},
			{on: v2, do: w.next(app("shop:d")), perhaps: true, generation: w.again},
		}})
	}
	return all
}

// undoRows are kubectl rollout undo: what comes back is the old template, byte for byte, and its revision.
func undoRows() []row {
	a, b := app("shop:a"), app("shop:b")
	return []row{
		{name: "undo, the app changed", kinds: withRevisions(), steps: []step{
			{on: v1, do: made(a), as: "a"},
			{do: apply(b), gives: v1},
			{do: undo(), says: "rolled back", back: "a"},
		}},
		{name: "undo, the app changed and later the defaults", kinds: withRevisions(), steps: []step{
			{on: v1, do: made(a), as: "a"},
			{do: apply(b), gives: v1, as: "b"},
			{on: v2, do: undo(), says: "rolled back", back: "a"},
			{do: annotate("team=a"), generation: deploymentOnly},
			{do: undo(), says: "rolled back", back: "b"},
			{on: v3, do: undo(), says: "rolled back", back: "a"},
			{do: apply(b), says: "configured", gives: v3},
		}},
		{name: "undo, app and defaults changed", kinds: withRevisions(), steps: []step{
			{on: v1, do: made(a), as: "a"},
			{on: v2, do: apply(b), gives: v2, as: "b"},
			{do: undo(), says: "rolled back", back: "a"},
			{on: v3, do: undo(), says: "rolled back", back: "b"},
		}},
		{name: "undo of a restart", kinds: withRevisions(), steps: []step{
			{on: v1, do: made(a), as: "a"},
			{on: v2, do: restart(), gives: v2},
			{do: undo(), says: "rolled back", back: "a"},
		}},
		{name: "undo to before Gesso", kinds: withRevisions(), steps: []step{
			{on: away, do: made(a), as: "a"},
			{on: v1, do: apply(b), gives: v1},
			{on: v2, do: undo(), says: "rolled back", back: "a"},
			{do: annotate("team=a"), generation: deploymentOnly},
			{do: apply(app("shop:c")), gives: v2},
		}},
		{name: "undo to before Gesso two deploys later", kinds: withRevisions(), steps: []step{
			{on: away, do: made(a), as: "a"},
			{on: v1, do: apply(b), gives: v1},
			{on: v2, do: apply(app("shop:c")), gives: v2},
			{on: v3, do: undoTo(1), says: "rolled back", back: "a"},
		}},
		{name: "undo, OnDelete", kinds: only("StatefulSet", "DaemonSet"), steps: []step{
			{on: v1, do: made(a.plus(inObject("{type: OnDelete}", "spec", "updateStrategy"))), as: "a"},
			{on: v2, do: annotate("team=a")},
			{do: apply(b.plus(inObject("{type: OnDelete}", "spec", "updateStrategy"))), gives: v2},
			{on: v3, do: undo(), says: "rolled back", back: "a"},
		}},
		{name: "paused", kinds: only("Deployment"), steps: []step{
			{on: v1, do: made(a), as: "a"},
			{do: pause(), generation: moves},
			{on: v2, do: setImage("shop:b"), gives: v2, revisions: new(0)},
			{on: v3, do: setEnv("A=1"), gives: v3, revisions: new(0)},
			{on: v2, do: resume(), says: "resumed", generation: moves, revisions: new(1)},
			{do: undo(), says: "rolled back", back: "a"},
		}},
		{name: "undo of an answer on the object", kinds: withRevisions(), steps: []step{
			{on: v1, do: made(a), as: "a"},
			{on: v2, do: annotate("gesso.dev/memory=384Mi"), gives: v2, but: facts{"memory": "384Mi/384Mi"}},
			{do: undo(), says: "rolled back", back: "a"},
		}},
		{name: "undo of a refresh on the object", kinds: withRevisions(), steps: []step{
			{on: v1, do: made(a), as: "a"},
			{on: v2, do: annotate("gesso.dev/refresh=1"), gives: v2},
			{do: undo(), says: "rolled back", back: "a"},
		}},
	}
}

// awayRows are deploys that Gesso did not see, and workloads that are older than it.
func awayRows() []row {
	a, b := app("shop:a"), app("shop:b")
	return []row{
		{name: "older than Gesso", steps: []step{
			{on: away, do: made(a)},
			{on: v1, do: annotate("team=a"), generation: deploymentOnly},
			{do: apply(a), says: "unchanged", uncalled: true},
			{do: replace(a), says: "replaced", generation: deploymentOnly},
			{on: v2, do: put(a), generation: deploymentOnly},
			{do: apply(b), gives: v2, generation: anyhow},
		}},
		{name: "apply while Gesso is away", kinds: withRevisions(), steps: []step{
			{on: v1, do: made(a), as: "a"},
			{on: away, do: apply(b), gives: v1},
			{on: v2, do: annotate("team=a"), generation: deploymentOnly},
			{do: apply(b), says: "unchanged", uncalled: true},
			{do: replace(b), says: "replaced", generation: deploymentOnly},
			{on: v3, do: undo(), says: "rolled back", back: "a"},
			// A limit: the record of b was stale, so that the way back to it is a deploy.
			{on: v2, do: undo(), says: "rolled back", gives: v2},
		}},
		{name: "PUT while Gesso is away", kinds: withRevisions(), steps: []step{
			{on: v1, do: made(a), as: "a"},
			{on: away, do: put(b), gives: away},
			{on: v2, do: annotate("team=a"), generation: deploymentOnly},
			{do: undo(), says: "rolled back", back: "a"},
			// A limit: b never had a record.
			{do: undo(), says: "rolled back", gives: v2},
		}},
		{name: "CronJob deployed while Gesso is away", kinds: only("CronJob"), steps: []step{
			{on: v1, do: made(a)},
			{on: away, do: apply(b), gives: v1},
			{on: v2, do: annotate("team=a")},
			{do: put(b)},
			{do: apply(app("shop:c")), gives: v2},
		}},
	}
}
