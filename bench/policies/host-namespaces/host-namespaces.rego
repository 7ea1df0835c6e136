# METADATA
# title: Pods stay out of the node's namespaces
# description: |
#   A Pod in the network, process or IPC namespace of its node sees and reaches what is not its own.
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
package gesso.policies.host_namespaces

import data.gesso.lib
import data.gesso.lib.template

deny contains lib.violation(field, sprintf("the Pod uses the node's namespace: %s", [name]), sprintf("leave %s out", [name])) if {
	some name in ["hostNetwork", "hostPID", "hostIPC"]
	input.pod[name] == true
	field := sprintf("%sspec.%s", [template.path, name])
}
