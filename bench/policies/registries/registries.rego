# METADATA
# title: Images come from known registries
# description: |
#   What runs in the cluster has been scanned, and only these registries scan.
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
#     parameters:
#       type: object
#       properties:
#         registries:
#           description: The registries there are.
#           type: array
#           items: {type: string}
#           default: [registry.example, mirror.example]
package gesso.policies.registries

import data.gesso.lib

deny contains lib.violation(image.path, message, fix) if {
	some image in input.images
	not image.ref.registry in input.parameters.registries
	message := sprintf("%s: image %q comes from %q", [lib.subject(image), image.image, image.ref.registry])
	fix := sprintf("use one of %s", [concat(", ", input.parameters.registries)])
}
