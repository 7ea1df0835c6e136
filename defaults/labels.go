package defaults

import (
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/convention"
	"github.com/gesso-dev/gesso/internal/object"
)

// labelPrefix begins the recommended labels of Kubernetes.
const labelPrefix = "app.kubernetes.io/"

// labels
//
//	Field:    metadata.labels of the workload and of its pod template: the recommended labels for which the Profile has a value
//	Set when: the label is absent; on the workload itself only when it is created
//	To:       the Profile's values, with {app} {namespace} {environment} replaced
//	Why:      one set of names by which logs, metrics and costs find their owner.
//	Since:    0.1
//	Not when: a selector names the label: the workload's own, which is immutable and must fit the template, or one of the template's
//	          affinities and spreads, which would begin to mean the Pods themselves. Never app.kubernetes.io/instance, by which Argo CD
//	          tells what is its own. Not where a value would be no label value, such as a name of more than 63 characters.
//	          On a Job or ReplicationController without labels only on the template: the API server copies them from there.
//	Opt out:  gesso.dev/labels: "false" on the pod template
func labels() Default {
	names := []string{"name", "component", "part-of", "managed-by"}
	d := Default{
		ID:      "labels",
		Kinds:   workloads(),
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.Labels.DefaultSetting },
		Fill:    fillLabels,
	}
	for _, name := range names {
		d.Paths = append(d.Paths, "metadata.labels["+labelPrefix+name+"]", "template.metadata.labels["+labelPrefix+name+"]")
	}
	return d
}

// copiesLabels reports whether the API server will copy the labels of the template, ours among them, to the object itself. A label of
// ours there would keep it from doing so.
func (f *Filling) copiesLabels() bool {
	switch f.Object.GroupKind() {
	case object.GroupKind{Group: "batch", Kind: "Job"}, object.GroupKind{Kind: "ReplicationController"}:
		return f.Object.Root.Get("metadata", "labels").Len() == 0
	}
	return false
}

// label is a label to be filled.
type label struct{ name, value string }

func fillLabels(f *Filling) {
	t := f.Template()
	if f.noContainers(t) {
		return
	}
	wanted, ok := f.wantedLabels()
	if !ok {
		f.Skip(NamespaceUnknown, "metadata", "namespace")
		f.Warn("no label was filled: the labels of namespace %q are not known yet; apply the object again", f.NamespaceName)
		return
	}
	if len(wanted) == 0 {
		f.Skip(NotConfigured)
		return
	}
	places := [][]string{object.Join(t.Path, "metadata", "labels")}
	if len(t.Path) > 0 && f.Operation == "CREATE" && !f.copiesLabels() {
		places = append(places, []string{"metadata", "labels"})
	}
	selected := selectedLabels(f.Object, t)
	for i, place := range places {
		for _, l := range wanted {
			path := object.Join(place, l.name)
			switch where := selected[l.name]; {
			case !f.edit.CanSet(path):
				f.Skip(AlreadySet, path...)
			case i == 0 && where != nil: // selectors are about Pods
				f.Skip(Immutable, where...)
			case len(validation.IsValidLabelValue(l.value)) > 0 || l.value == "":
				f.Skip(NameConflict, path...)
			default:
				f.Set(object.Quote(l.value), path...)
			}
		}
	}
}

// wantedLabels returns the labels of the Profile with their values for this object; false where one needs what is not known.
func (f *Filling) wantedLabels() (wanted []label, ok bool) {
	values, names := f.Spec.Defaults.Labels.Values, f.Names("")
	fill := strings.NewReplacer("{app}", names.App, "{namespace}", f.NamespaceName, "{environment}", names.Environment)
	for _, l := range []label{
		{convention.NameLabel, values.Name},
		{labelPrefix + "component", values.Component},
		{labelPrefix + "part-of", values.PartOf},
		{labelPrefix + "managed-by", values.ManagedBy},
	} {
		if f.Namespace == nil && strings.Contains(l.value, "{environment}") {
			return nil, false
		}
		if l.value != "" {
			wanted = append(wanted, label{l.name, fill.Replace(l.value)})
		}
	}
	return wanted, true
}

// selectedLabels returns the labels that selectors of the object name, each with the place of one that does.
func selectedLabels(o *object.Object, t *object.Template) map[string][]string {
	all := map[string][]string{}
	for name := range o.Root.Get("spec", "selector").Members() {
		all[name] = []string{"spec", "selector", name} // a ReplicationController's; matchLabels and matchExpressions are no labels
	}
	collectSelected(o.Root.Get("spec", "selector"), []string{"spec", "selector"}, all)
	for _, name := range []string{"affinity", "topologySpreadConstraints"} {
		collectSelected(t.Node.Get("spec", name), t.Spec(name), all)
	}
	return all
}

func collectSelected(n *object.Node, path []string, all map[string][]string) {
	for i, e := range n.Elements() {
		collectSelected(e, object.Join(path, itoa(i)), all)
	}
	for name, member := range n.Members() {
		at := object.Join(path, name)
		switch name {
		case "matchLabels":
			for l := range member.Members() {
				all[l] = object.Join(at, l)
			}
		case "matchExpressions":
			for i, e := range member.Elements() {
				all[e.Get("key").Str()] = object.Join(at, itoa(i), "key")
			}
		case "matchLabelKeys", "mismatchLabelKeys":
			for i, e := range member.Elements() {
				all[e.Str()] = object.Join(at, itoa(i))
			}
		default:
			collectSelected(member, at, all)
		}
	}
}
