# METADATA
# title: Images do not move
# description: |
#   An image without a tag, or with the tag latest, is whatever was pushed last. A digest does not move.
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
package gesso.policies.latest_tag

import data.gesso.lib

deny contains lib.violation(image.path, message, fix) if {
	some image in input.images
	image.ref.digest == ""
	lower(image.ref.tag) in {"", "latest"}
	message := sprintf("%s: image %q moves", [lib.subject(image), image.image])
	fix := sprintf("name a version, for example %s:1.2.3", [image.ref.name])
}
