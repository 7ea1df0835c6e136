package defaults

import "github.com/gesso-dev/gesso/api/v1alpha1"

// noServiceLinks
//
//	Field:    enableServiceLinks of the pod
//	Set when: the field is absent
//	To:       false
//	Why:      otherwise each container gets several environment variables for every Service of its namespace: some hundreds in a large one,
//	          which slow the start, tell what else is there, and hide what the app was given. DNS finds Services without them.
//	Since:    0.1
//	Not when: a bare Pod: the API server has filled the field with true before any webhook is asked.
//	Opt out:  gesso.dev/no-service-links: "false" on the pod template; or enableServiceLinks: true
func noServiceLinks() Default {
	return Default{
		ID:      "no-service-links",
		Kinds:   workloads(),
		Paths:   []string{"template.spec.enableServiceLinks"},
		Setting: func(d *v1alpha1.Defaults) v1alpha1.DefaultSetting { return d.NoServiceLinks },
		Fill:    func(f *Filling) { f.fillTemplateOnly("enableServiceLinks") },
	}
}
