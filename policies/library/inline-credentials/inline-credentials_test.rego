package gesso.policies.inline_credentials_test

import data.gesso.policies.inline_credentials as policy

# The texts are put together here, so that nobody takes this file for one that holds credentials.

_aws := concat("", ["AKIA", "IOSFODNN7EXAMPLE"])

_url := "postgres://shop:correct-horse@db/shop"

_pod(container) := {
	"request": {"kind": {"group": "apps", "kind": "Deployment"}, "object": {}},
	"containers": [object.union({"kind": "container", "path": "c[0]", "name": "web", "image": "shop:1"}, container)],
}

_env(name, value) := _pod({"env": [{"name": name, "value": value}]})

_config(texts, binary) := {
	"request": {"kind": {"group": "", "kind": "ConfigMap"}, "object": {"data": texts, "binaryData": binary}},
	"containers": [],
}

_denied(question) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as question
}

_warned(question) := {violation.field | some violation in warned} if {
	warned := policy.warn with input as question
}

# Values that have the form of a credential.
test_refused[case.note] if {
	some case in [
		{"note": "environment", "input": _env("X", _aws), "want": "c[0].env[0].value"},
		{"note": "environment with a telling name", "input": _env("AWS_ACCESS_KEY", _aws), "want": "c[0].env[0].value"},
		{"note": "a url", "input": _env("DATABASE_URL", _url), "want": "c[0].env[0].value"},
		{"note": "a variable without a name", "input": _pod({"env": [{"value": _url}]}), "want": "c[0].env[0].value"},
		{"note": "arguments", "input": _pod({"args": ["--db", _url]}), "want": "c[0].args[1]"},
		{"note": "a flag", "input": _pod({"args": [sprintf("--password=%s", [_aws])]}), "want": "c[0].args[0]"},
		{"note": "a command", "input": _pod({"command": ["sh", "-c", sprintf("migrate %s", [_url])]}), "want": "c[0].command[2]"},
		{"note": "a probe", "input": _pod({"livenessProbe": {"exec": {"command": [_url]}}}), "want": "c[0].livenessProbe.exec.command[0]"},
		{"note": "a header", "input": _pod({"readinessProbe": {"httpGet": {"httpHeaders": [{"name": "X", "value": _aws}]}}}), "want": "c[0].readinessProbe.httpGet.httpHeaders[0].value"},
		{"note": "a hook", "input": _pod({"lifecycle": {"preStop": {"exec": {"command": [_url]}}}}), "want": "c[0].lifecycle.preStop.exec.command[0]"},
		{"note": "a ConfigMap", "input": _config({"url": _url}, null), "want": "data.url"},
		{"note": "a file in a ConfigMap", "input": _config({"app.conf": sprintf("a = 1\ndb = %s\n", [_url])}, null), "want": "data[app.conf]"},
		{"note": "bytes in a ConfigMap", "input": _config(null, {"key": base64.encode(_aws)}), "want": "binaryData.key"},
		{
			"note": "an annotation", "want": "metadata.annotations[shop.example/db]",
			"input": {"request": {"kind": {"kind": "ConfigMap"}, "object": {"metadata": {"annotations": {"shop.example/db": _url}}}}, "containers": []},
		},
		{
			"note": "an annotation of the template", "want": "spec.template.metadata.annotations.db",
			"input": {"request": {"kind": {"kind": "Deployment"}, "object": {"spec": {"template": {"metadata": {"annotations": {"db": _url}}}}}}, "containers": []},
		},
		{
			"note": "an annotation of a Pod, once", "want": "metadata.annotations.db",
			"input": {"request": {"kind": {"kind": "Pod"}, "object": {"metadata": {"annotations": {"db": _url}}}}, "containers": []},
		},
	]
	_denied(case.input) == {case.want}
	_warned(case.input) == set()
}

