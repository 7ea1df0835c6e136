package record

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/object"
)

// shape says of an object in a template which of its members mean nothing, and where more such objects are.
type shape struct {
	implied    []field  // say what the API server would put there anyway (k8s.io/kubernetes/pkg/apis/core/v1, defaults)
	hollow     []string // mean the same empty as absent
	quantities []string // are written in one way; "*" is every member
	members    []part
	elements   []part // of members that are lists

	podSpec   bool // may have the old spelling of serviceAccountName
	container bool // has an imagePullPolicy that follows from its image
}

// field is a member with a value in canonical form.
type field struct{ name, value string }

// part is a member, or the elements of a list, of a shape of its own.
type part struct {
	name  string
	shape *shape
}

var template = templateShape() //nolint:gochecknoglobals // a table that is made once and never written to

func templateShape() *shape {
	just := func(name, value string) *shape { return &shape{implied: []field{{name, value}}} }
	scheme := &shape{members: []part{{"httpGet", just("scheme", `"HTTP"`)}}}
	probe := &shape{
		implied: []field{{"timeoutSeconds", "1"}, {"periodSeconds", "10"}, {"successThreshold", "1"}, {"failureThreshold", "3"}},
		members: scheme.members,
	}
	amounts := &shape{quantities: []string{"*"}}
	container := &shape{
		container: true,
		implied:   []field{{"terminationMessagePath", `"/dev/termination-log"`}, {"terminationMessagePolicy", `"File"`}},
		hollow:    []string{"resources", "securityContext", "env", "ports", "volumeMounts", "volumeDevices"},
		members: []part{
			{"resources", &shape{hollow: []string{"requests", "limits"}, members: []part{{"requests", amounts}, {"limits", amounts}}}},
			{"securityContext", &shape{hollow: []string{"capabilities"}}},
			{"livenessProbe", probe},
			{"readinessProbe", probe},
			{"startupProbe", probe},
			{"lifecycle", &shape{members: []part{{"postStart", scheme}, {"preStop", scheme}}}},
		},
		elements: []part{
			{"ports", just("protocol", `"TCP"`)},
			{"env", &shape{members: []part{{"valueFrom", &shape{members: []part{{"fieldRef", just("apiVersion", `"v1"`)}}}}}}},
		},
	}
	mode := just("defaultMode", "420")
	token := &shape{members: []part{{"serviceAccountToken", just("expirationSeconds", "3600")}}}
	volume := &shape{members: []part{
		{"configMap", mode},
		{"secret", mode},
		{"downwardAPI", mode},
		{"projected", &shape{implied: mode.implied, elements: []part{{"sources", token}}}},
		{"hostPath", just("type", `""`)},
		{"emptyDir", &shape{quantities: []string{"sizeLimit"}}},
	}}
	spec := &shape{
		podSpec: true,
		implied: []field{
			{"restartPolicy", `"Always"`},
			{"dnsPolicy", `"ClusterFirst"`},
			{"schedulerName", `"default-scheduler"`},
			{"terminationGracePeriodSeconds", "30"},
		},
		hollow:   []string{"securityContext", "volumes", "initContainers"},
		elements: []part{{"initContainers", container}, {"containers", container}, {"volumes", volume}},
	}
	return &shape{
		hollow:  []string{"metadata"},
		members: []part{{"metadata", &shape{hollow: []string{"annotations", "labels"}}}, {"spec", spec}},
	}
}

// essence returns a template in canonical form without what means nothing: what the API server would put there anyway, and objects and
// lists that mean the same empty as absent and that come and go with the client. Server-side apply drops a securityContext: {} that the
// API server put there. Others stay: an empty label selector selects all. Quantities are written in one way. In the API both templates of
// an UPDATE have it all; a manifest that is reviewed against what is stored has none of it, and is no change for that.
func essence(n *object.Node) []byte { return template.appendTo(make([]byte, 0, 1024), n) }

