package defaults

import (
	"bytes"
	"encoding/json"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/defaults/record"
	"github.com/gesso-dev/gesso/internal/object"
)

// reserved begins every name that Gesso gives to an element it makes.
const reserved = record.Reserved

// fragment is the Profile's sidecar, checked and ready to be filled in. A nil fragment is a sidecar that is not configured.
type fragment struct {
	name           string
	body           *object.Node // the container, with restartPolicy: Always
	volumes        []*object.Node
	plain          *object.Node   // body and volumes as they are filled in: with strings escaped in one way
	plainVolumes   []*object.Node // in the order of volumes
	ports          []port
	needsNamespace bool // a string in it names the environment, which is a label of the Namespace
}

// port is a port of a container.
type port struct {
	number   int64
	name     string
	protocol string
}

// portOf reads an element of a container's ports; TCP is the API's default.
func portOf(n *object.Node) port {
	p := port{name: n.Get("name").Str(), protocol: n.Get("protocol").Str()}
	p.number, _ = n.Get("containerPort").Int()
	if p.protocol == "" {
		p.protocol = string(corev1.ProtocolTCP)
	}
	return p
}

// named reports whether a container of that name is the sidecar.
func (s *fragment) named(name string) bool { return s != nil && s.name == name }

func (s *fragment) hasVolume(name string) bool {
	return slices.ContainsFunc(s.volumes, func(v *object.Node) bool { return v.Get("name").Str() == name })
}

// takes reports whether the sidecar has a port that p could not have beside it: the same number for the same protocol, or the
// same name, by which a Service finds one of the two.
func (s *fragment) takes(p port) bool {
	return slices.ContainsFunc(s.ports, func(own port) bool {
		return own.number == p.number && own.protocol == p.protocol || p.name != "" && own.name == p.name
	})
}

// newFragment checks the Profile's sidecar against Kubernetes' own types and returns it, or nil where no image is given.
// Everything that is wrong is said at once.
func newFragment(p *v1alpha1.Sidecar, at *field.Path) (*fragment, field.ErrorList) {
	if p.Container == nil || len(p.Container.Raw) == 0 || string(p.Container.Raw) == "null" {
		return nil, nil
	}
	s := &fragment{}
	body, errs := strictFragment(p.Container.Raw, at.Child("container"), func(c *corev1.Container) {
		setIfNil(&c.RestartPolicy, corev1.ContainerRestartPolicyAlways)
		completeContainer(c)
	})
	s.body, s.name = body, body.Get("name").Str()
	for i, v := range p.Volumes {
		node, more := strictFragment(v.Raw, at.Child("volumes").Index(i), completeVolume)
		errs = append(errs, more...)
		s.volumes = append(s.volumes, node)
	}
	if body.Type() == object.Map {
		if len(errs) == 0 && body.Get("image").Str() == "" {
			return nil, nil
		}
		errs = appendNew(errs, checkContainer(s, at.Child("container")))
	}
	errs = appendNew(errs, checkVolumes(s, at.Child("volumes")))
	if len(errs) > 0 {
		return nil, errs
	}
	for _, p := range body.Get("ports").Elements() {
		s.ports = append(s.ports, portOf(p))
	}
	for _, n := range append(s.volumes, body) {
		s.needsNamespace = s.needsNamespace || bytes.Contains(n.Bytes(), []byte("{environment}"))
	}
	s.plain = plainly(s.body)
	for _, v := range s.volumes {
		s.plainVolumes = append(s.plainVolumes, plainly(v))
	}
	return s, nil
}

// plainly returns n with all of its strings written by [object.Quote], ready to stand in many objects at once.
func plainly(n *object.Node) *object.Node { return object.Constant(appendPlainly(nil, n)) }

func appendPlainly(b []byte, n *object.Node) []byte {
	switch n.Type() {
	case object.String:
		return object.AppendQuote(b, n.Str())
	case object.Array:
		b = append(b, '[')
		for i, e := range n.Elements() {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendPlainly(b, e)
		}
		return append(b, ']')
	case object.Map:
		b = append(b, '{')
		for name, v := range n.Members() {
			if b[len(b)-1] != '{' {
				b = append(b, ',')
			}
			b = append(object.AppendQuote(b, name), ':')
			b = appendPlainly(b, v)
		}
		return append(b, '}')
	default:
		return append(b, n.Bytes()...)
	}
}

// strictFragment checks raw against T, a Kubernetes type, and returns it in the form in which the API server stores it: complete,
// without what says nothing (null, an empty list, 0, false and "" where the type leaves them out), and with canonical quantities.
// Any other form would come back changed. The node is there beside errors where raw is an object, so that the other checks can go on.
func strictFragment[T any](raw []byte, at *field.Path, complete func(*T)) (*object.Node, field.ErrorList) {
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&value); err != nil && len(raw) > 0 { // an element that is null arrives as nothing
		return nil, field.ErrorList{field.Invalid(at, "", err.Error())}
	}
	var typed T
	errs := v1alpha1.CheckFields(value, &typed, at)
	if _, ok := value.(map[string]any); !ok {
		if len(errs) == 0 {
			errs = field.ErrorList{field.Required(at, "want an object")}
		}
		return nil, errs
	}
	if len(errs) == 0 {
		if err := json.Unmarshal(raw, &typed); err != nil {
			errs = append(errs, field.Invalid(at, "", err.Error()))
		} else {
			complete(&typed)
			raw = mustJSON(&typed)
		}
	}
	node, err := object.Parse(raw)
	if err != nil {
		return nil, append(errs, field.Invalid(at, "", err.Error()))
	}
	return node.Expanded(), errs
}
