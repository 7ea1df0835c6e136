package update

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/client-go/dynamic"
)

const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// action is something that somebody does to the workload of a row.
type action struct {
	name string
	run  func(*running) (printed string, err error)
}

// command is kubectl with these arguments; WORKLOAD among them stands for the workload.
func command(name string, args ...string) action {
	return action{name, func(w *running) (string, error) { return w.kubectl("", nil, args...) }}
}

func (w *running) kubectl(input string, environment []string, args ...string) (string, error) {
	args = slices.Clone(args)
	for i := range args {
		if args[i] == "WORKLOAD" {
			args[i] = w.called()
		}
	}
	return kubectl(w.Context(), w.namespace, input, environment, args...)
}

// piped is kubectl with a manifest at its stdin.
func piped(name string, m manifest, args ...string) action {
	return action{name, func(w *running) (string, error) {
		return w.kubectl(canonical(m(w.kind).Object), nil, append(args, "--validate=false", "-f", "-")...)
	}}
}

func apply(m manifest) action   { return piped("apply", m, "apply") }
func replace(m manifest) action { return piped("replace", m, "replace") }
func dryRun(m manifest) action  { return piped("dry run", m, "apply", "--dry-run=server") }

// made is the first apply of a manifest, as kubectl sends it.
func made(m manifest) action {
	return action{"apply", func(w *running) (string, error) {
		o := m(w.kind)
		o.SetNamespace(w.namespace)
		applied := o.DeepCopy()
		if applied.GetAnnotations() == nil {
			with(applied.Object, map[string]any{}, "metadata", "annotations") // kubectl writes an empty one
		}
		annotations(map[string]string{lastApplied: canonical(applied.Object) + "\n"})(w.kind, o.Object)
		_, err := w.client().Create(w.Context(), o, metav1.CreateOptions{FieldManager: "kubectl-client-side-apply"})
		return "", err
	}}
}

// serverSide is a server-side apply.
func serverSide(m manifest, manager string) action {
	return action{"SSA", func(w *running) (string, error) {
		_, err := w.client().Apply(w.Context(), "web", m(w.kind), metav1.ApplyOptions{FieldManager: manager, Force: true})
		return "", err
	}}
}

// kubectlServerSide is the same by kubectl, which looks after what an earlier client-side apply has left behind.
func kubectlServerSide(m manifest, manager string) action {
	return piped("SSA", m, "apply", "--server-side", "--force-conflicts", "--field-manager="+manager)
}

func setImage(image string) action {
	return command("set image", "set", "image", "WORKLOAD", "web="+image)
}

func setEnv(env string) action {
	return command("set env", "set", "env", "WORKLOAD", "--containers=web", env)
}

func kubectlAnnotate(kv string) action {
	return command("annotate", "annotate", "--overwrite", "WORKLOAD", kv)
}

// annotate writes an annotation of the object, or takes it away where kv ends in "-", as kubectl annotate does.
func annotate(kv string) action {
	return action{"annotate", func(w *running) (string, error) {
		name, value, found := strings.Cut(kv, "=")
		all := map[string]any{name: value}
		if !found {
			all = map[string]any{strings.TrimSuffix(name, "-"): nil}
		}
		patch := canonical(map[string]any{"metadata": map[string]any{"annotations": all}})
		_, err := w.client().Patch(w.Context(), "web", types.MergePatchType, []byte(patch), metav1.PatchOptions{FieldManager: "kubectl-annotate"})
		return "", err
	}}
}

func label(kv string) action { return command("label", "label", "--overwrite", "WORKLOAD", kv) }

func scale(replicas string) action {
	return command("scale", "scale", "WORKLOAD", "--replicas="+replicas)
}
func restart() action { return command("restart", "rollout", "restart", "WORKLOAD") }
func pause() action   { return command("pause", "rollout", "pause", "WORKLOAD") }
func resume() action  { return command("resume", "rollout", "resume", "WORKLOAD") }
func undo() action    { return command("undo", "rollout", "undo", "WORKLOAD") }
func undoTo(n int) action {
	return command("undo", "rollout", "undo", "WORKLOAD", fmt.Sprintf("--to-revision=%d", n))
}

// edited is kubectl edit with somebody who edits what the edits say.
func edited(edits ...func(kind) edit) action {
	return action{"edit", func(w *running) (string, error) {
		var all []edit
		for _, e := range edits {
			all = append(all, e(w.kind))
		}
		program, err := os.Executable()
		if err != nil {
			return "", err
		}
		return w.kubectl("", []string{"KUBE_EDITOR=" + program, editVariable + "=" + canonical(all)}, "edit", "--validate=false", w.called())
	}}
}

// deleting takes away what stands at a path of the template.
func deleting(path ...string) func(kind) edit { return writing(nil, path...) }

// writing writes a value at a path of the template.
func writing(value any, path ...string) func(kind) edit {
	return func(k kind) edit { return edit{append(slices.Clone(k.template), path...), value} }
}

// create is a POST, without anything that kubectl notes on an object.
func create(m manifest) action {
	return action{"POST", func(w *running) (string, error) {
		_, err := w.client().Create(w.Context(), m(w.kind), metav1.CreateOptions{FieldManager: "client"})
		return "", err
	}}
}

