package gesso.lib.keys_test

import data.gesso.lib.keys

_scopes := ["/prod/team-a/", "/shared/x/"]

# Each table lists the candidates; those that hold are wanted, and no other.

test_below if {
	candidates := [
		"/prod/team-a/shop", "/prod/team-a/shop/url:3", "/shared/x/y", "/prod/team-a/", "/prod/team-a", "/prod/team-a-evil/x",
		"/Prod/team-a/x", "prod/team-a/x", "/x/prod/team-a/x", "",
	]
	held := {key | some key in candidates; keys.below(key, _scopes)}
	held == {"/prod/team-a/shop", "/prod/team-a/shop/url:3", "/shared/x/y"}
}

test_scope if {
	held := {scope | some scope in ["/prod/", "/prod/team-a/", "", "/", "//", "prod/", "/prod"]; keys.scope(scope)}
	held == {"/prod/", "/prod/team-a/"}
}

test_nothing_is_below_what_is_no_scope if {
	every scope in ["", "/", "prod/", "/prod", "//"] {
		not keys.below("/prod/x", [scope])
		not keys.within("/prod/x", [scope])
	}
}

test_within if {
	candidates := [
		"/prod/team-a", "/prod/team-a/", "/prod/team-a/shop", "/prod/team-a-evil", "/prod/team", "/prod", "/", "",
	]
	held := {path | some path in candidates; keys.within(path, _scopes)}
	held == {"/prod/team-a", "/prod/team-a/", "/prod/team-a/shop"}
}

test_above if {
	held := {path | some path in ["/", "/prod", "/prod/", "/prod/team-a", "/prod/team", "/other"]; keys.above(path, _scopes)}
	held == {"/", "/prod", "/prod/"}
}

test_suspicious[case.key] if {
	some case in [
		{"key": "arn:aws:ssm:eu-west-1:111122223333:parameter/x", "want": "ARN"},
		{"key": "ARN:aws:x", "want": "ARN"},
		{"key": "/prod/team-a/%2e%2e/x", "want": "%"},
		{"key": "/prod/team-a/x y", "want": "white space"},
		{"key": "/prod/team-a/x\u00a0y", "want": "white space"},
		{"key": "/prod/team-a/x\n", "want": "control"},
		{"key": "/prod/team-a/..\\x", "want": "backslash"},
		{"key": "/prod/team-a/../team-b/x", "want": "/../"},
		{"key": "/prod/team-a/./x", "want": "/./"},
		{"key": "/prod/team-a/..", "want": "/../"},
		{"key": "/prod/team-a/..:1", "want": "/../"},
		{"key": "../x", "want": "/../"},
		{"key": "/prod//team-a/x", "want": "//"},
		{"key": "//prod/team-a/x", "want": "//"},
		{"key": "/prod/team-a/x:1:2", "want": "label"},
		{"key": "/prod/team-a/x:", "want": "label"},
		{"key": "/prod/team-a/x:a/b", "want": "label"},
	]
	contains(keys.suspicious(case.key), case.want)
}

test_not_suspicious[key] if {
	some key in [
		"/prod/team-a/shop",
		"/prod/team-a/shop:3",
		"/prod/team-a/shop:blue-1.x_y",
		"/prod/team-a/...",
		"/prod/team-a/.hidden",
		"shop/url",
		"/prod/team-a/a+b=c@d",
		"",
	]
	not keys.suspicious(key)
}

test_example[case.want] if {
	some case in [
		{"key": "/x/y/db", "scope": "/prod/team-a/", "app": "shop", "want": "/prod/team-a/shop/db"},
		{"key": "/x/db:3", "scope": "/prod/team-a/shop/", "app": "shop", "want": "/prod/team-a/shop/db"},
		{"key": "", "scope": "/prod/team-a/", "app": "", "want": "/prod/team-a/database-url"},
		{"key": "a b", "scope": "/prod/team-a/", "app": "", "want": "/prod/team-a/database-url"},
		{"key": "/x/..", "scope": "/prod/team-a/", "app": "", "want": "/prod/team-a/x"},
	]
	keys.example(case.key, case.scope, case.app) == case.want
}
