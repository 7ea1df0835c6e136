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

// answers returns the annotations in which an object answers: those of its pod template, nil where there are no such, and its own.
func answers(o *object.Object, t *object.Template) (template, own *object.Node) {
	own = o.Root.Get("metadata", "annotations")
	if t != nil && len(t.Path) > 0 {
		template = t.Node.Get("metadata", "annotations")
	}
	return template, own
}

// answer looks for an annotation that answers something.
func (w *work) answer(name string) (value string, ok bool) {
	template, own := answers(w.Object, w.template)
	if value, ok = template.Get(name).Text(); ok {
		return value, true
	}
	return own.Get(name).Text()
}

// answerPath says where an answer is, or where it would be.
func answerPath(o *object.Object, t *object.Template, name string) []string {
	path := []string{"metadata", "annotations", name}
	if t == nil || len(t.Path) == 0 {
		return path
	}
	template, own := answers(o, t)
	if template.Get(name).Type() != object.String && own.Get(name).Type() == object.String {
		return path
	}
	return object.Join(t.Path, path...)
}

// optOuts returns the names of all annotations of o that are an opt-out, nil for none. They are read once: there may be many containers,
// and many annotations.
func optOuts(o *object.Object, t *object.Template) map[string]bool {
	template, own := answers(o, t)
	var out, seen map[string]bool // seen are the answers of the template
	for name, value := range template.Members() {
		if !strings.HasPrefix(name, answerPrefix) || value.Type() != object.String {
			continue
		}
		if own.Len() > 0 {
			seen = with(seen, name)
		}
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

// isFalse reports whether an annotation says "false", however that is spelled.
func isFalse(value *object.Node) bool {
	const longest = len(`"\u0066\u0061\u006c\u0073\u0065"`)
	return value.Type() == object.String && len(value.Bytes()) <= longest && value.Is("false")
}

// with adds name to a set, which is made where there is none.
func with(set map[string]bool, name string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[name] = true
	return set
}
