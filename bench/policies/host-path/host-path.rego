# METADATA
# title: Pods mount no folder of the node
# description: |
#   A folder of the node outlives the Pod, belongs to nobody, and may be the node's own.
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
package gesso.policies.host_path

import data.gesso.lib
import data.gesso.lib.template

deny contains lib.violation(field, message, "use a volume of the cluster, or emptyDir") if {
	some i, volume in input.pod.volumes
	path := volume.hostPath.path
	field := sprintf("%sspec.volumes[%d].hostPath", [template.path, i])
	message := sprintf("volume %q mounts %q of the node", [volume.name, path])
}
