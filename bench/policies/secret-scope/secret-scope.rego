# METADATA
# title: Pods read the Secrets of their own app
# description: |
#   The name of a Secret is the app's, or begins with it and a dash. Whoever names another lives on somebody else's.
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
package gesso.policies.secret_scope

import data.gesso.lib
import data.gesso.lib.template

_references contains {"field": sprintf("%s.env[%d].valueFrom.secretKeyRef.name", [container.path, i]), "name": name} if {
	some container in input.containers
	some i, variable in container.env
	name := variable.valueFrom.secretKeyRef.name
}

_references contains {"field": sprintf("%s.envFrom[%d].secretRef.name", [container.path, i]), "name": name} if {
	some container in input.containers
	some i, source in container.envFrom
	name := source.secretRef.name
}

_references contains {"field": sprintf("%sspec.volumes[%d].secret.secretName", [template.path, i]), "name": name} if {
	some i, volume in input.pod.volumes
	name := volume.secret.secretName
}

deny contains lib.violation(reference.field, message, fix) if {
	some reference in _references
	not _own(reference.name)
	message := sprintf("the Secret %q does not belong to the app %q", [reference.name, input.app])
	fix := sprintf("use a Secret called %s-<more>", [input.app])
}

_own(name) if name == input.app

_own(name) if {
	input.app != ""
	startswith(name, sprintf("%s-", [input.app]))
}
