package update

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// rows is the table.
func rows() []row {
	var all []row
	for _, part := range [][]row{quietRows(), serverSideRows(), deployRows(), undoRows(), awayRows(), authorRows(), answerRows(), elementRows(), recordRows(), exportRows(), limitRows(), secondRows()} {
		all = append(all, part...)
	}
	return all
}

// quietRows are what nobody calls a deploy.
func quietRows() []row {
	a := app("shop:a")
	return []row{
		{name: "apply unchanged", steps: []step{
			{on: v1, do: apply(a), says: "created"},
			{on: v2, do: apply(a), says: "unchanged", uncalled: true},
			{on: v3, do: apply(a), says: "unchanged", uncalled: true},
		}},
		{name: "annotate and label", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: kubectlAnnotate("team=a"), says: "annotated", generation: deploymentOnly},
			{on: v3, do: label("team=a"), says: "labeled"},
			{on: v2, do: kubectlAnnotate("team-"), says: "annotated", generation: deploymentOnly},
		}},
		{name: "replace with the minimal manifest", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: replace(a), says: "replaced", generation: deploymentOnly}, // last-applied goes
			{on: v3, do: replace(a), says: "replaced", generation: deploymentOnly}, // the controller's annotation goes
		}},
		{name: "PUT of the minimal manifest and of the object as read", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: put(a), generation: deploymentOnly}, // last-applied goes
			{on: v3, do: put(a), generation: deploymentOnly}, // the controller's annotation goes
			{on: v2, do: putLive()},
			{on: v3, do: putLive(annotations(map[string]string{"team": "a"})), generation: deploymentOnly},
		}},
		{name: "dry run", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: dryRun(a), says: "unchanged (server dry run)", uncalled: true},
			{on: v2, do: dryRun(app("shop:b")), says: "configured (server dry run)", reason: deployed},
			{on: v3, do: apply(a), says: "unchanged", uncalled: true},
		}},
		{name: "scale", kinds: only("Deployment", "StatefulSet"), steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: scale("1"), says: "scaled", generation: moves, uncalled: true},
			{on: v3, do: scale("0"), says: "scaled", generation: moves, uncalled: true},
		}},
		{name: "apply other replicas", kinds: only("Deployment", "StatefulSet"), steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: apply(a.plus(inObject("1", "spec", "replicas"))), says: "configured", generation: moves},
			{on: v3, do: apply(a), says: "configured", generation: moves},
		}},
		{name: "pause and resume", kinds: only("Deployment"), steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: pause(), says: "paused", generation: moves},
			{on: v3, do: resume(), says: "resumed", generation: moves},
		}},
		{name: "edit deletes what Gesso filled", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: edited(
				deleting("spec", "initContainers"), deleting("spec", "volumes"),
				deleting("spec", "containers", "web", "resources"), deleting("spec", "containers", "web", "volumeMounts"),
			), says: "edited"},
			{on: v3, do: edited(deleting("metadata", "annotations")), says: "edited"},
			{on: v2, do: edited(deleting("metadata", "annotations", recordAnnotation)), says: "edited"},
			{on: v3, do: apply(a), says: "unchanged", uncalled: true},
		}},
		{name: "odd units", steps: []step{
			{on: odd, do: made(a)},
			{do: apply(a), says: "unchanged", uncalled: true},
			{do: annotate("team=a"), generation: deploymentOnly},
			{do: put(a), generation: deploymentOnly},
			{do: kubectlServerSide(a, "kubectl"), says: "serverside-applied", generation: anyhow},
			{on: v1, do: serverSide(a, "kubectl"), generation: anyhow},
			{on: odd, do: serverSide(app("shop:b"), "kubectl"), gives: odd},
			{on: v1, do: serverSide(app("shop:c"), "kubectl"), gives: v1},
		}},
	}
}

// serverSideRows are the quiet actions of server-side apply.
func serverSideRows() []row {
	a := app("shop:a")
	labels := func(k kind) *unstructured.Unstructured {
		o := a(k)
		delete(o.Object, "spec")
		o.SetLabels(map[string]string{"team": "a"})
		return o
	}
	return []row{
		{name: "SSA unchanged", steps: []step{
			{on: v1, do: kubectlServerSide(a, "kubectl"), says: "serverside-applied"},
			{on: v2, do: kubectlServerSide(a, "kubectl"), says: "serverside-applied"},
			{on: v3, do: kubectlServerSide(a, "kubectl"), says: "serverside-applied"},
		}},
		{name: "SSA after client-side apply", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: kubectlServerSide(a, "kubectl"), says: "serverside-applied", generation: deploymentOnly},
			{on: v3, do: kubectlServerSide(a, "kubectl"), says: "serverside-applied"},
			{on: v2, do: serverSide(app("shop:b"), "kubectl"), gives: v2},
		}},
		{name: "SSA by another manager after client-side apply", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: kubectlServerSide(a, "flux"), says: "serverside-applied", generation: deploymentOnly}, // kubectl keeps last-applied
			{on: v3, do: kubectlServerSide(a, "flux"), says: "serverside-applied"},
			{on: v2, do: serverSide(app("shop:b"), "flux"), gives: v2},
		}},
		{name: "SSA of a label by a second manager", steps: []step{
			{on: v1, do: serverSide(a, "kubectl")},
			{on: v2, do: kubectlServerSide(labels, "second"), says: "serverside-applied"},
			{on: v3, do: kubectlServerSide(a, "kubectl"), says: "serverside-applied"},
			{on: v2, do: kubectlServerSide(labels, "second"), says: "serverside-applied"},
		}},
	}
}
