package gesso.policies.image_tag_test

import data.gesso.policies.image_tag

_digest := "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

# _image is an image as the engine hands it over; what a case does not say is as in a good one.
_image(image) := object.union(
	{"kind": "container", "name": "web", "path": "spec.containers[0].image", "image": "shop:0123abc"},
	object.union(image, {"ref": object.union(
		{
			"ok": true, "reason": "", "registry": "docker.io", "repository": "library/shop",
			"tag": "", "digest": "", "name": "shop", "trimmed": "shop",
		},
		image.ref,
	)}),
)

_messages(rule) := {message | some violation in rule; message := sprintf("%s; %s", [violation.message, violation.fix])}

_cases := [
	{"note": "a commit hash is accepted", "image": {"ref": {"tag": "0123abc"}}, "deny": set(), "warn": set()},
	{"note": "a digest is accepted", "image": {"ref": {"digest": _digest}}, "deny": set(), "warn": set()},
	{"note": "a tag and a digest are accepted", "image": {"ref": {"tag": "1.2", "digest": _digest}}, "deny": set(), "warn": set()},
	{"note": "a tag that begins with latest is accepted", "image": {"ref": {"tag": "latest-1"}}, "deny": set(), "warn": set()},
	{
		"note": "latest is refused", "image": {"image": "shop:latest", "ref": {"tag": "latest"}},
		"deny": {`container "web": image "shop:latest": the tag "latest" moves; use the commit hash, for example shop:0123abc`},
		"warn": set(),
	},
	{
		"note": "LATEST is refused", "image": {"image": "shop:LATEST", "ref": {"tag": "LATEST"}},
		"deny": {`container "web": image "shop:LATEST": the tag "LATEST" moves; use the commit hash, for example shop:0123abc`},
		"warn": set(),
	},
	{
		"note": "no tag is refused", "image": {"kind": "init", "image": "reg.example:5000/shop", "ref": {"name": "reg.example:5000/shop"}},
		"deny": {`init container "web": image "reg.example:5000/shop": no tag means "latest", which moves; use the commit hash, for example reg.example:5000/shop:0123abc`},
		"warn": set(),
	},
	{
		"note": "latest beside a digest warns",
		"image": {"kind": "sidecar", "image": sprintf("shop:latest@%s", [_digest]), "ref": {"tag": "Latest", "digest": _digest}},
		"deny": set(),
		"warn": {sprintf(`sidecar "web": image "shop:latest@%s": the digest decides, and the tag "Latest" misleads; leave the tag out: shop@%s`, [_digest, _digest])},
	},
	{
		"note": "white space is refused, even around a good image",
		"image": {"kind": "ephemeral", "image": "shop:1 ", "ref": {"ok": false, "reason": "has white space around it", "trimmed": "shop:1"}},
		"deny": {`ephemeral container "web": image "shop:1 " has white space around it; write "shop:1"`},
		"warn": set(),
	},
	{
		"note": "what cannot be read is refused",
		"image": {"image": "a b", "ref": {"ok": false, "reason": "is no valid image reference", "trimmed": "a b"}},
		"deny": {`container "web": image "a b" is no valid image reference; write registry, repository and commit hash, for example registry.example/shop:0123abc`},
		"warn": set(),
	},
	{
		"note": "an absent image is refused, in a volume too",
		"image": {"kind": "volume", "image": "", "ref": {"ok": false, "reason": "is empty", "trimmed": ""}},
		"deny": {`volume "web": the image is empty; write registry, repository and commit hash, for example registry.example/shop:0123abc`},
		"warn": set(),
	},
	{
		"note": "a container without a name is called by its place",
		"image": {"name": "", "path": "spec.containers[3].image", "image": "x:latest", "ref": {"tag": "latest", "name": "x"}},
		"deny": {`container at spec.containers[3].image: image "x:latest": the tag "latest" moves; use the commit hash, for example x:0123abc`},
		"warn": set(),
	},
]

test_image[case.note] if {
	some case in _cases
	images := [_image(case.image)]
	denied := image_tag.deny with input.images as images
	warned := image_tag.warn with input.images as images
	_messages(denied) == case.deny
	_messages(warned) == case.warn
	every violation in denied | warned {
		violation.field == images[0].path
	}
}

test_no_images_at_all if {
	count(image_tag.deny) == 0 with input as {"images": []}
	count(image_tag.warn) == 0 with input as {"images": []}
}

test_every_image_is_judged if {
	images := [_image({"path": path, "ref": {}}) | some path in ["a", "b", "c"]]
	denied := image_tag.deny with input.images as images
	{violation.field | some violation in denied} == {"a", "b", "c"}
}
