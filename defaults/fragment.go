package defaults

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// reserved begins every name that Gesso gives to an element it makes.
const reserved = "gesso-"

// fragment is the Profile's sidecar, checked and ready to be filled in. A nil fragment is a sidecar that is not configured.
type fragment struct {
	name           string
	body           *object.Node // the container, with restartPolicy: Always
	volumes        []*object.Node
	ports          []corev1.ContainerPort
	needsNamespace bool // a string in it names the environment, which is a label of the Namespace
}

// named reports whether a container of that name is the sidecar.
func (s *fragment) named(name string) bool { return s != nil && s.name == name }

func (s *fragment) hasVolume(name string) bool {
	return slices.ContainsFunc(s.volumes, func(v *object.Node) bool { return v.Get("name").Str() == name })
}

// hasPort reports whether the sidecar has a port of that number or, where name is not empty, of that name.
func (s *fragment) hasPort(number int64, name string) bool {
	return slices.ContainsFunc(s.ports, func(p corev1.ContainerPort) bool {
		return int64(p.ContainerPort) == number || name != "" && p.Name == name
	})
}

func (s *fragment) container(fill *strings.Replacer) []byte { return replaceStrings(s.body, fill) }

// newFragment checks the Profile's sidecar against Kubernetes' own types and returns it, or nil where no image is given.
func newFragment(p *v1alpha1.Sidecar, at *field.Path) (*fragment, field.ErrorList) {
	if p.Container == nil || len(p.Container.Raw) == 0 || string(p.Container.Raw) == "null" {
		return nil, nil
	}
	var container corev1.Container
	body, errs := strictFragment(p.Container.Raw, &container, at.Child("container"), func(m map[string]any) {
		if m["restartPolicy"] == nil {
			m["restartPolicy"] = string(corev1.ContainerRestartPolicyAlways)
		}
	})
	s := &fragment{name: container.Name, body: body, ports: container.Ports}
	var volumeNames []string
	for i, v := range p.Volumes {
		var volume corev1.Volume
		node, vErrs := strictFragment(v.Raw, &volume, at.Child("volumes").Index(i), nil)
		if len(vErrs) == 0 {
			vErrs = reservedName(volume.Name, at.Child("volumes").Index(i).Child("name"))
		}
		if slices.Contains(volumeNames, volume.Name) {
			vErrs = append(vErrs, field.Duplicate(at.Child("volumes").Index(i).Child("name"), volume.Name))
		}
		errs = append(errs, vErrs...)
		s.volumes, volumeNames = append(s.volumes, node), append(volumeNames, volume.Name)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	if container.Image == "" {
		return nil, nil
	}
	errs = append(errs, checkContainer(&container, volumeNames, at.Child("container"))...)
	if len(errs) > 0 {
		return nil, errs
	}
	s.needsNamespace = bytes.Contains(body.Bytes(), []byte("{environment}"))
	for _, v := range s.volumes {
		s.needsNamespace = s.needsNamespace || bytes.Contains(v.Bytes(), []byte("{environment}"))
	}
	return s, nil
}

func checkContainer(c *corev1.Container, volumes []string, at *field.Path) field.ErrorList {
	errs := reservedName(c.Name, at.Child("name"))
	if c.RestartPolicy != nil && *c.RestartPolicy != corev1.ContainerRestartPolicyAlways {
		errs = append(errs, field.NotSupported(at.Child("restartPolicy"), *c.RestartPolicy, []corev1.ContainerRestartPolicy{corev1.ContainerRestartPolicyAlways}))
	}
	if !slices.ContainsFunc(c.Ports, func(p corev1.ContainerPort) bool { return p.Name == "proxy" }) {
		errs = append(errs, field.Required(at.Child("ports"), "one port must be called proxy: Services reach the sidecar by targetPort: proxy"))
	}
	for i, m := range c.VolumeMounts {
		if !slices.Contains(volumes, m.Name) {
			errs = append(errs, field.NotFound(at.Child("volumeMounts").Index(i).Child("name"), m.Name))
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

// strictFragment checks raw against into, a pointer to a Kubernetes type, decodes it, and returns it as a node with
// quantities in the form that the API server stores. change may edit the decoded members first.
func strictFragment(raw []byte, into any, at *field.Path, change func(map[string]any)) (*object.Node, field.ErrorList) {
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return nil, field.ErrorList{field.Invalid(at, "", err.Error())}
	}
	if errs := v1alpha1.CheckFields(value, into, at); len(errs) > 0 {
		return nil, errs
	}
	members, ok := value.(map[string]any)
	if !ok {
		return nil, field.ErrorList{field.Required(at, "want an object")}
	}
	if change != nil {
		change(members)
	}
	canonicalQuantities(members)
	raw = mustJSON(members)
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, field.ErrorList{field.Invalid(at, "", err.Error())}
	}
	node, err := object.Parse(raw)
	if err != nil {
		return nil, field.ErrorList{field.Invalid(at, "", err.Error())}
	}
	return node, nil
}

// canonicalQuantities rewrites requests, limits and sizeLimit, wherever they stand, in the canonical form: another one would
// come back changed from the API server.
func canonicalQuantities(members map[string]any) {
	canonical := func(v any) any {
		var text string
		switch v := v.(type) {
		case string:
			text = v
		case json.Number:
			text = v.String()
		default:
			return v
		}
		if q, err := resource.ParseQuantity(text); err == nil {
			return q.String()
		}
		return v
	}
	for name, value := range members {
		switch v := value.(type) {
		case map[string]any:
			if name == "requests" || name == "limits" {
				for k := range v {
					v[k] = canonical(v[k])
				}
				continue
			}
			canonicalQuantities(v)
		case []any:
			for _, e := range v {
				if m, ok := e.(map[string]any); ok {
					canonicalQuantities(m)
				}
			}
		default:
			if name == "sizeLimit" {
				members[name] = canonical(v)
			}
		}
	}
}

// replaceStrings writes n with fill applied to every string value in it; names of members stay.
func replaceStrings(n *object.Node, fill *strings.Replacer) []byte {
	switch n.Type() {
	case object.String:
		return object.Quote(fill.Replace(n.Str()))
	case object.Array:
		out := []byte{'['}
		for i, e := range n.Elements() {
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, replaceStrings(e, fill)...)
		}
		return append(out, ']')
	case object.Map:
		out := []byte{'{'}
		for name, v := range n.Members() {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(append(append(out, object.Quote(name)...), ':'), replaceStrings(v, fill)...)
		}
		return append(out, '}')
	default:
		return n.Bytes()
	}
}
