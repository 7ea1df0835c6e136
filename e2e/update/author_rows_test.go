package update

import (
	"errors"
	"fmt"

	"github.com/google/go-cmp/cmp"
)

// authorRows are authors who take a value over, and give it back.
func authorRows() []row {
	a, b, c := app("shop:a"), app("shop:b"), app("shop:c")
	var all []row
	for _, w := range writers() {
		annotated := w.again // what a change of the manifest alone does: apply notes it, in an annotation
		if w.name == "apply" {
			annotated = deploymentOnly
		}
		rootMayBeWritten := inWeb("false", "securityContext", "readOnlyRootFilesystem")
		all = append(all,
			row{name: "the author sets another value by " + w.name, steps: []step{
				{on: v1, do: w.first(a)},
				{on: v2, do: w.next(a.plus(memory("300Mi"))), gives: v2, but: facts{"memory": "300Mi/300Mi"}},
				{on: v3, do: w.next(a.plus(memory("300Mi"))), perhaps: true, generation: w.again},
				{do: w.next(b.plus(memory("300Mi"))), gives: v3, but: facts{"memory": "300Mi/300Mi"}},
				{on: v2, do: w.next(b), gives: v2},
			}},
			row{name: "the author writes the value that was filled by " + w.name, steps: []step{
				{on: v1, do: w.first(a)},
				{do: w.next(a.plus(memory("128Mi"))), generation: annotated},
				{on: v2, do: w.next(a.plus(memory("128Mi"))), perhaps: true, generation: w.again},
				{do: w.next(b.plus(memory("128Mi"))), gives: v2, but: facts{"memory": "128Mi/128Mi"}},
				{do: w.next(b.plus(memory("128Mi"))), perhaps: true, generation: w.again},
				{on: v3, do: w.next(c.plus(memory("128Mi"))), gives: v3, but: facts{"memory": "128Mi/128Mi"}},
				{on: v2, do: w.next(c), gives: v2},
			}},
			row{name: "the author wants a writable root by " + w.name, steps: []step{
				{on: v1, do: w.first(a)},
				{on: v2, do: w.next(a.plus(rootMayBeWritten)), gives: v2, but: facts{"read-only": "false", "tmp": ""}},
				{do: w.next(a), gives: v2},
			}},
		)
	}
	return append(all, row{name: "the author writes the value that was filled, by Helm 3", steps: []step{
		{on: v1, do: create(a)},
		{do: helm(a, a.plus(memory("128Mi"))), uncalled: true},
		// A limit: nothing says that the author wrote it. The value goes along with the defaults once, and comes back with the next
		// upgrade.
		{on: v2, do: helm(a.plus(memory("128Mi")), b.plus(memory("128Mi"))), gives: v2},
		{do: helm(b.plus(memory("128Mi")), b.plus(memory("128Mi"))), gives: v2, but: facts{"memory": "128Mi/128Mi"}},
		{on: v3, do: helm(b.plus(memory("128Mi")), b.plus(memory("128Mi"))), uncalled: true},
		{do: helm(b.plus(memory("128Mi")), c.plus(memory("128Mi"))), gives: v3, but: facts{"memory": "128Mi/128Mi"}},
	}})
}

// answerRows are answers and opt-outs, on the object.
func answerRows() []row {
	a := app("shop:a")
	noResources := facts{"memory": "", "cpu": ""}
	return []row{
		{name: "opt-out on the object", steps: []step{
			{on: v1, do: made(a), as: "a"},
			{do: kubectlAnnotate("gesso.dev/resources=false"), says: "annotated", gives: v1, but: noResources},
			{on: v2, do: annotate("team=a"), generation: deploymentOnly},
			{on: v1, do: kubectlAnnotate("gesso.dev/resources-"), says: "annotated", back: "a", reason: deployed},
		}},
		{name: "refresh on the object", steps: []step{
			{on: v1, do: made(a)},
			{on: v2, do: annotate("gesso.dev/refresh=1"), gives: v2},
			{on: v3, do: annotate("gesso.dev/refresh=1")},
			{do: annotate("gesso.dev/refresh=2"), gives: v3},
			{on: v2, do: apply(a), says: "unchanged", uncalled: true},
		}},
		{name: "opt-out in the template", steps: []step{
			{on: v1, do: made(a), as: "a"},
			{do: apply(a.plus(inTemplate(`"false"`, "metadata", "annotations", "gesso.dev/resources"))), gives: v1, but: noResources},
			{do: apply(a), back: "a", reason: deployed},
		}},
	}
}

