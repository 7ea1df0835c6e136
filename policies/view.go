package policies

import (
	"errors"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/demand"
	"github.com/gesso-dev/gesso/policies/value"
)

// view is one review as policies see it: everything but the parameters, which differ from policy to policy. It refers to the parsed
// request and never copies from it. A field that nobody reads is not there, see need.
//
//	input.request      the AdmissionRequest
//	input.user         {name, groups, platform}: who asks
//	input.pod          the Pod spec, wherever the kind keeps it; absent for kinds without one
//	input.containers   every container of every sort: its own fields and kind, path, ref
//	input.images       every image: those of the containers and of image volumes, as kind, name, path, image, ref
//	input.namespace    {name, labels, annotations}; absent for objects without a namespace
//	input.inventory    the other objects that the policy declares in METADATA: input.inventory.<name>[key][id]
//	input.environment, input.app, input.expected, input.parameters
type view struct {
	fields  [][2]*ast.Term
	request *ast.Term
}

// The reasons why a review cannot be judged at all. They hold nothing of the request.
var (
	errNotJSON   = errors.New("the request is not valid JSON")
	errNotObject = errors.New("the request is not a JSON object")
	errExpected  = errors.New("what the convention expects is not JSON")
)

// newView parses the request, once for all policies, as far as n says; nil stands for everything.
func newView(r Review, n *need) (*view, error) {
	if n == nil {
		n = newNeed(r.Group, r.Kind, nil)
	}
	parsed, err := value.Parse(r.Request, n.request)
	if err != nil {
		return nil, errNotJSON
	}
	request, isObject := parsed.(ast.Object)
	if !isObject {
		return nil, errNotObject
	}
	v := &view{fields: make([][2]*ast.Term, 0, fieldsOfView), request: ast.NewTerm(request)}
	v.add("request", v.request)
	if n.user {
		v.add("user", ast.ObjectTerm(
			ast.Item(value.Text("name"), value.Text(r.User.Name)),
			ast.Item(value.Text("groups"), textList(r.User.Groups)),
			ast.Item(value.Text("platform"), ast.InternedTerm(r.User.Platform)),
		))
	}
	if err := v.addNames(r, n); err != nil {
		return nil, err
	}
	if r.Namespace != nil && n.namespace != nil {
		v.add("namespace", ast.ObjectTerm(
			ast.Item(value.Text("name"), value.Text(r.Namespace.Name)),
			ast.Item(value.Text("labels"), texts(r.Namespace.Labels, member(n.namespace, "labels"))),
			ast.Item(value.Text("annotations"), texts(r.Namespace.Annotations, member(n.namespace, "annotations"))),
		))
	}
	pod := podOf(n.podPath, field(v.request, "object"))
	if pod.spec != nil && n.pod {
		v.add("pod", pod.spec)
	}
	containers, images := pod.list(n)
	v.add("containers", ast.ArrayTerm(containers...))
	v.add("images", ast.ArrayTerm(images...))
	return v, nil
}

// fieldsOfView is how many fields an input has at most, parameters and inventory among them.
const fieldsOfView = 11

// addNames adds what the convention derives. It is not asked where nobody reads that.
func (v *view) addNames(r Review, n *need) error {
	if !n.environment && !n.app && n.expected == nil {
		return nil
	}
	names := r.names(n.expected != nil)
	if n.environment {
		v.add("environment", value.Text(names.Environment))
	}
	if n.app {
		v.add("app", value.Text(names.App))
	}
	if n.expected == nil {
		return nil
	}
	items := make([][2]*ast.Term, 0, len(names.Expected))
	for name, content := range names.Expected { // the order does not matter: an object has none
		if member(n.expected, name) == nil {
			continue
		}
		expected, err := ast.InterfaceToValue(content)
		if err != nil {
			return errExpected
		}
		items = append(items, ast.Item(value.Text(name), ast.NewTerm(expected)))
	}
	v.add("expected", ast.ObjectTerm(items...))
	return nil
}

func (v *view) add(name string, content *ast.Term) {
	v.fields = append(v.fields, ast.Item(value.Text(name), content))
}

// input is what one policy gets; inventory is nil for one that declares none.
func (v *view) input(parameters, inventory *ast.Term) ast.Value {
	var room [fieldsOfView][2]*ast.Term
	fields := append(append(room[:0], v.fields...), ast.Item(value.Text("parameters"), parameters))
	if inventory != nil {
		fields = append(fields, ast.Item(value.Text("inventory"), inventory))
	}
	return ast.NewObject(fields...)
}

// namespaceName is the quoted namespace of the request and a blank, or nothing.
func (v *view) namespaceName() string {
	if name, ok := text(field(v.request, "namespace")); ok && name != "" {
		return strconv.Quote(name) + " "
	}
	return ""
}

// field returns a field of an object, or nil where there is none, where the term is no object, and where the field is null: the API
// server takes null for absent.
func field(term *ast.Term, name string) *ast.Term {
	if term == nil {
		return nil
	}
	object, isObject := term.Value.(ast.Object)
	if !isObject {
		return nil
	}
	found := object.Get(value.Text(name))
	if found == nil {
		return nil
	}
	if _, isNull := found.Value.(ast.Null); isNull {
		return nil
	}
	return found
}

// text returns a term as text; ok is false when it is nil or of another type.
func text(term *ast.Term) (content string, ok bool) {
	if term == nil {
		return "", false
	}
	s, ok := term.Value.(ast.String)
	return string(s), ok
}

// texts is a map as an object: the keys that are asked for.
func texts(m map[string]string, want *demand.Node) *ast.Term {
	items := make([][2]*ast.Term, 0, len(m))
	for key, content := range m { // the order does not matter: an object has none
		if member(want, key) != nil {
			items = append(items, ast.Item(value.Text(key), value.Text(content)))
		}
	}
	return ast.ObjectTerm(items...)
}

func textList(list []string) *ast.Term {
	items := make([]*ast.Term, 0, len(list))
	for _, item := range list {
		items = append(items, value.Text(item))
	}
	return ast.ArrayTerm(items...)
}
