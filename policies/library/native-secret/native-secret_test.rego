package gesso.policies.native_secret_test

import data.gesso.policies.native_secret as policy

_parameters := {
	"externalSecrets": ["system:serviceaccount:external-secrets:external-secrets"],
	"certManager": ["system:serviceaccount:cert-manager:cert-manager"],
	"writers": ["system:serviceaccount:sealed:sealed-secrets"],
}

_eso := "system:serviceaccount:external-secrets:external-secrets"

_cert_manager := "system:serviceaccount:cert-manager:cert-manager"

_input(user, manifest, old) := {
	"request": {"operation": {false: "UPDATE", true: "CREATE"}[is_null(old)], "object": manifest, "oldObject": old},
	"user": {"name": user, "groups": [], "platform": false},
	"expected": {"secretScopes": ["/prod/team-a/"]},
	"parameters": _parameters,
}

_fields(user, manifest, old) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as _input(user, manifest, old)
}

_secret(more) := object.union({"metadata": {"name": "shop"}, "type": "Opaque"}, more)

_owned := {"metadata": {"ownerReferences": [{"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "name": "shop"}]}}

_data(value) := _secret({"data": {"password": base64.encode(value)}})

_token := _secret({"type": "kubernetes.io/service-account-token", "metadata": {"annotations": {"kubernetes.io/service-account.name": "admin"}}})

_bootstrap := _secret({"type": "bootstrap.kubernetes.io/token", "data": {}})

_release(more) := object.union({"metadata": {"name": "sh.helm.release.v1.shop.v1"}, "type": "helm.sh/release.v1", "data": {"release": "eA=="}}, more)

# Who may write a new Secret.
test_create[case.note] if {
	some case in [
		# by anybody but External Secrets
		{"note": "a developer", "user": "dev", "secret": _data("x"), "want": {"data"}},
		{"note": "a developer, as text", "user": "dev", "secret": _secret({"stringData": {"password": "x"}}), "want": {"stringData"}},
		{"note": "a developer, both ways", "user": "dev", "secret": object.union(_data("x"), {"stringData": {"a": "x"}}), "want": {"data"}},
		{"note": "Argo CD: the Secret is in Git", "user": "system:serviceaccount:argocd:argocd-application-controller", "secret": _data("x"), "want": {"data"}},
		{"note": "nothing in it yet", "user": "dev", "secret": _secret({}), "want": {"data"}},
		{"note": "data that is text", "user": "dev", "secret": _secret({"data": "x"}), "want": {"data"}},
		{"note": "TLS by a developer", "user": "dev", "secret": _secret({"type": "kubernetes.io/tls"}), "want": {"data"}},
		{"note": "a registry's password", "user": "dev", "secret": _secret({"type": "kubernetes.io/dockerconfigjson"}), "want": {"data"}},
		{"note": "the label of External Secrets, which anybody may write", "user": "dev", "secret": object.union(_data("x"), {"metadata": {"labels": {"reconcile.external-secrets.io/managed": "true"}}}), "want": {"data"}},
		{"note": "an owner, which anybody may write", "user": "dev", "secret": object.union(_data("x"), _owned), "want": {"data"}},
		{"note": "a ServiceAccount of the same name elsewhere", "user": "system:serviceaccount:team-a:external-secrets", "secret": _data("x"), "want": {"data"}},
		{"note": "nobody", "user": "", "secret": _data("x"), "want": {"data"}},
		# those who may
		{"note": "External Secrets", "user": _eso, "secret": _data("x"), "want": set()},
		{"note": "cert-manager's certificate", "user": _cert_manager, "secret": _secret({"type": "kubernetes.io/tls"}), "want": set()},
		{"note": "cert-manager's key on the way", "user": _cert_manager, "secret": _data("x"), "want": set()},
		{"note": "another writer by parameter", "user": "system:serviceaccount:sealed:sealed-secrets", "secret": _data("x"), "want": set()},
		{"note": "a controller", "user": "system:serviceaccount:kube-system:token-cleaner", "secret": _data("x"), "want": set()},
		{"note": "the controller manager", "user": "system:kube-controller-manager", "secret": _data("x"), "want": set()},
		{"note": "the API server", "user": "system:apiserver", "secret": _data("x"), "want": set()},
		# Helm
		{"note": "a release of Helm", "user": "dev", "secret": _release({}), "want": set()},
		{"note": "a release with another name", "user": "dev", "secret": _release({"metadata": {"name": "shop"}}), "want": {"data"}},
		{"note": "a release with something in it", "user": "dev", "secret": _release({"data": {"password": "eA=="}}), "want": {"data"}},
		{"note": "a release by its name only", "user": "dev", "secret": _release({"type": "Opaque"}), "want": {"data"}},
		# tokens
		{"note": "a token by a developer", "user": "dev", "secret": _token, "want": {"type"}},
		{"note": "a token by way of External Secrets", "user": _eso, "secret": _token, "want": {"type"}},
		{"note": "a token by a controller", "user": "system:kube-controller-manager", "secret": _token, "want": set()},
		{"note": "a bootstrap token by a developer", "user": "dev", "secret": _bootstrap, "want": {"type"}},
		{"note": "a bootstrap token by a controller", "user": "system:serviceaccount:kube-system:bootstrap-signer", "secret": _bootstrap, "want": set()},
		# what cannot be read
		{"note": "no object", "user": "dev", "secret": null, "want": {"data"}},
		{"note": "text", "user": "dev", "secret": "x", "want": {"data"}},
	]
	_fields(case.user, case.secret, null) == case.want
}

# Who may change one.
test_update[case.note] if {
	some case in [
		{"note": "the same values", "user": "dev", "new": object.union(_data("x"), {"metadata": {"labels": {"a": "b"}}}), "old": _data("x"), "want": set()},
		{"note": "the same values as text", "user": "dev", "new": _secret({"stringData": {"password": "x"}}), "old": _data("x"), "want": set()},
		{"note": "other values", "user": "dev", "new": _data("y"), "old": _data("x"), "want": {"data"}},
		{"note": "other values as text", "user": "dev", "new": object.union(_data("x"), {"stringData": {"password": "y"}}), "old": _data("x"), "want": {"data"}},
		{"note": "a key more", "user": "dev", "new": object.union(_data("x"), {"data": {"b": ""}}), "old": _data("x"), "want": {"data"}},
		{"note": "a key less", "user": "dev", "new": _secret({}), "old": _data("x"), "want": {"data"}},
		{"note": "External Secrets", "user": _eso, "new": _data("y"), "old": _data("x"), "want": set()},
		{"note": "cert-manager", "user": _cert_manager, "new": _data("y"), "old": _data("x"), "want": set()},
		# what an ExternalSecret owns
		{"note": "an owned one, the same", "user": "dev", "new": object.union(_data("x"), _owned), "old": object.union(_data("x"), _owned), "want": set()},
		{"note": "an owned one, changed", "user": "dev", "new": object.union(_data("y"), _owned), "old": object.union(_data("x"), _owned), "want": {"data"}},
		{"note": "an owned one, changed and taken away", "user": "dev", "new": _data("y"), "old": object.union(_data("x"), _owned), "want": {"data"}},
		{"note": "an owned one, by cert-manager", "user": _cert_manager, "new": object.union(_data("y"), _owned), "old": object.union(_data("x"), _owned), "want": {"data"}},
		{"note": "an owned one, by External Secrets", "user": _eso, "new": object.union(_data("y"), _owned), "old": object.union(_data("x"), _owned), "want": set()},
		# tokens
		{"note": "a token, labelled", "user": "dev", "new": object.union(_token, {"metadata": {"labels": {"a": "b"}}}), "old": _token, "want": set()},
		{"note": "a token for another account", "user": "dev", "new": object.union(_token, {"metadata": {"annotations": {"kubernetes.io/service-account.name": "other"}}}), "old": _token, "want": {"type"}},
		{"note": "Helm", "user": "dev", "new": _release({}), "old": _release({"data": {"release": "eQ=="}}), "want": set()},
	]
	_fields(case.user, case.new, case.old) == case.want
}

# What kubectl apply leaves behind.
test_annotation[case.note] if {
	some case in [
		{"note": "none", "text": null, "old": null, "want": 0},
		{"note": "with values", "text": `{"kind":"Secret","data":{"a":"eA=="}}`, "old": null, "want": 1},
		{"note": "with values as text", "text": `{"kind":"Secret","stringData":{"a":"x"}}`, "old": null, "want": 1},
		{"note": "without values", "text": `{"kind":"Secret"}`, "old": null, "want": 0},
		{"note": "not JSON", "text": `x`, "old": null, "want": 1},
		{"note": "as before", "text": `{"data":{"a":"eA=="}}`, "old": `{"data":{"a":"eA=="}}`, "want": 0},
	]
	warned := policy.warn with input as _input(_eso, _with_annotation(case.text), _with_annotation(case.old))
	count(warned) == case.want
}

_with_annotation(text) := object.union(_data("x"), {"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": text}}})

# A message names keys and never values.
test_no_value_in_a_message if {
	old := _secret({"data": {"password": base64.encode("old-value")}})
	new := _secret({"data": {"password": base64.encode("new-value")}, "stringData": {"other": "plain-value"}})
	every question in [_input("dev", new, null), _input("dev", new, old), _input("dev", object.union(new, _owned), old)] {
		denied := policy.deny with input as question
		count(denied) == 1
		every violation in denied {
			text := sprintf("%v", [violation])
			every value in ["old-value", "new-value", "plain-value", base64.encode("old-value"), base64.encode("new-value"), base64.encode("plain-value")] {
				not contains(text, value)
			}
		}
	}
}

test_messages if {
	created := policy.deny with input as _input("dev", _data("x"), null)
	{sprintf("%s; %s", [violation.message, violation.fix]) | some violation in created} == {`Secret "shop" is written by "dev" and not by External Secrets; put the values into the store below /prod/team-a/, and write an ExternalSecret with target: {name: shop}`}
	changed := policy.deny with input as _input("dev", object.union(_data("y"), _owned), _data("x"))
	{violation.message | some violation in changed} == {`Secret "shop" belongs to the ExternalSecret "shop": "dev" changes the keys "password"`}
}

test_nothing_expected if {
	denied := policy.deny with input as object.union(_input("dev", _data("x"), null), {"expected": {"secretScopes": null}})
	{violation.fix | some violation in denied} == {"put the values into the store, and write an ExternalSecret with target: {name: shop}"}
}
