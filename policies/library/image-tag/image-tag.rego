# METADATA
# title: Images name what runs
# description: |
#   An image without a tag or digest, or with the tag latest in any spelling, is whatever was pushed last: two Pods of one
#   Deployment may run different code, and a rollback brings back nothing. Every container of every sort and every image
#   volume must name a tag that does not move, or a digest. A digest with the tag latest beside it only warns: the digest decides.
# related_resources:
#   - https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   gesso:
#     match:
#       pods: true
#     action: deny
package gesso.policies.image_tag

import data.gesso.lib

deny contains lib.violation(image.path, sprintf("%s: %s", [lib.subject(image), wrong]), fix) if {
	some image in input.images
	[wrong, fix] := _wrong(image)
}

warn contains lib.violation(image.path, message, fix) if {
	some image in input.images
	image.ref.digest != ""
	_latest(image.ref)
	message := sprintf("%s: image %q: the digest decides, and the tag %q misleads", [lib.subject(image), image.image, image.ref.tag])
	fix := sprintf("leave the tag out: %s@%s", [image.ref.name, image.ref.digest])
}

# _wrong gives what is wrong with an image and what to write instead. It is undefined for a good one.
_wrong(image) := [sprintf("the image %s", [image.ref.reason]), _rewrite(image.ref)] if {
	not image.ref.ok
	image.image == ""
} else := [sprintf("image %q %s", [image.image, image.ref.reason]), _rewrite(image.ref)] if {
	not image.ref.ok
} else := [sprintf("image %q: the tag %q moves", [image.image, image.ref.tag]), _commit(image.ref)] if {
	image.ref.digest == ""
	_latest(image.ref)
} else := [sprintf("image %q: no tag means %q, which moves", [image.image, "latest"]), _commit(image.ref)] if {
	image.ref.digest == ""
	image.ref.tag == ""
}

_latest(ref) if lower(ref.tag) == "latest"

_commit(ref) := sprintf("use the commit hash, for example %s:0123abc", [ref.name])

# _rewrite proposes what to write for a reference that cannot be read.
_rewrite(ref) := sprintf("write %q", [ref.trimmed]) if {
	ref.reason == "has white space around it"
} else := "write registry, repository and commit hash, for example registry.example/shop:0123abc"
