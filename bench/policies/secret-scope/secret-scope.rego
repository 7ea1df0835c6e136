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

deny contains _foreign(sprintf("%s.env[%d].valueFrom.secretKeyRef.name", [container.path, i]), name) if {
	some container in input.containers
	some i, variable in container.env
	name := variable.valueFrom.secretKeyRef.name
	not _own(name)
}

deny contains _foreign(sprintf("%s.envFrom[%d].secretRef.name", [container.path, i]), name) if {
	some container in input.containers
	some i, source in container.envFrom
	name := source.secretRef.name
	not _own(name)
}

deny contains _foreign(sprintf("%sspec.volumes[%d].secret.secretName", [template.path, i]), name) if {
	some i, volume in input.pod.volumes
	name := volume.secret.secretName
	not _own(name)
}

_foreign(field, name) := lib.violation(
	field,
	sprintf("the Secret %q does not belong to the app %q", [name, input.app]),
	sprintf("use a Secret called %s-<more>", [input.app]),
)

_own(name) if name == input.app

_own(name) if {
	input.app != ""
	startswith(name, sprintf("%s-", [input.app]))
}