// appendTo appends n, which may be anything, as an object of this shape.
func (s *shape) appendTo(b []byte, n *object.Node) []byte {
	if s == nil || n.Type() != object.Map {
		return n.AppendCanonical(b)
	}
	var buf [32]int
	order, account := n.InOrder(buf[:0]), -1
	if s.podSpec {
		order, account = renameAccount(n, order)
	}
	b = append(b, '{')
	first := len(b)
	for _, at := range order {
		start := len(b)
		if start > first {
			b = append(b, ',')
		}
		name, value := n.MemberAt(at)
		if at == account {
			name = accountName
		}
		b = append(object.AppendQuote(b, name), ':')
		from := len(b)
		if b = s.appendMember(b, name, value); s.meansNothing(n, name, b[from:]) {
			b = b[:start]
		}
	}
	return append(b, '}')
}

func (s *shape) appendMember(b []byte, name string, value *object.Node) []byte {
	if slices.Contains(s.quantities, name) || len(s.quantities) > 0 && s.quantities[0] == "*" {
		return appendQuantity(b, value)
	}
	for _, p := range s.members {
		if p.name == name {
			return p.shape.appendTo(b, value)
		}
	}
	for _, p := range s.elements {
		if p.name == name && value.Type() == object.Array {
			b = append(b, '[')
			for i, e := range value.Elements() {
				if i > 0 {
					b = append(b, ',')
				}
				b = p.shape.appendTo(b, e)
			}
			return append(b, ']')
		}
	}
	return value.AppendCanonical(b)
}

// meansNothing reports whether a member of n with that value may as well be absent.
func (s *shape) meansNothing(n *object.Node, name string, value []byte) bool {
	for _, f := range s.implied {
		if f.name == name {
			return string(value) == f.value
		}
	}
	if s.container && name == "imagePullPolicy" {
		return len(value) > 2 && string(value[1:len(value)-1]) == PullPolicy(n.Get("image").Str())
	}
	return (string(value) == "{}" || string(value) == "[]") && slices.Contains(s.hollow, name)
}

// The two spellings of one field of a pod spec, the old one first. The API server keeps them the same.
const (
	oldAccountName = "serviceAccount"
	accountName    = "serviceAccountName"
)

// renameAccount puts the account of the old spelling in the place of the other in the order of members, and returns its position, -1
// where there is none.
func renameAccount(n *object.Node, order []int) ([]int, int) {
	if n.Get(oldAccountName).Missing() {
		return order, -1
	}
	account, place := -1, 0
	order = slices.DeleteFunc(order, func(at int) bool {
		name, _ := n.MemberAt(at)
		if name == oldAccountName {
			account = at
		}
		if name < accountName && name != oldAccountName {
			place++
		}
		return name == oldAccountName || name == accountName
	})
	return slices.Insert(order, place, account), account
}

// appendQuantity appends a quantity in the form that the API server stores; something else in canonical form.
func appendQuantity(b []byte, n *object.Node) []byte {
	from := len(b)
	b = n.AppendCanonical(b)
	if n.Type() == object.String && isCanonicalQuantity(b[from+1:len(b)-1]) {
		return b
	}
	text, ok := n.Text()
	if !ok {
		text = string(n.Bytes())
	}
	q, err := v1alpha1.ParseQuantity(text)
	if err != nil {
		return b
	}
	q.RoundUp(resource.Milli)
	return object.AppendQuote(b[:from], q.String())
}

// isCanonicalQuantity reports whether text is one of the usual quantities in the form that it has already. It saves reading most of them.
func isCanonicalQuantity(text []byte) bool {
	value, digits := 0, 0
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		value = value*10 + int(text[digits]-'0')
		digits++
		if value == 0 || digits > 5 {
			return false
		}
	}
	switch string(text[digits:]) {
	case "", "m", "k", "M", "G", "T":
		return value%1000 != 0
	case "Ki", "Mi", "Gi", "Ti":
		return value%1024 != 0
	}
	return false
}

// PullPolicy returns the imagePullPolicy that the API server gives a container that has none.
func PullPolicy(image string) string {
	name, _, digest := strings.Cut(image, "@")
	name = name[strings.LastIndex(name, "/")+1:] // a colon before it is a registry's port
	if _, tag, tagged := strings.Cut(name, ":"); tag == "latest" || !tagged && !digest {
		return "Always"
	}
	return "IfNotPresent"
}
