package defaults

import (
	"slices"

	"github.com/gesso-dev/gesso/api/v1alpha1"
	"github.com/gesso-dev/gesso/internal/convention"
)

// modeUnknown is the mode of a default where it cannot be told.
const modeUnknown v1alpha1.Mode = "unknown"

// modeIn returns the mode of a default in a namespace: that of the first entry which selects it, else the default's own. Where labels
// decide and the facts of the Namespace are missing, the mode is not known: a guess would be a filled field that nobody wanted, or one
// that is missing until the next deploy.
func modeIn(s v1alpha1.DefaultSetting, namespace string, facts *convention.Namespace) v1alpha1.Mode {
	var mode v1alpha1.Mode // the one that all entries agree on which may select the namespace
	for i := range s.Namespaces {
		entry := &s.Namespaces[i]
		if len(entry.Names) > 0 && !slices.Contains(entry.Names, namespace) {
			continue
		}
		if facts != nil && !hasLabels(facts.Labels, entry.Labels) {
			continue
		}
		mode = agreed(mode, entry.Mode)
		if facts != nil || len(entry.Labels) == 0 {
			return mode
		}
	}
	return agreed(mode, s.Mode)
}

func hasLabels(have, want map[string]string) bool {
	for name, value := range want {
		if got, found := have[name]; !found || got != value {
			return false
		}
	}
	return true
}

// agreed returns the one mode of those before, if there was any, and the next; modeUnknown where there are two.
func agreed(before, next v1alpha1.Mode) v1alpha1.Mode {
	if before == "" || before == next {
		return next
	}
	return modeUnknown
}

// somewhereOn reports whether there may be a namespace in which a default with this setting acts.
func somewhereOn(s v1alpha1.DefaultSetting) bool {
	return s.Mode != v1alpha1.ModeOff || slices.ContainsFunc(s.Namespaces, func(n v1alpha1.NamespaceMode) bool { return n.Mode != v1alpha1.ModeOff })
}
