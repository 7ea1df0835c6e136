package policies

import (
	"strconv"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// podView is a Pod spec and where it stands in its object. spec is nil when there is none.
type podView struct {
	spec *ast.Term
	path string
}

// podOf finds the Pod spec of an object, by the kind that the API server says it is of.
func podOf(group, kind string, object *ast.Term) podView {
	names := podPath(group, kind)
	if names == nil {
		return podView{}
	}
	for _, name := range names {
		object = field(object, name)
	}
	return podView{spec: object, path: strings.Join(names, ".")}
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

// list builds input.containers and input.images. What is not of the type that it should be is listed all the same, with a reference that
// is not ok: no policy overlooks what nobody can read.
func (p podView) list() (containers, images []*ast.Term) {
	if p.spec == nil {
		return nil, nil
	}
	if _, isObject := p.spec.Value.(ast.Object); !isObject {
		return nil, []*ast.Term{imageTerm("container", "", p.path, "", imageRef{Reason: "cannot be read: the Pod spec is not an object"})}
	}
	for _, sort := range []struct{ list, kind string }{
		{"initContainers", "init"}, {"containers", "container"}, {"ephemeralContainers", "ephemeral"},
	} {
		each(field(p.spec, sort.list), p.path+"."+sort.list, func(item *ast.Term, path string) {
			kind := sort.kind
			if policy, _ := text(field(item, "restartPolicy")); kind == "init" && policy == "Always" {
				kind = "sidecar"
			}
			image, ref := imageOf(item, "image")
			name, _ := text(field(item, "name"))
			containers = append(containers, containerTerm(item, kind, path, ref))
			images = append(images, imageTerm(kind, name, path+".image", image, ref))
		})
	}
	each(field(p.spec, "volumes"), p.path+".volumes", func(item *ast.Term, path string) {
		source := field(item, "image")
		if source == nil {
			return
		}
		image, ref := imageOf(source, "reference")
		name, _ := text(field(item, "name"))
		images = append(images, imageTerm("volume", name, path+".image.reference", image, ref))
	})
	return containers, images
}

// each visits the elements of a list. What is no list is visited as if it were its own only element.
func each(list *ast.Term, path string, visit func(item *ast.Term, path string)) {
	if list == nil {
		return
	}
	array, isArray := list.Value.(*ast.Array)
	if !isArray {
		visit(list, path)
		return
	}
	for i := range array.Len() {
		visit(array.Elem(i), path+"["+strconv.Itoa(i)+"]")
	}
}

// imageOf reads the image of a container or of an image volume.
func imageOf(holder *ast.Term, name string) (string, imageRef) {
	if _, isObject := holder.Value.(ast.Object); !isObject {
		return "", imageRef{Reason: "cannot be read: what should hold it is not an object"}
	}
	value := field(holder, name)
	if value == nil {
		return "", parseReference("")
	}
	image, isText := text(value)
	if !isText {
		return "", imageRef{Reason: "is not text"}
	}
	return image, parseReference(image)
}

// containerTerm is a container with our three fields over its own.
func containerTerm(item *ast.Term, kind, path string, ref imageRef) *ast.Term {
	var fields [][2]*ast.Term
	if object, isObject := item.Value.(ast.Object); isObject {
		fields = make([][2]*ast.Term, 0, object.Len()+3)
		object.Foreach(func(key, value *ast.Term) {
			fields = append(fields, ast.Item(key, value))
		})
	}
	return ast.ObjectTerm(append(fields, // the last of two equal keys counts, so these cannot be forged
		ast.Item(ast.InternedTerm("kind"), ast.InternedTerm(kind)),
		ast.Item(ast.InternedTerm("path"), ast.StringTerm(path)),
		ast.Item(ast.InternedTerm("ref"), ref.term()),
	)...)
}

func imageTerm(kind, name, path, image string, ref imageRef) *ast.Term {
	return ast.ObjectTerm(
		ast.Item(ast.InternedTerm("kind"), ast.InternedTerm(kind)),
		ast.Item(ast.InternedTerm("name"), ast.StringTerm(name)),
		ast.Item(ast.InternedTerm("path"), ast.StringTerm(path)),
		ast.Item(ast.InternedTerm("image"), ast.StringTerm(image)),
		ast.Item(ast.InternedTerm("ref"), ref.term()),
	)
}

// term has every field whether the reference is ok or not: an absent one would be undefined in Rego, and what is undefined allows.
func (r imageRef) term() *ast.Term {
	return ast.ObjectTerm(
		ast.Item(ast.InternedTerm("ok"), ast.InternedTerm(r.OK)),
		ast.Item(ast.InternedTerm("reason"), ast.StringTerm(r.Reason)),
		ast.Item(ast.InternedTerm("registry"), ast.StringTerm(r.Registry)),
		ast.Item(ast.InternedTerm("repository"), ast.StringTerm(r.Repository)),
		ast.Item(ast.InternedTerm("tag"), ast.StringTerm(r.Tag)),
		ast.Item(ast.InternedTerm("digest"), ast.StringTerm(r.Digest)),
		ast.Item(ast.InternedTerm("name"), ast.StringTerm(r.Name)),
		ast.Item(ast.InternedTerm("trimmed"), ast.StringTerm(r.Trimmed)),
	)
}
