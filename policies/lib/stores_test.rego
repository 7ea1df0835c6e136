package gesso.lib.stores_test

import data.gesso.lib.stores

_with(prefix) := {"spec": {"provider": {"aws": {"prefix": prefix}}}}

_stores := {
	"team-a": {
		"team-a/ssm": _with("/prod/team-a/"),
		"team-a/plain": {"metadata": {"name": "plain"}},
		"team-a/odd": _with(7),
		"team-a/vault": {"spec": {"provider": {"vault": {}}}},
	},
	"team-b": {"team-b/other": _with("/prod/team-b/")},
}

_cluster := {"platform": {"platform": _with("/shared/")}, "ssm": {"ssm": _with("/everything/")}}

test_prefix[sprintf("%v", [case.ref])] if {
	some case in [
		{"ref": {"name": "ssm", "kind": "SecretStore"}, "want": "/prod/team-a/"},
		{"ref": {"name": "ssm"}, "want": "/prod/team-a/"},
		{"ref": {"name": "ssm", "kind": ""}, "want": "/prod/team-a/"},
		{"ref": {"name": "ssm", "kind": null}, "want": "/prod/team-a/"},
		{"ref": {"name": "platform", "kind": "ClusterSecretStore"}, "want": "/shared/"},
		{"ref": {"name": "ssm", "kind": "ClusterSecretStore"}, "want": "/everything/"},
		{"ref": {"name": "other"}, "want": ""},
		{"ref": {"name": "plain"}, "want": ""},
		{"ref": {"name": "odd"}, "want": ""},
		{"ref": {"name": "vault"}, "want": ""},
		{"ref": {"name": "ssm", "kind": "Vault"}, "want": ""},
		{"ref": {"name": 7}, "want": ""},
		{"ref": {}, "want": ""},
		{"ref": "ssm", "want": ""},
		{"ref": null, "want": ""},
	]
	stores.prefix(case.ref, "team-a", _stores, _cluster) == case.want
}

test_nothing_known if {
	stores.prefix({"name": "ssm"}, "team-a", {}, {}) == ""
	stores.prefix({"name": "ssm", "kind": "ClusterSecretStore"}, "team-a", {}, {}) == ""
}

test_name if {
	stores.name({"name": "ssm"}) == "ssm"
	stores.name({"name": 1}) == ""
	stores.name(null) == ""
}
