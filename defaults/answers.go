package defaults

import (
	"strings"

	"github.com/gesso-dev/gesso/internal/object"
)

// What authors answer by annotations: on the pod template, where they are read first, and on the object.

// answerPrefix begins the names of all of them.
const answerPrefix = "gesso.dev/"

// optOutName is the annotation by which a workload, or one container of it, refuses a default.
func optOutName(id, container string) string {
	if container != "" {
		return answerPrefix + id + "." + container
	}
	return answerPrefix + id
}

// answers returns the annotations in which an object answers: those of the pod template, nil where there are no such, and its own.
func answers(o *object.Object) (template, own *object.Node) {
	own = o.Root.Get("metadata", "annotations")
	if t := o.Template(); t != nil && len(t.Path) > 0 {
		template = t.Node.Get("metadata", "annotations")
	}
	return template, own
}

// answer looks for an annotation that answers something.
func answer(o *object.Object, name string) (value string, ok bool) {
	template, own := answers(o)
	if value, ok = template.Get(name).Text(); ok {
		return value, true
	}
	return own.Get(name).Text()
}

// answerPath says where an answer is, or where it would be.
func answerPath(o *object.Object, name string) []string {
	own := []string{"metadata", "annotations", name}
	t := o.Template()
	if t == nil || len(t.Path) == 0 {
		return own
	}
	template, others := answers(o)
	if template.Get(name).Type() != object.String && others.Get(name).Type() == object.String {
		return own
	}
	return object.Join(t.Path, own...)
}

// optOuts returns the names of all annotations of o that are an opt-out, nil for none. They are read once: there may be many containers,
// and many annotations.
func optOuts(o *object.Object) map[string]bool {
	template, own := answers(o)
	var out, seen map[string]bool // seen are the answers of the template
	for name, value := range template.Members() {
		if !strings.HasPrefix(name, answerPrefix) || value.Type() != object.String {
			continue
		}
		seen = with(seen, name)
		if isFalse(value) {
			out = with(out, name)
		}
	}
	for name, value := range own.Members() {
		if strings.HasPrefix(name, answerPrefix) && isFalse(value) && !seen[name] {
			out = with(out, name)
		}
	}
	return out
}

// isFalse reports whether an annotation says "false".
func isFalse(value *object.Node) bool {
	return value.Type() == object.String && (string(value.Bytes()) == `"false"` || value.Str() == "false")
}

// with adds name to a set, which is made where there is none.
func with(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[name] = true
	return set
}
