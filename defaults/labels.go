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
	d := Default{
		ID:      "labels",
		Kinds:   workloads(),
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.Labels.DefaultSetting },
		Fill:    fillLabels,
	}
	for _, name := range recommended() {
		d.Paths = append(d.Paths, "metadata.labels["+labelPrefix+name+"]", "template.metadata.labels["+labelPrefix+name+"]")
	}
	return d
}

// recommended are the labels that the default knows, without their prefix.
func recommended() []string { return []string{"name", "component", "part-of", "managed-by"} }

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
type label struct {
	name, value string
	node        *object.Node // of the value
	selected    []string     // the place of a selector that names it
}

func fillLabels(f *Filling) {
	if f.noContainers() {
		return
	}
	wanted, ok := f.wantedLabels()
	if !ok {
		f.Skip(NamespaceUnknown, []string{"metadata", "namespace"})
		f.Warn("no label was filled: the labels of namespace %q are not known yet; apply the object again", f.NamespaceName)
		return
	}
	if len(wanted) == 0 {
		f.Skip(NotConfigured, nil)
		return
	}
	f.findSelected(wanted)
	f.fillLabelsAt(f.metadata, wanted, true)
	if len(f.template.Path) > 0 && f.Operation == "CREATE" && !f.copiesLabels() {
		f.fillLabelsAt([]string{"metadata"}, wanted, false)
	}
}

// fillLabelsAt fills labels in some metadata: the template's, about which selectors are, or the object's own.
func (f *Filling) fillLabelsAt(metadata []string, wanted []label, template bool) {
	for i := range wanted {
		switch l := &wanted[i]; {
		case !f.CanSet(metadata, "labels", l.name):
			f.Skip(AlreadySet, metadata, "labels", l.name)
		case template && l.selected != nil:
			f.Skip(Immutable, l.selected)
		case len(validation.IsValidLabelValue(l.value)) > 0 || l.value == "":
			f.Skip(NameConflict, metadata, "labels", l.name)
		default:
			if l.node == nil {
				l.node = f.edit.Text(l.value)
			}
			f.Set(l.node, metadata, "labels", l.name)
		}
	}
}

// wantedLabels returns the labels of the Profile with their values for this object; false where one needs what is not known.
func (f *Filling) wantedLabels() (wanted []label, ok bool) {
	values := f.Spec.Defaults.Labels.Values
	fill := f.placeholders("")
	wanted = make([]label, 0, 4)
	for _, l := range [...]label{
		{name: convention.NameLabel, value: values.Name},
		{name: labelPrefix + "component", value: values.Component},
		{name: labelPrefix + "part-of", value: values.PartOf},
		{name: labelPrefix + "managed-by", value: values.ManagedBy},
	} {
		if f.Namespace == nil && strings.Contains(l.value, "{environment}") {
			return nil, false
		}
		if l.value != "" {
			wanted = append(wanted, label{name: l.name, value: fill.replace(l.value)})
		}
	}
	return wanted, true
}

// findSelected looks for the selectors of the object that name a wanted label, and keeps the place of the last one that does.
func (f *Filling) findSelected(wanted []label) {
	own := f.Object.Root.Get("spec", "selector")
	w := selectorWalk{f.work, wanted}
	if rc := (object.GroupKind{Kind: "ReplicationController"}); f.Object.GroupKind() == rc && own.Len() == 0 {
		for i := range wanted { // the API server will make a selector of all labels of the template
			wanted[i].selected = []string{"spec", "selector"}
		}
	}
	path := append(make([]string, 0, 16), "spec", "selector")
	for name := range own.Members() {
		w.found(name, path, name) // a ReplicationController's; matchLabels and matchExpressions are no labels
	}
	w.walk(own, path)
	for _, name := range [...]string{"affinity", "topologySpreadConstraints"} {
		w.walk(f.template.Node.Get("spec", name), append(append(path[:0], f.spec...), name))
	}
}

// selectorWalk goes through what may select Pods by labels.
type selectorWalk struct {
	*work
	wanted []label
}

func (w *selectorWalk) found(name string, path []string, tokens ...string) {
	for i := range w.wanted {
		if w.wanted[i].name == name {
			w.wanted[i].selected = w.path(path, tokens...)
		}
	}
}

func (w *selectorWalk) walk(n *object.Node, path []string) {
	for i, e := range n.Elements() {
		w.walk(e, append(path, itoa(i)))
	}
	for name, member := range n.Members() {
		at := append(path, name)
		switch name {
		case "matchLabels":
			for l := range member.Members() {
				w.found(l, at, l)
			}
		case "matchExpressions":
			for i, e := range member.Elements() {
				w.found(e.Get("key").Str(), at, itoa(i), "key")
			}
		case "matchLabelKeys", "mismatchLabelKeys":
			for i, e := range member.Elements() {
				w.found(e.Str(), at, itoa(i))
			}
		default:
			w.walk(member, at)
		}
	}
}
