package defaults

import (
	"fmt"
	"slices"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/convention"
)

// modeIn returns the mode of a default in a namespace: that of the first entry which selects it, else the default's own. Where labels
// decide and the facts of the Namespace are missing, the mode is not known: a guess would be a filled field that nobody wanted, or one
// that is missing until the next deploy.
func modeIn(s v1alpha1.DefaultSetting, namespace string, facts *convention.Namespace) (mode v1alpha1.Mode, known bool) {
	var possible []v1alpha1.Mode
	for _, entry := range s.Namespaces {
		if len(entry.Names) > 0 && !slices.Contains(entry.Names, namespace) {
			continue
		}
		if facts != nil && !hasLabels(facts.Labels, entry.Labels) {
			continue
		}
		possible = append(possible, entry.Mode)
		if facts != nil || len(entry.Labels) == 0 {
			return agreed(possible)
		}
	}
	return agreed(append(possible, s.Mode))
}

func hasLabels(have, want map[string]string) bool {
	for name, value := range want {
		if got, found := have[name]; !found || got != value {
			return false
		}
	}
	return true
}

// agreed returns the one mode among those that are possible.
func agreed(possible []v1alpha1.Mode) (mode v1alpha1.Mode, known bool) {
	if slices.ContainsFunc(possible, func(m v1alpha1.Mode) bool { return m != possible[0] }) {
		return "", false
	}
	return possible[0], true
}

// somewhereOn reports whether there may be a namespace in which a default with this setting acts.
func somewhereOn(s v1alpha1.DefaultSetting) bool {
	return s.Mode != v1alpha1.ModeOff || slices.ContainsFunc(s.Namespaces, func(n v1alpha1.NamespaceMode) bool { return n.Mode != v1alpha1.ModeOff })
}

func modeUnknown(id, namespace string) string {
	return fmt.Sprintf("nothing was filled by %s: the labels of namespace %q are not known yet; apply the object again", id, namespace)
}
