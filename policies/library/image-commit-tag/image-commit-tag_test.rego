package gesso.policies.image_commit_tag_test

import data.gesso.policies.image_commit_tag as policy

_sha := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

_ref(ref) := object.union(
	{"ok": true, "reason": "", "registry": "docker.io", "repository": "library/shop", "tag": "", "digest": "", "name": "shop", "trimmed": "shop"},
	ref,
)

_denied(ref) := denied if {
	denied := policy.deny with input as {
		"images": [{"kind": "container", "name": "web", "path": "spec.containers[0].image", "image": "shop", "ref": _ref(ref)}],
		"parameters": {"semverRepositories": ["quay.io", "docker.io/library/nginx"]},
	}
}

test_commit[tag] if {
	some tag in ["0123abc", "01234567", "1234567", substring(_sha, 0, 40), _sha]
	_denied({"tag": tag}) == set()
}

test_no_commit[tag] if {
	some tag in [
		"latest",
		"main",
		"1.2.3",
		"v1.2.3",
		"012345",
		"0123ABC",
		"0123abg",
		"0123abc-dirty",
		"sha-0123abc",
		substring(_sha, 0, 41),
		substring(_sha, 0, 63),
		"release",
	]
	{violation.field | some violation in _denied({"tag": tag})} == {"spec.containers[0].image"}
}

test_digest[tag] if {
	some tag in ["", "latest", "1.2"]
	_denied({"tag": tag, "digest": sprintf("sha256:%s", [_sha])}) == set()
}

test_version_of_others[tag] if {
	some tag in ["1.27.3", "v1.27.3", "1.27.3-alpine3.20", "0.0.1-rc.1", "0123abc"]
	_denied({"repository": "library/nginx", "tag": tag}) == set()
	_denied({"registry": "quay.io", "repository": "a/b", "tag": tag}) == set()
}

test_no_version[tag] if {
	some tag in ["latest", "1.27", "1", "v1", "alpine", "vv1.2.3", "1.27.3.4", ""]
	count(_denied({"repository": "library/nginx", "tag": tag})) == 1
}

test_versions_are_for_listed_repositories_only[repository] if {
	some repository in ["library/nginx-evil", "library/shop", "nginx/nginx"]
	count(_denied({"repository": repository, "tag": "1.27.3"})) == 1
}

_text(denied) := {text | some violation in denied; text := sprintf("%s; %s", [violation.message, violation.fix])}

test_messages[case.want] if {
	some case in [
		{
			"ref": {"tag": "1.2"},
			"want": `container "web": image "shop": the tag "1.2" is no commit hash; use the commit hash, for example shop:0123abc, or a digest`,
		},
		{
			"ref": {"repository": "library/nginx", "name": "nginx", "tag": "1.2"},
			"want": `container "web": image "shop": the tag "1.2" is no commit hash; use a whole version, for example nginx:1.2.3, or a digest`,
		},
		{
			"ref": {},
			"want": `container "web": image "shop" has no tag, and so no commit; use the commit hash, for example shop:0123abc, or a digest`,
		},
		{
			"ref": {"ok": false, "reason": "has white space around it"},
			"want": `container "web": image "shop" has white space around it; write "shop"`,
		},
		{
			"ref": {"ok": false, "reason": "is not text"},
			"want": `container "web": image "shop" is not text; write registry, repository and commit hash, for example registry.example/shop:0123abc`,
		},
	]
	_text(_denied(case.ref)) == {case.want}
}

test_absent_image if {
	denied := policy.deny with input as {
		"images": [{"kind": "volume", "name": "m", "path": "spec.volumes[0].image.reference", "image": "", "ref": _ref({"ok": false, "reason": "is empty"})}],
		"parameters": {"semverRepositories": []},
	}
	{violation.message | some violation in denied} == {`volume "m": the image is empty`}
}

test_no_images if {
	count(policy.deny) == 0 with input as {"images": [], "parameters": {"semverRepositories": []}}
}
