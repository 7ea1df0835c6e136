# METADATA
# title: Objects say whose they are
# description: |
#   Without these labels nobody knows whom to call, or what belongs together.
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
#     parameters:
#       type: object
#       properties:
#         labels:
#           description: The labels that every object has.
#           type: array
#           items: {type: string}
#           default: [app.kubernetes.io/name, team]
package gesso.policies.required_labels

import data.gesso.lib

deny contains lib.violation(field, sprintf("there is no label %s", [name]), sprintf("add the label %s", [name])) if {
	some name in input.parameters.labels
	object.get(input.request.object, ["metadata", "labels", name], "") == ""
	field := sprintf("metadata.labels[%s]", [name])
}