// elementRows are containers and volumes: the author's own, and those that have the names of ours.
func elementRows() []row {
	a, b := app("shop:a"), app("shop:b")
	helper := func(name string) change {
		return element("{name: "+name+", image: helper:1}", "spec", "containers")
	}
	own := func(source, at string) manifest {
		return a.plus(
			element("{name: gesso-tmp-web, "+source+"}", "spec", "volumes"),
			element("{name: gesso-tmp-web, mountPath: "+at+"}", "spec", "containers", "web", "volumeMounts"),
		)
	}
	only := func(volume string) func(any) error {
		return func(template any) error {
			if diff := cmp.Diff(parse(volume), find(template, "spec", "volumes", "gesso-tmp-web")); diff != "" {
				return fmt.Errorf("the volume (-want +got):\n%s", diff)
			}
			return nil
		}
	}
	overridden := a.plus(element("{name: gesso-proxy, image: proxy:mine}", "spec", "initContainers"))
	shares := element("{name: helper, image: helper:1, volumeMounts: [{name: gesso-tmp-web, mountPath: /shared}]}", "spec", "containers")
	all := []row{{name: "a container comes, is renamed and goes", steps: []step{
		{on: v1, do: made(a), as: "a"},
		{do: apply(a.plus(helper("helper"))), gives: v1, check: records("helper")},
		{do: apply(a.plus(helper("other"))), gives: v1, check: records("other")},
		{do: apply(a), back: "a", reason: deployed},
	}}, {name: "the author mounts our volume and its default retires", steps: []step{
		{on: v1, do: made(a)},
		{do: apply(a.plus(shares)), gives: v1},
		{on: v3, do: apply(b.plus(shares)), gives: v3, check: func(template any) error {
			if find(template, "spec", "volumes", "gesso-tmp-web") == nil {
				return fmt.Errorf("the volume is gone")
			}
			return nil
		}},
		{on: v1, do: annotate("team=a"), generation: deploymentOnly},
	}}}
	for _, w := range writers() {
		if w.name != "PUT" { // there, it is a container with a name of ours
			all = append(all, row{name: "the image of the sidecar is overridden and given back by " + w.name, steps: []step{
				{on: v1, do: w.first(a)},
				{do: w.next(overridden), gives: v1, but: facts{"proxy": "proxy:mine"}},
				{on: v2, do: w.next(overridden), perhaps: true, generation: w.again},
				{do: annotate("team=a"), generation: deploymentOnly},
				{do: w.next(a), gives: v2},
				{on: v3, do: w.next(b), gives: v3},
			}})
		}
		all = append(all,
			row{name: "an emptyDir of the author with the name of ours by " + w.name, steps: []step{
				{on: v1, do: w.first(a), as: "a"},
				{do: w.next(own("emptyDir: {medium: Memory}", "/cache")), gives: v1, but: facts{"tmp": ""}, check: only("{name: gesso-tmp-web, emptyDir: {medium: Memory}}")},
				{on: v2, do: annotate("team=a"), generation: deploymentOnly},
				{on: v1, do: w.next(a), back: "a", reason: deployed, generation: anyhow},
			}},
			row{name: "a PVC of the author with the name of ours by " + w.name, steps: []step{
				{on: v1, do: w.first(a), as: "a"},
				{
					do: w.next(own("persistentVolumeClaim: {claimName: data}", "/data")), gives: v1, but: facts{"tmp": "", "read-only": ""},
					check: only("{name: gesso-tmp-web, persistentVolumeClaim: {claimName: data}}"),
				},
				{on: v2, do: annotate("team=a"), generation: deploymentOnly},
				{on: v1, do: w.next(a), back: "a", reason: deployed, generation: anyhow},
			}},
		)
	}
	return all
}

// records wants the record to name the app's container and this one, and no other.
func records(name string) func(any) error {
	return func(template any) error {
		r, err := recordOf(template)
		if err != nil {
			return err
		}
		if r == nil {
			return errors.New("there is no record")
		}
		for _, want := range []string{"web", name} {
			if r.Containers[want]["resources.limits.memory"] == "" {
				return fmt.Errorf("the record says nothing of the memory of %q", want)
			}
		}
		if len(r.Containers) != 2 {
			return fmt.Errorf("the record names %d containers", len(r.Containers))
		}
		return nil
	}
}
