package policies

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"

	"github.com/open-policy-agent/opa/v1/ast"
)

// view is one review as policies see it: everything but the parameters, which differ from policy to policy. It refers to the parsed
// request and never copies from it.
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
	request ast.Object
}

// The reasons why a review cannot be judged at all. They hold nothing of the request.
var (
	errNotJSON   = errors.New("the request is not valid JSON")
	errNotObject = errors.New("the request is not a JSON object")
	errExpected  = errors.New("what the convention expects is not JSON")
)

// newView parses the request, once for all policies.
func newView(r Review) (*view, error) {
	if !json.Valid(r.Request) {
		return nil, errNotJSON
	}
	parsed, err := ast.ValueFromReader(bytes.NewReader(r.Request))
	if err != nil {
		return nil, errNotJSON
	}
	request, isObject := parsed.(ast.Object)
	if !isObject {
		return nil, errNotObject
	}
	names := r.names()
	expected := names.Expected
	if expected == nil {
		expected = map[string]any{}
	}
	expectation, err := ast.InterfaceToValue(expected)
	if err != nil {
		return nil, errExpected
	}
	v := &view{request: request}
	v.add("request", ast.NewTerm(request))
	v.add("user", ast.ObjectTerm(
		ast.Item(ast.InternedTerm("name"), ast.StringTerm(r.User.Name)),
		ast.Item(ast.InternedTerm("groups"), textList(r.User.Groups)),
		ast.Item(ast.InternedTerm("platform"), ast.InternedTerm(r.User.Platform)),
	))
	v.add("environment", ast.StringTerm(names.Environment))
	v.add("app", ast.StringTerm(names.App))
	v.add("expected", ast.NewTerm(expectation))
	if r.Namespace != nil {
		v.add("namespace", ast.ObjectTerm(
			ast.Item(ast.InternedTerm("name"), ast.StringTerm(r.Namespace.Name)),
			ast.Item(ast.InternedTerm("labels"), texts(r.Namespace.Labels)),
			ast.Item(ast.InternedTerm("annotations"), texts(r.Namespace.Annotations)),
		))
	}
	pod := podOf(r.Group, r.Kind, field(ast.NewTerm(request), "object"))
	if pod.spec != nil {
		v.add("pod", pod.spec)
	}
	containers, images := pod.list()
	v.add("containers", ast.ArrayTerm(containers...))
	v.add("images", ast.ArrayTerm(images...))
	return v, nil
}

func (v *view) add(name string, value *ast.Term) {
	v.fields = append(v.fields, ast.Item(ast.InternedTerm(name), value))
}

// input is what one policy gets; inventory is nil for one that declares none.
func (v *view) input(parameters, inventory *ast.Term) ast.Value {
	fields := make([][2]*ast.Term, 0, len(v.fields)+2)
	fields = append(append(fields, v.fields...), ast.Item(ast.InternedTerm("parameters"), parameters))
	if inventory != nil {
		fields = append(fields, ast.Item(ast.InternedTerm("inventory"), inventory))
	}
	return ast.NewObject(fields...)
}

// namespaceName is the quoted namespace of the request and a blank, or nothing.
func (v *view) namespaceName() string {
	if name, ok := text(field(ast.NewTerm(v.request), "namespace")); ok && name != "" {
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
	found := object.Get(ast.InternedTerm(name))
	if found == nil {
		return nil
	}
	if _, isNull := found.Value.(ast.Null); isNull {
		return nil
	}
	return found
}

// text returns a term as text; ok is false when it is nil or of another type.
func text(term *ast.Term) (value string, ok bool) {
	if term == nil {
		return "", false
	}
	s, ok := term.Value.(ast.String)
	return string(s), ok
}

func texts(m map[string]string) *ast.Term {
	items := make([][2]*ast.Term, 0, len(m))
	for key, value := range m { // the order does not matter: an object has none
		items = append(items, ast.Item(ast.StringTerm(key), ast.StringTerm(value)))
	}
	return ast.ObjectTerm(items...)
}

func textList(list []string) *ast.Term {
	items := make([]*ast.Term, 0, len(list))
	for _, item := range list {
		items = append(items, ast.StringTerm(item))
	}
	return ast.ArrayTerm(items...)
}
