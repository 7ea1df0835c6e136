package record

import (
	"strings"
)

// Reserved begins the name of every element that Gesso makes: a sidecar, a volume. Elements of other names are never taken out.
const Reserved = "gesso-"

// Scratch begins the names of the volumes that are made for a container of any name, where it may write.
const Scratch = Reserved + "tmp-"

// Families are the paths that any version of any default may write, as [github.com/gesso-dev/gesso/defaults.Default] names them.
// The list only grows: a record that an older version wrote must still be understood when its default is gone. A family is
// added one release before a default uses it. [] is any element of a list; at the end it is the whole element, which then is one
// that only Gesso makes.
func Families() []string {
	return []string{
		"template.metadata.annotations[kubectl.kubernetes.io/default-container]",
		"template.metadata.annotations[eks.amazonaws.com/skip-containers]",
		"template.metadata.labels[app.kubernetes.io/name]",
		"template.metadata.labels[app.kubernetes.io/component]",
		"template.metadata.labels[app.kubernetes.io/part-of]",
		"template.metadata.labels[app.kubernetes.io/managed-by]",
		"template.metadata.labels[app.kubernetes.io/version]",
		"template.spec.automountServiceAccountToken",
		"template.spec.enableServiceLinks",
		"template.spec.securityContext.runAsNonRoot",
		"template.spec.securityContext.seccompProfile.type",
		"template.spec.securityContext.fsGroup",
		"template.spec.volumes[]",
		"template.spec.initContainers[]",
		"template.spec.containers[].resources.requests.cpu",
		"template.spec.containers[].resources.requests.memory",
		"template.spec.containers[].resources.limits.cpu",
		"template.spec.containers[].resources.limits.memory",
		"template.spec.containers[].securityContext.allowPrivilegeEscalation",
		"template.spec.containers[].securityContext.capabilities.drop",
		"template.spec.containers[].securityContext.readOnlyRootFilesystem",
		"template.spec.containers[].securityContext.runAsNonRoot",
		"template.spec.containers[].securityContext.seccompProfile.type",
		"template.spec.containers[].volumeMounts[]",
		"template.spec.initContainers[].resources.requests.cpu",
		"template.spec.initContainers[].resources.requests.memory",
		"template.spec.initContainers[].resources.limits.cpu",
		"template.spec.initContainers[].resources.limits.memory",
		"template.spec.initContainers[].securityContext.allowPrivilegeEscalation",
		"template.spec.initContainers[].securityContext.capabilities.drop",
		"template.spec.initContainers[].securityContext.readOnlyRootFilesystem",
		"template.spec.initContainers[].securityContext.runAsNonRoot",
		"template.spec.initContainers[].securityContext.seccompProfile.type",
		"template.spec.initContainers[].volumeMounts[]",
		"metadata.annotations[]",
		"metadata.labels[]",
		"spec.ingressClassName",
	}
}

// family is one of the list, split: "" stands for any element.
type family struct {
	tokens []string
	whole  bool // everything below the last token, too
}

var families = parseFamilies() //nolint:gochecknoglobals // a table that is made once and never written to

func parseFamilies() []family {
	var all []family
	for _, text := range Families() {
		rest, of := strings.CutPrefix(text, "template.")
		var f family
		if !of {
			f.tokens = append(f.tokens, objectSection)
		}
		f.whole = strings.HasSuffix(text, "[]")
		for rest != "" {
			end := strings.IndexAny(rest+".", ".[")
			f.tokens, rest = append(f.tokens, rest[:end]), rest[end:]
			if strings.HasPrefix(rest, "[") {
				shut := strings.IndexByte(rest, ']')
				f.tokens, rest = append(f.tokens, rest[1:shut]), rest[shut+1:]
			}
			rest = strings.TrimPrefix(rest, ".")
		}
		all = append(all, f)
	}
	return all
}

// inFamilies reports whether some version of some default may write the leaf at path.
func inFamilies(path []string) bool {
	for _, f := range families {
		if f.matches(path) {
			return true
		}
	}
	return false
}

// ofAnyContainer reports whether the leaf at path is one that defaults fill in containers of the author too, not only in those that
// Gesso makes.
func ofAnyContainer(path []string) bool {
	for _, f := range families {
		if (!f.whole || len(f.tokens) > 3) && f.matches(path) {
			return true
		}
	}
	return false
}

func (f *family) matches(path []string) bool {
	if len(path) < len(f.tokens) || len(path) > len(f.tokens) && !f.whole {
		return false
	}
	for i, want := range f.tokens {
		if want != "" && path[i] != want {
			return false
		}
	}
	return !f.whole || reservedElement(path[:len(f.tokens)])
}

// reservedElement reports whether the element at path has a name that only Gesso gives. Whether a mount is one shows only in the
// volume that it names.
func reservedElement(path []string) bool {
	if len(path) == 3 && (path[1] == "volumes" || path[1] == "initContainers") {
		return strings.HasPrefix(path[2], Reserved)
	}
	return true
}
