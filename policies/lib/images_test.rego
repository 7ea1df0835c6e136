package gesso.lib.images_test

import data.gesso.lib.images

_ref(registry, repository) := {"ok": true, "registry": registry, "repository": repository}

test_under[case.note] if {
	some case in [
		{"note": "the host", "ref": _ref("registry.example", "shop"), "entries": ["registry.example"], "want": true},
		{"note": "the host, with a slash", "ref": _ref("registry.example", "shop"), "entries": ["registry.example/"], "want": true},
		{"note": "a host that begins alike", "ref": _ref("registry.example.evil.example", "shop"), "entries": ["registry.example"], "want": false},
		{"note": "a host that ends alike", "ref": _ref("evil-registry.example", "shop"), "entries": ["registry.example"], "want": false},
		{"note": "a port", "ref": _ref("registry.example:5000", "shop"), "entries": ["registry.example:5000"], "want": true},
		{"note": "a port that is not listed", "ref": _ref("registry.example:5000", "shop"), "entries": ["registry.example"], "want": false},
		{"note": "another port", "ref": _ref("registry.example:50001", "shop"), "entries": ["registry.example:5000"], "want": false},
		{"note": "no port", "ref": _ref("registry.example", "shop"), "entries": ["registry.example:5000"], "want": false},
		{"note": "below a prefix", "ref": _ref("registry.example", "team-a/shop"), "entries": ["registry.example/team-a"], "want": true},
		{"note": "below a prefix with a slash", "ref": _ref("registry.example", "team-a/shop"), "entries": ["registry.example/team-a/"], "want": true},
		{"note": "deep below a prefix", "ref": _ref("registry.example", "team-a/b/c"), "entries": ["registry.example/team-a/b"], "want": true},
		{"note": "the prefix itself", "ref": _ref("registry.example", "team-a"), "entries": ["registry.example/team-a"], "want": true},
		{"note": "not what a slash says", "ref": _ref("registry.example", "team-a"), "entries": ["registry.example/team-a/"], "want": false},
		{"note": "a repository that begins alike", "ref": _ref("registry.example", "team-a-evil/shop"), "entries": ["registry.example/team-a"], "want": false},
		{"note": "the same with a slash", "ref": _ref("registry.example", "team-a-evil/shop"), "entries": ["registry.example/team-a/"], "want": false},
		{"note": "above a prefix", "ref": _ref("registry.example", "team"), "entries": ["registry.example/team/a"], "want": false},
		{"note": "a prefix in the middle", "ref": _ref("registry.example", "x/team-a/shop"), "entries": ["registry.example/team-a"], "want": false},
		{"note": "upper case", "ref": _ref("REGISTRY.example", "shop"), "entries": ["registry.example"], "want": false},
		{"note": "the old name of the hub", "ref": _ref("docker.io", "library/nginx"), "entries": ["index.docker.io"], "want": true},
		{"note": "official images", "ref": _ref("docker.io", "library/nginx"), "entries": ["docker.io/library"], "want": true},
		{"note": "not official images", "ref": _ref("docker.io", "someone/nginx"), "entries": ["docker.io/library"], "want": false},
		{"note": "one of several", "ref": _ref("b.example", "x"), "entries": ["a.example", "b.example"], "want": true},
		{"note": "none", "ref": _ref("b.example", "x"), "entries": [], "want": false},
		{"note": "what cannot be read", "ref": {"ok": false, "registry": "", "repository": ""}, "entries": ["a.example"], "want": false},
	]
	held := {case.note | images.under(case.ref, case.entries)}
	count(held) == count({case.note | case.want})
}

test_whole if images.whole(_ref("docker.io", "library/nginx")) == "docker.io/library/nginx"
