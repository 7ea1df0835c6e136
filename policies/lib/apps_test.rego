package gesso.lib.apps_test

import data.gesso.lib.apps

_external(name, target, label) := {
	"metadata": {"name": name, "namespace": "team-a", "labels": {"app.kubernetes.io/name": label}},
	"spec": {"target": {"name": target}},
}

_makers := {
	"team-a/one": _external("one", "legacy", "shop"),
	"team-a/two": _external("two", "shop-keys", "billing"),
	"team-a/three": {"metadata": {"name": "shop-three"}},
}

test_belongs[sprintf("%s %s", [case.app, case.secret])] if {
	some case in [
		{"app": "shop", "secret": "shop", "want": true},
		{"app": "shop", "secret": "shop-db", "want": true},
		{"app": "shop", "secret": "shopping", "want": false},
		{"app": "shop", "secret": "billing", "want": false},
		{"app": "shop", "secret": "", "want": false},
		{"app": "", "secret": "-db", "want": false},
		{"app": "", "secret": "", "want": false},
		# the app with the longer name
		{"app": "shop", "secret": "shop-admin", "want": false},
		{"app": "shop", "secret": "shop-admin-db", "want": false},
		{"app": "shop", "secret": "shop-administrator", "want": true},
		{"app": "shop-admin", "secret": "shop-admin-db", "want": true},
		{"app": "shop-admin", "secret": "shop-db", "want": false},
		# the label decides
		{"app": "shop", "secret": "legacy", "want": true},
		{"app": "legacy", "secret": "legacy", "want": false},
		{"app": "shop", "secret": "shop-keys", "want": false},
		{"app": "billing", "secret": "shop-keys", "want": true},
		# an ExternalSecret without the label decides nothing
		{"app": "shop", "secret": "shop-three", "want": true},
	]
	_belongs(case) == case.want
}

_belongs(case) if {
	apps.belongs(case.app, case.secret, _makers, {"shop", "shop-admin", "billing"})
} else := false

test_target if {
	apps.target({"metadata": {"name": "a"}}) == "a"
	apps.target({"metadata": {"name": "a"}, "spec": {"target": {"name": "b"}}}) == "b"
	apps.target({"metadata": {"name": "a"}, "spec": {"target": {"name": ""}}}) == "a"
	apps.target({"metadata": {"name": "a"}, "spec": {"target": "b"}}) == "a"
	apps.target({}) == ""
}