// put is a PUT of nothing but the manifest.
func put(m manifest) action {
	return action{"PUT", func(w *running) (string, error) {
		_, err := w.client().Update(w.Context(), m(w.kind), metav1.UpdateOptions{FieldManager: "client"})
		return "", err
	}}
}

// putLive is a PUT of the object as it was read, changed.
func putLive(changes ...change) action {
	return action{"PUT live", func(w *running) (string, error) {
		o, err := w.client().Get(w.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		for _, c := range changes {
			c(w.kind, o.Object)
		}
		_, err = w.client().Update(w.Context(), o, metav1.UpdateOptions{FieldManager: "client"})
		return "", err
	}}
}

func (w *running) client() dynamic.ResourceInterface {
	return shared.client.Resource(w.resource).Namespace(w.namespace)
}

// patchTemplate is a merge patch of the template.
func patchTemplate(patch func(w *running) (any, error)) action {
	return action{"patch", func(w *running) (string, error) {
		value, err := patch(w)
		if err != nil {
			return "", err
		}
		raw := canonical(with(map[string]any{}, value, w.template...))
		return w.kubectl("", nil, "patch", w.called(), "--type=merge", "--patch", raw)
	}}
}

// patchRecord writes another record over the one that is there.
func patchRecord(damage func(record string) string, name string) action {
	a := patchTemplate(func(w *running) (any, error) {
		old, _ := find(w.now.template, "metadata", "annotations", recordAnnotation).(string)
		if old == "" {
			return nil, errors.New("there is no record")
		}
		changed := damage(old)
		if changed == old {
			return nil, fmt.Errorf("the record %q was not changed", old)
		}
		return map[string]any{"metadata": map[string]any{"annotations": map[string]any{recordAnnotation: changed}}}, nil
	})
	a.name = "patch the record: " + name
	return a
}

// helm upgrades as Helm 3 does: a strategic merge patch from the last manifest of the release, the new one and the living object,
// which leaves nothing behind from which one could tell who wrote what.
func helm(last, next manifest) action {
	return action{"helm upgrade", func(w *running) (string, error) {
		live, err := w.client().Get(w.Context(), "web", metav1.GetOptions{})
		if err != nil {
			return "", err
		}
		meta, err := strategicpatch.NewPatchMetaFromStruct(map[string]any{
			"Deployment": appsv1.Deployment{}, "StatefulSet": appsv1.StatefulSet{}, "DaemonSet": appsv1.DaemonSet{}, "CronJob": batchv1.CronJob{},
		}[w.name])
		if err != nil {
			return "", err
		}
		patch, err := strategicpatch.CreateThreeWayMergePatch(
			[]byte(canonical(last(w.kind).Object)), []byte(canonical(next(w.kind).Object)), []byte(canonical(live.Object)), meta, true,
		)
		if err != nil || string(patch) == "{}" {
			return "", err
		}
		_, err = w.client().Patch(w.Context(), "web", types.StrategicMergePatchType, patch, metav1.PatchOptions{FieldManager: "helm"})
		return "", err
	}}
}

// exported is the workload as somebody would take it from the cluster into Git, image replaced: without what only the API server
// writes.
func exported(of *state, image string) manifest {
	return func(k kind) *unstructured.Unstructured {
		o := of.object.DeepCopy()
		for _, field := range []string{"resourceVersion", "uid", "creationTimestamp", "managedFields", "generation"} {
			with(o.Object, nil, "metadata", field)
		}
		with(o.Object, nil, "status")
		with(o.Object, nil, "metadata", "annotations", lastApplied)
		with(o.Object, nil, "metadata", "annotations", "deployment.kubernetes.io/revision")
		with(o.Object, nil, "metadata", "annotations", "deprecated.daemonset.template.generation")
		inWeb(image, "image")(k, o.Object)
		return o
	}
}

// applyExported applies the workload as it stood at the step "a", with an image.
func applyExported(image string) action {
	return action{"apply exported", func(w *running) (string, error) {
		return apply(exported(w.saved["a"], image)).run(w)
	}}
}

// copied is a workload that somebody copies, record and all: made by one release, taken away, and made again under another.
func copied(from, to string) action {
	return action{"POST of a copy", func(w *running) (string, error) {
		shared.recorder.use(w.namespace, from)
		if _, err := create(app("shop:a")).run(w); err != nil {
			return "", err
		}
		of := w.look("to copy")
		if printed, err := w.kubectl("", nil, "delete", "--cascade=foreground", "--wait", w.called()); err != nil {
			return printed, err
		}
		shared.recorder.use(w.namespace, to)
		return create(exported(of, "shop:a")).run(w)
	}}
}

// then does one after the other and counts as one.
func then(actions ...action) action {
	var names []string
	for _, a := range actions {
		names = append(names, a.name)
	}
	return action{strings.Join(names, " + "), func(w *running) (string, error) {
		var all []string
		for _, a := range actions {
			printed, err := a.run(w)
			if err != nil {
				return "", err
			}
			all = append(all, printed)
		}
		return strings.Join(all, ""), nil
	}}
}

// unjson reads a record as a tree, to be damaged.
func unjson(text string) map[string]any {
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		panic(fmt.Sprintf("%v in %q", err, text))
	}
	return m
}
