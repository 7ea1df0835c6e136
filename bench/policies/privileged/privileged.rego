# METADATA
# title: No container is privileged
# description: |
#   A privileged container is root on the node.
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
package gesso.policies.privileged

import data.gesso.lib

deny contains lib.violation(field, sprintf("%s is privileged", [lib.subject(container)]), sprintf("leave %s out", [field])) if {
	some container in input.containers
	container.securityContext.privileged == true
	field := sprintf("%s.securityContext.privileged", [container.path])
}
