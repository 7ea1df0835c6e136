# METADATA
# title: Images come from registries that the platform knows
# description: |
#   An image from anywhere runs code that nobody here has built, scanned or keeps. Every container of every sort and every image
#   volume must come from one of the listed registries. A registry is compared whole, host and port, and a prefix of the repository
#   by whole segments, so that a name which only begins like an allowed one is refused. An image without a registry comes from
#   docker.io. Where no registry is listed, none has been chosen and nothing is refused.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/#image-names
# custom:
#   gesso:
#     match:
#       pods: true
#     action: warn
#     parameters:
#       type: object
#       properties:
#         registries:
#           description: |
#             Registries (registry.example, registry.example:5000) and prefixes of repositories (registry.example/team-a). Official
#             images of the Docker Hub are docker.io/library. Empty: every registry is allowed.
#           type: array
#           items:
#             type: string
#             pattern: '^(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:[0-9]+|[a-z0-9-]*[A-Z][A-Za-z0-9-]*|\[[0-9a-fA-F:]+\])(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/?$'
#           default: []
package gesso.policies.image_registry

import data.gesso.lib
import data.gesso.lib.images
import data.gesso.lib.pods

deny contains lib.violation(image.path, sprintf("%s: %s", [pods.subject(image), wrong]), fix) if {
	count(input.parameters.registries) > 0
	some image in input.images
	[wrong, fix] := _wrong(image)
}

# _wrong gives what is wrong with an image and what to write instead. It is undefined for a good one.
_wrong(image) := [sprintf("the image %s, so that nobody knows its registry", [image.ref.reason]), _use] if {
	not image.ref.ok
	image.image == ""
} else := [sprintf("image %q %s, so that nobody knows its registry", [image.image, image.ref.reason]), _rewrite(image.ref)] if {
	not image.ref.ok
} else := [sprintf("image %q comes from %s, which is not allowed", [image.image, images.whole(image.ref)]), _lower(image.ref)] if {
	not images.under(image.ref, input.parameters.registries)
	images.under(_lowered(image.ref), input.parameters.registries)
} else := [sprintf("image %q comes from %s, which is not allowed", [image.image, images.whole(image.ref)]), _use] if {
	not images.under(image.ref, input.parameters.registries)
}

_lowered(ref) := object.union(ref, {"registry": lower(ref.registry)})

_lower(ref) := sprintf("write the registry in lower case: %s", [images.whole(_lowered(ref))])

_rewrite(ref) := sprintf("write %q", [ref.trimmed]) if {
	ref.reason == "has white space around it"
} else := _use

_use := sprintf("use an image from %s", [concat(" or ", input.parameters.registries)])
