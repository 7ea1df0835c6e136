package defaults

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/gesso-dev/gesso/internal/object"
)

// What Kubernetes' types do not say about a fragment. A mistake that only the API server finds would refuse every deploy in the
// cluster, so that it is better found when the Profile is loaded.

func checkContainer(s *fragment, at *field.Path) field.ErrorList {
	errs := reservedName(s.name, at.Child("name"))
	// Where it is absent beside another mistake, nothing was completed yet.
	if policy := s.body.Get("restartPolicy").Str(); policy != "" && policy != string(corev1.ContainerRestartPolicyAlways) {
		errs = append(errs, field.NotSupported(at.Child("restartPolicy"), policy, []corev1.ContainerRestartPolicy{corev1.ContainerRestartPolicyAlways}))
	}
	errs = append(errs, checkPorts(s.body.Get("ports"), at.Child("ports"))...)
	paths := map[string]bool{}
	for i, m := range s.body.Get("volumeMounts").Elements() {
		at := at.Child("volumeMounts").Index(i)
		if name := m.Get("name").Str(); !s.hasVolume(name) {
			errs = append(errs, field.NotFound(at.Child("name"), name))
		}
		switch path := m.Get("mountPath").Str(); {
		case path == "":
			errs = append(errs, field.Required(at.Child("mountPath"), ""))
		case paths[path]:
			errs = append(errs, field.Duplicate(at.Child("mountPath"), path))
		default:
			paths[path] = true
		}
	}
	return errs
}

func checkPorts(ports *object.Node, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	var seen []port
	for i, n := range ports.Elements() {
		p, at := portOf(n), at.Index(i)
		for _, msg := range validation.IsValidPortNum(int(p.number)) {
			errs = append(errs, field.Invalid(at.Child("containerPort"), p.number, msg))
		}
		if p.name != "" {
			for _, msg := range validation.IsValidPortName(p.name) {
				errs = append(errs, field.Invalid(at.Child("name"), p.name, msg))
			}
		}
		for _, other := range seen {
			if p.name != "" && p.name == other.name {
				errs = append(errs, field.Duplicate(at.Child("name"), p.name))
			}
			if p.number == other.number && p.protocol == other.protocol {
				errs = append(errs, field.Duplicate(at.Child("containerPort"), p.number))
			}
		}
		seen = append(seen, p)
	}
	if !slices.ContainsFunc(seen, func(p port) bool { return p.name == "proxy" }) {
		errs = append(errs, field.Required(at, "one port must be called proxy: Services reach the sidecar by targetPort: proxy"))
	}
	return errs
}

func checkVolumes(s *fragment, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	seen := map[string]bool{}
	for i, v := range s.volumes {
		at, name := at.Index(i), v.Get("name").Str()
		if v.Type() != object.Map {
			continue // said already
		}
		errs = append(errs, reservedName(name, at.Child("name"))...)
		if seen[name] {
			errs = append(errs, field.Duplicate(at.Child("name"), name))
		}
		seen[name] = true
		if strings.HasPrefix(name, tmpVolume) && name != volumeName(s.name, "/tmp") {
			errs = append(errs, field.Invalid(at.Child("name"), name, "names that begin with "+tmpVolume+" are those of read-only-root-filesystem"))
		}
		if v.Len() != 2 {
			errs = append(errs, field.Required(at, "want a name and one source"))
		}
	}
	return errs
}

func reservedName(name string, at *field.Path) field.ErrorList {
	var errs field.ErrorList
	if !strings.HasPrefix(name, reserved) {
		errs = append(errs, field.Invalid(at, name, "want a name that begins with "+reserved))
	}
	for _, msg := range validation.IsDNS1123Label(name) {
		errs = append(errs, field.Invalid(at, name, msg))
	}
	return errs
}

// appendNew appends more to errs without what is said about a field that errs speaks of already, or about one above or below:
// a value of the wrong type is not missing, too.
func appendNew(errs, more field.ErrorList) field.ErrorList {
	known := slices.Clone(errs)
	for _, e := range more {
		if !slices.ContainsFunc(known, func(k *field.Error) bool {
			return k.Field == e.Field || below(k.Field, e.Field) || below(e.Field, k.Field)
		}) {
			errs = append(errs, e)
		}
	}
	return errs
}

// below reports whether a field path leads further than another.
func below(inner, outer string) bool {
	return strings.HasPrefix(inner, outer+".") || strings.HasPrefix(inner, outer+"[")
}
