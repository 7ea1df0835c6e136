# METADATA
# title: Containers drop what they do not need
# description: |
#   Every capability that is kept is one that an attacker finds.
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
#     parameters:
#       type: object
#       properties:
#         allowed:
#           description: Capabilities that may be added.
#           type: array
#           items: {type: string}
#           default: [NET_BIND_SERVICE]
package gesso.policies.capabilities

import data.gesso.lib

deny contains lib.violation(field, sprintf("%s does not drop ALL", [lib.subject(container)]), sprintf("set %s: [ALL]", [field])) if {
	some container in input.containers
	not "ALL" in object.get(container, ["securityContext", "capabilities", "drop"], [])
	field := sprintf("%s.securityContext.capabilities.drop", [container.path])
}

deny contains lib.violation(field, sprintf("%s adds %s", [lib.subject(container), capability]), "leave it out") if {
	some container in input.containers
	some i, capability in container.securityContext.capabilities.add
	not capability in input.parameters.allowed
	field := sprintf("%s.securityContext.capabilities.add[%d]", [container.path, i])
}
