package policies

import (
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"

	"github.com/gesso-dev/gesso/policies/value"
)

// podView is a Pod spec and where it stands in its object. spec is nil when there is none.
type podView struct {
	spec *ast.Term
	path string
}

// podOf finds the Pod spec of an object, where its kind keeps it.
func podOf(path []string, object *ast.Term) podView {
	if path == nil {
		return podView{}
	}
	for _, name := range path {
		object = field(object, name)
	}
	return podView{spec: object, path: strings.Join(path, ".")}
}

// podPath is where a kind keeps its Pod spec, or nil for a kind that has none.
func podPath(group, kind string) []string {
	switch group + "/" + kind {
	case "/Pod":
		return []string{"spec"}
	case "/PodTemplate":
		return []string{"template", "spec"}
	case "/ReplicationController", "apps/DaemonSet", "apps/Deployment", "apps/ReplicaSet", "apps/StatefulSet", "batch/Job":
		return []string{"spec", "template", "spec"}
	case "batch/CronJob":
		return []string{"spec", "jobTemplate", "spec", "template", "spec"}
	}
	return nil
}

// containerList is a list of containers in a Pod spec, and what its elements are.
type containerList struct{ field, kind string }

func containerLists() [3]containerList {
	return [...]containerList{{"initContainers", "init"}, {"containers", "container"}, {"ephemeralContainers", "ephemeral"}}
}

// list builds input.containers and input.images, as far as they are needed. What is not of the type that it should be is listed all the
// same, with a reference that is not ok: no policy overlooks what nobody can read.
func (p podView) list(n *need) (containers, images []*ast.Term) {
	if p.spec == nil || !n.containers.listed && !n.images.listed {
		return nil, nil
	}
	l := lister{need: n, pod: p}
	if _, isObject := p.spec.Value.(ast.Object); !isObject {
		l.add(imageView{kind: "container", path: p.path, ref: noReference("cannot be read: the Pod spec is not an object")})
		return nil, l.images
	}
	for _, list := range containerLists() {
		each(field(p.spec, list.field), func(item *ast.Term, i int) { l.container(list, item, i) })
	}
	if n.images.listed {
		each(field(p.spec, "volumes"), l.volume)
	}
	return l.containers, l.images
}

// each visits the elements of a list, with their positions. What is no list is visited as if it were its own only element, at nowhere.
func each(list *ast.Term, visit func(item *ast.Term, i int)) {
	if list == nil {
		return
	}
	array, isArray := list.Value.(*ast.Array)
	if !isArray {
		visit(list, nowhere)
		return
	}
	for i := range array.Len() {
		visit(array.Elem(i), i)
	}
}

const nowhere = -1

// lister puts input.containers and input.images together.
type lister struct {
	need               *need
	pod                podView
	containers, images []*ast.Term
	fields             [][2]*ast.Term // of the container at hand; room that all of them share
}

// path is where an element of a list in the Pod spec stands, and what below it.
func (l *lister) path(list string, i int, below string) string {
	if i == nowhere {
		return l.pod.path + "." + list + below
	}
	return l.pod.path + "." + list + "[" + strconv.Itoa(i) + "]" + below
}

func (l *lister) container(list containerList, item *ast.Term, i int) {
	v := imageView{kind: list.kind}
	if policy, _ := text(field(item, "restartPolicy")); list.kind == "init" && policy == "Always" {
		v.kind = "sidecar"
	}
	if l.need.containers.path || l.need.images.path {
		v.path = l.path(list.field, i, ".image")
	}
	v.read(item, item, "image", l.need.containers.ref || l.need.images.ref)
	if l.need.containers.listed {
		l.containers = append(l.containers, l.term(item, v))
	}
	l.add(v)
}

func (l *lister) volume(item *ast.Term, i int) {
	source := field(item, "image")
	if source == nil {
		return
	}
	v := imageView{kind: "volume", path: l.path("volumes", i, ".image.reference")}
	v.read(item, source, "reference", l.need.images.ref)
	l.add(v)
}

// add adds an image.
func (l *lister) add(v imageView) {
	if l.need.images.listed {
		l.images = append(l.images, v.term(l.need.images))
	}
}

// term is a container with our three fields in the place of its own of these names.
func (l *lister) term(item *ast.Term, v imageView) *ast.Term {
	l.fields = l.fields[:0]
	if object, isObject := item.Value.(ast.Object); isObject {
		object.Foreach(func(key, content *ast.Term) {
			if name, _ := text(key); name != "kind" && name != "path" && name != "ref" {
				l.fields = append(l.fields, ast.Item(key, content))
			}
		})
	}
	if l.need.containers.kind {
		l.fields = append(l.fields, ast.Item(value.Text("kind"), value.Text(v.kind)))
	}
	if l.need.containers.path {
		l.fields = append(l.fields, ast.Item(value.Text("path"), ast.StringTerm(strings.TrimSuffix(v.path, ".image"))))
	}
	if l.need.containers.ref {
		l.fields = append(l.fields, ast.Item(value.Text("ref"), v.ref))
	}
	return ast.ObjectTerm(l.fields...) // it copies them
}

// imageView is an element of input.images.
type imageView struct {
	kind string
	path string // of the image
	// name and image are nil for an empty text, ref where nobody reads it.
	name, image, ref *ast.Term
}

// read fills in the name of item, and the image that holder has in a field.
func (v *imageView) read(item, holder *ast.Term, at string, withRef bool) {
	found := field(holder, at)
	v.name, v.image = onlyText(field(item, "name")), onlyText(found)
	if !withRef {
		return
	}
	_, isObject := holder.Value.(ast.Object)
	image, _ := text(found)
	switch {
	case !isObject:
		v.ref = noReference("cannot be read: what should hold it is not an object")
	case found != nil && v.image == nil:
		v.ref = noReference("is not text")
	default:
		v.ref = parseReference(image).term()
	}
}

func noReference(reason string) *ast.Term { return imageRef{Reason: reason}.term() }

// onlyText returns a term that is a text, else nil.
func onlyText(term *ast.Term) *ast.Term {
	if _, isText := text(term); isText {
		return term
	}
	return nil
}

func (v *imageView) term(n elementNeed) *ast.Term {
	var room [5][2]*ast.Term
	fields := room[:0]
	add := func(needed bool, name string, content *ast.Term) {
		if content == nil {
			content = value.Text("")
		}
		if needed {
			fields = append(fields, ast.Item(value.Text(name), content))
		}
	}
	add(n.kind, "kind", value.Text(v.kind))
	add(n.name, "name", v.name)
	if n.path {
		add(true, "path", ast.StringTerm(v.path))
	}
	add(n.image, "image", v.image)
	add(n.ref, "ref", v.ref)
	return ast.ObjectTerm(fields...)
}

// term has every field whether the reference is ok or not: an absent one would be undefined in Rego, and what is undefined allows.
func (r imageRef) term() *ast.Term {
	return ast.ObjectTerm(
		ast.Item(value.Text("ok"), ast.InternedTerm(r.OK)),
		ast.Item(value.Text("reason"), value.Text(r.Reason)),
		ast.Item(value.Text("registry"), value.Text(r.Registry)),
		ast.Item(value.Text("repository"), value.Text(r.Repository)),
		ast.Item(value.Text("tag"), value.Text(r.Tag)),
		ast.Item(value.Text("digest"), value.Text(r.Digest)),
		ast.Item(value.Text("name"), value.Text(r.Name)),
		ast.Item(value.Text("trimmed"), value.Text(r.Trimmed)),
	)
}
