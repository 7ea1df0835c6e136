# METADATA
# title: The tag of an image is the commit that it was built from
# description: |
#   A version or the name of a branch can be pushed again; the hash of a commit says which code runs, and leads from a Pod to its
#   source. Every container of every sort and every image volume must have a tag that is a commit hash, or a digest. Images that
#   others build may have the tag of a whole version where their repository is listed.
# related_resources:
#   - https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-tag-mutability.html
# custom:
#   gesso:
#     match:
#       pods: true
#     action: warn
#     parameters:
#       type: object
#       properties:
#         semverRepositories:
#           description: |
#             Registries (quay.io) and prefixes of repositories (docker.io/library) whose tags may be whole semantic versions, such
#             as 1.27.3, v1.27.3 or 1.27.3-alpine. A tag such as 1.27 is none: it moves with each patch.
#           type: array
#           items:
#             type: string
#             pattern: '^(localhost|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+|[A-Za-z0-9.-]+:[0-9]+|[a-z0-9-]*[A-Z][A-Za-z0-9-]*|\[[0-9a-fA-F:]+\])(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/?$'
#           default: []
package gesso.policies.image_commit_tag

import data.gesso.lib
import data.gesso.lib.images
import data.gesso.lib.pods

deny contains lib.violation(image.path, sprintf("%s: %s", [pods.subject(image), wrong]), fix) if {
	some image in input.images
	[wrong, fix] := _wrong(image)
}

# _wrong gives what is wrong with an image and what to write instead. It is undefined for a good one.
_wrong(image) := [sprintf("the image %s", [image.ref.reason]), _rewrite(image.ref)] if {
	not image.ref.ok
	image.image == ""
} else := [sprintf("image %q %s", [image.image, image.ref.reason]), _rewrite(image.ref)] if {
	not image.ref.ok
} else := [sprintf("image %q has no tag, and so no commit", [image.image]), _use(image.ref)] if {
	image.ref.tag == ""
	image.ref.digest == ""
} else := [sprintf("image %q: the tag %q is no commit hash", [image.image, image.ref.tag]), _use(image.ref)] if {
	image.ref.digest == ""
	not _commit(image.ref.tag)
	not _version(image.ref)
}

_commit(tag) if regex.match(`^([0-9a-f]{7,40}|[0-9a-f]{64})$`, tag)

_version(ref) if {
	_third_party(ref)
	regex.match(`^v?[0-9]`, ref.tag)
	semver.is_valid(trim_prefix(ref.tag, "v"))
}

_third_party(ref) if images.under(ref, input.parameters.semverRepositories)

_use(ref) := sprintf("use a whole version, for example %s:1.2.3, or a digest", [ref.name]) if {
	_third_party(ref)
} else := sprintf("use the commit hash, for example %s:0123abc, or a digest", [ref.name])

# _rewrite proposes what to write for a reference that cannot be read.
_rewrite(ref) := sprintf("write %q", [ref.trimmed]) if {
	ref.reason == "has white space around it"
} else := "write registry, repository and commit hash, for example registry.example/shop:0123abc"
