package gesso.policies.image_registry_test

import data.gesso.policies.image_registry as policy

_ref(registry, repository) := {
	"ok": true, "reason": "", "registry": registry, "repository": repository,
	"tag": "0123abc", "digest": "", "name": "x", "trimmed": "x:0123abc",
}

_broken(reason, trimmed) := {
	"ok": false, "reason": reason, "registry": "", "repository": "",
	"tag": "", "digest": "", "name": "", "trimmed": trimmed,
}

_image(text, ref) := {"kind": "container", "name": "web", "path": "spec.containers[0].image", "image": text, "ref": ref}

_denied(images, registries) := denied if {
	denied := policy.deny with input as {"images": images, "parameters": {"registries": registries}}
}

_registries := ["111122223333.dkr.ecr.eu-west-1.amazonaws.com", "registry.example/team-a", "localhost:5000"]

test_accepted[case.text] if {
	some case in [
		{"text": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:0123abc", "ref": _ref("111122223333.dkr.ecr.eu-west-1.amazonaws.com", "shop")},
		{"text": "registry.example/team-a/shop:0123abc", "ref": _ref("registry.example", "team-a/shop")},
		{"text": "registry.example/team-a:0123abc", "ref": _ref("registry.example", "team-a")},
		{"text": "localhost:5000/shop:0123abc", "ref": _ref("localhost:5000", "shop")},
	]
	_denied([_image(case.text, case.ref)], _registries) == set()
}

test_refused[case.text] if {
	some case in [
		{"text": "111122223333.dkr.ecr.eu-west-1.amazonaws.com.evil.example/shop:1", "ref": _ref("111122223333.dkr.ecr.eu-west-1.amazonaws.com.evil.example", "shop")},
		{"text": "evil.example/111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:1", "ref": _ref("evil.example", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop")},
		{"text": "111122223333.dkr.ecr.eu-west-1.amazonaws.com:444/shop:1", "ref": _ref("111122223333.dkr.ecr.eu-west-1.amazonaws.com:444", "shop")},
		{"text": "registry.example/team-a-evil/shop:1", "ref": _ref("registry.example", "team-a-evil/shop")},
		{"text": "registry.example/shop:1", "ref": _ref("registry.example", "shop")},
		{"text": "localhost/shop:1", "ref": _ref("localhost", "shop")},
		{"text": "nginx:1", "ref": _ref("docker.io", "library/nginx")},
		{"text": "team-a/shop:1", "ref": _ref("docker.io", "team-a/shop")},
	]
	denied := _denied([_image(case.text, case.ref)], _registries)
	{violation.field | some violation in denied} == {"spec.containers[0].image"}
}

test_message if {
	_denied([_image("nginx:1", _ref("docker.io", "library/nginx"))], ["a.example", "b.example/c"]) == {{
		"field": "spec.containers[0].image",
		"message": `container "web": image "nginx:1" comes from docker.io/library/nginx, which is not allowed`,
		"fix": "use an image from a.example or b.example/c",
	}}
}

test_upper_case_is_another_registry if {
	_denied([_image("Registry.example/team-a/shop:1", _ref("Registry.example", "team-a/shop"))], _registries) == {{
		"field": "spec.containers[0].image",
		"message": `container "web": image "Registry.example/team-a/shop:1" comes from Registry.example/team-a/shop, which is not allowed`,
		"fix": "write the registry in lower case: registry.example/team-a/shop",
	}}
}

test_what_cannot_be_read[case.want] if {
	some case in [
		{"text": "", "ref": _broken("is empty", ""), "want": `container "web": the image is empty, so that nobody knows its registry; use an image from a.example`},
		{
			"text": "a.example/x ", "ref": _broken("has white space around it", "a.example/x"),
			"want": `container "web": image "a.example/x " has white space around it, so that nobody knows its registry; write "a.example/x"`,
		},
		{
			"text": "a b", "ref": _broken("is no valid image reference", "a b"),
			"want": `container "web": image "a b" is no valid image reference, so that nobody knows its registry; use an image from a.example`,
		},
	]
	denied := _denied([_image(case.text, case.ref)], ["a.example"])
	{text | some violation in denied; text := sprintf("%s; %s", [violation.message, violation.fix])} == {case.want}
}

test_no_registry_is_listed if {
	_denied([_image("nginx:1", _ref("docker.io", "library/nginx")), _image("", _broken("is empty", ""))], []) == set()
}

test_no_images if _denied([], ["a.example"]) == set()
