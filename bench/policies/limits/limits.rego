# METADATA
# title: Containers have limits
# description: |
#   A container without limits may take what its neighbours need. Ephemeral containers cannot have any.
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
package gesso.policies.limits

import data.gesso.lib

deny contains lib.violation(field, message, sprintf("set %s", [field])) if {
	some container in input.containers
	container.kind != "ephemeral"
	some name in ["cpu", "memory"]
	not container.resources.limits[name]
	field := sprintf("%s.resources.limits.%s", [container.path, name])
	message := sprintf("%s: there is no %s limit", [lib.subject(container), name])
}
