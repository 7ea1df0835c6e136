package defaults

import (
	"maps"
	"slices"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// legacyClassAnnotation named the class before spec.ingressClassName did; the AWS Load Balancer Controller still prefers it.
const legacyClassAnnotation = "kubernetes.io/ingress.class"

// ingressClass
//
//	Field:    spec.ingressClassName of an Ingress, and the annotations that the Profile asks for on Ingresses of its class
//	Set when: neither the field nor the annotation kubernetes.io/ingress.class is there. On UPDATE only what the old
//	          object had is put back (a PUT of the minimal manifest): an Ingress that has lived without a class is never
//	          moved.
//	To:       the Profile's class and annotations
//	Why:      one shared load balancer for everybody. Its rules belong to the author: spec.rules is never touched.
//	Since:    0.1
//	Opt out:  gesso.dev/ingress-class: "false" on the Ingress
func ingressClass() Default {
	return Default{
		ID:      "ingress-class",
		Kinds:   []Kind{{object.GroupKind{Group: "networking.k8s.io", Kind: "Ingress"}, "v1", "ingresses", []string{"CREATE", "UPDATE"}}},
		Paths:   []string{"spec.ingressClassName", "metadata.annotations[]"},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.IngressClass.DefaultSetting },
		Fill:    fillIngressClass,
	}
}

func fillIngressClass(f *Filling) {
	want := f.Spec.Defaults.IngressClass
	if want.Class == "" {
		f.Skip(NotConfigured, nil)
		return
	}
	class := []string{"spec", "ingressClassName"}
	legacy := []string{"metadata", "annotations", legacyClassAnnotation}
	filled := false
	switch {
	case f.Object.Root.Get(legacy...).Type() != object.Absent: // the API server makes "" of a null annotation, and refuses two classes
		f.Skip(AlreadySet, legacy)
		return // another class, as far as the controller is concerned
	case !f.CanSet(class):
		f.Skip(AlreadySet, class)
	case f.Operation == "CREATE":
		filled = f.Set(f.edit.Text(want.Class), class)
	case f.before(class).Type() == object.String:
		filled = f.Set(f.before(class), class)
	default:
		f.Skip(KeptUntilNextDeploy, class)
	}
	if !filled && f.Object.Root.Get(class...).Str() != want.Class {
		return // the author's own class
	}
	for _, name := range slices.Sorted(maps.Keys(want.Annotations)) {
		annotation := []string{"metadata", "annotations", name}
		if f.Operation == "CREATE" {
			f.Set(f.edit.Text(want.Annotations[name]), annotation)
		} else if before := f.before(annotation); before.Type() == object.String {
			f.Set(before, annotation)
		}
	}
}

// before returns what the old object has at path.
func (f *Filling) before(path []string) *object.Node {
	if f.Old == nil {
		return nil
	}
	return f.Old.Root.Get(path...)
}