# Names that say so.
test_warned[case.note] if {
	some case in [
		{"note": "a password", "input": _env("DB_PASSWORD", "correct-horse"), "want": {"c[0].env[0].value"}},
		{"note": "a key in a ConfigMap", "input": _config({"db.password": "correct-horse", "color": "red"}, null), "want": {"data[db.password]"}},
		{"note": "a flag", "input": _pod({"args": ["--verbose", "--token=correct-horse"]}), "want": {"c[0].args[1]"}},
		{"note": "a flag with = in its value", "input": _pod({"args": ["--token=a=b"]}), "want": {"c[0].args[0]"}},
		{"note": "a flag and its value", "input": _pod({"command": ["run", "--api-key", "correct-horse"]}), "want": {"c[0].command[1]"}},
		# accepted
		{"note": "a reference", "input": _env("DB_PASSWORD", "$(OTHER)"), "want": set()},
		{"note": "nothing", "input": _env("DB_PASSWORD", ""), "want": set()},
		{"note": "from a Secret", "input": _pod({"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "p"}}}]}), "want": set()},
		{"note": "the path to a file", "input": _env("SECRET_KEY_FILE", "/run/x"), "want": set()},
		{"note": "the path to a token", "input": _env("GITHUB_TOKEN_FILE", "/run/secrets/token"), "want": set()},
		{"note": "a time", "input": _env("TOKEN_TTL", "60"), "want": set()},
		{"note": "a yes", "input": _env("ALLOW_EMPTY_PASSWORD", "yes"), "want": set()},
		{"note": "a flag with a reference", "input": _pod({"args": ["--token=$(TOKEN)"]}), "want": set()},
		{"note": "a flag that is the last", "input": _pod({"args": ["--token"]}), "want": set()},
		{"note": "a flag before a flag", "input": _pod({"args": ["--token", "--verbose"]}), "want": set()},
		{"note": "the name of a Secret", "input": _pod({"args": ["--tls-secret=shop-tls"]}), "want": set()},
		{"note": "a file in a ConfigMap", "input": _config({"password.conf": "a"}, null), "want": set()},
		{"note": "a name that is not text", "input": _pod({"env": [{"name": 7, "value": "x"}]}), "want": set()},
		{"note": "a value that is not text: the API server refuses it", "input": _env("DB_PASSWORD", 7), "want": set()},
	]
	_warned(case.input) == case.want
	_denied(case.input) == set()
}

test_accepted[case.note] if {
	some case in [
		{"note": "a url with a reference", "input": _env("DATABASE_URL", "postgres://shop:$(DB_PASSWORD)@db/shop")},
		{"note": "a certificate", "input": _config({"ca.crt": "-----BEGIN CERTIFICATE-----"}, null)},
		{"note": "a public key", "input": _config({"key.pem": "-----BEGIN PUBLIC KEY-----"}, null)},
		{"note": "bytes that are none", "input": _config(null, {"x": "not base64!"})},
		{"note": "a digest", "input": _env("IMAGE", "docker://shop:1@sha256:e3b0")},
		{
			"note": "what kubectl repeats",
			"input": {"request": {"kind": {"kind": "ConfigMap"}, "object": {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": _url}}}}, "containers": []},
		},
		{"note": "no lists", "input": _pod({"env": null, "args": null, "command": null})},
		{"note": "lists of another type", "input": _pod({"env": "x", "args": 7, "command": {}})},
		{"note": "no data", "input": _config(null, null)},
		{"note": "data of another type", "input": _config("x", ["y"])},
		{"note": "no object", "input": {"request": {"kind": {"kind": "ConfigMap"}}, "containers": []}},
		{"note": "data of another kind", "input": {"request": {"kind": {"kind": "Job"}, "object": {"data": {"url": _url}}}, "containers": []}},
	]
	_denied(case.input) == set()
	_warned(case.input) == set()
}

# The sort of credential and its place are named, the value is not.
test_no_value_in_a_message if {
	questions := [
		_env("DATABASE_URL", _url), _env("DB_PASSWORD", "correct-horse"), _pod({"args": ["--token=correct-horse", _url]}),
		_config({"a": _url, "password": "correct-horse"}, {"b": base64.encode(_url)}), _pod({"args": ["--token", "correct-horse"]}),
	]
	every question in questions {
		denied := policy.deny with input as question
		warned := policy.warn with input as question
		count(denied | warned) > 0
		not contains(sprintf("%v", [denied | warned]), "horse")
	}
}

test_messages if {
	denied := policy.deny with input as _env("DATABASE_URL", _url)
	{sprintf("%s; %s", [violation.message, violation.fix]) | some violation in denied} == {`container "web": env "DATABASE_URL": a URL with a password stands in plain text; put the value into the store, and read it with valueFrom: {secretKeyRef: …}`}
	warned := policy.warn with input as _pod({"args": ["--token=correct-horse"]})
	{violation.message | some violation in warned} == {`container "web": args[0]: the value of the flag --token stands in plain text`}
}
