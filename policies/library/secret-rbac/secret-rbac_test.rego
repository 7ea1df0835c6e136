package gesso.policies.secret_rbac_test

import data.gesso.policies.secret_rbac as policy

_input(kind, manifest, user, platform) := {
	"request": {"operation": "CREATE", "kind": {"group": "rbac.authorization.k8s.io", "version": "v1", "kind": kind}, "object": manifest},
	"user": {"name": user, "groups": [], "platform": platform},
}

_fields(kind, manifest) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as _input(kind, manifest, "dev", false)
}

_rule(groups, resources, verbs, names) := {"apiGroups": groups, "resources": resources, "verbs": verbs, "resourceNames": names}

_text(rule) := concat("|", sort([violation.message | some violation in denied])) if {
	denied := policy.deny with input as _input("Role", {"rules": [rule]}, "dev", false)
}

test_rule[case.note] if {
	some case in [
		# reading Secrets
		{"note": "get by name", "rule": _rule([""], ["secrets"], ["get"], ["shop"]), "want": ""},
		{"note": "get without names", "rule": _rule([""], ["secrets"], ["get"], []), "want": `the verbs "get" on Secrets read every Secret of the namespace`},
		{"note": "get with null names", "rule": _rule([""], ["secrets"], ["get"], null), "want": `the verbs "get" on Secrets read every Secret of the namespace`},
		{"note": "list by name lists all", "rule": _rule([""], ["secrets"], ["get", "list"], ["shop"]), "want": `the verbs "list" on Secrets read every Secret of the namespace`},
		{"note": "watch by name watches all", "rule": _rule([""], ["secrets"], ["watch"], ["shop"]), "want": `the verbs "watch" on Secrets read every Secret of the namespace`},
		{"note": "all verbs", "rule": _rule([""], ["secrets"], ["*"], ["shop"]), "want": `the verbs "*" on Secrets read every Secret of the namespace`},
		{"note": "all groups", "rule": _rule(["*"], ["secrets"], ["list"], []), "want": `the verbs "list" on Secrets read every Secret of the namespace`},
		{"note": "among others", "rule": _rule(["apps", ""], ["configmaps", "secrets"], ["create", "list"], []), "want": `the verbs "list" on Secrets read every Secret of the namespace`},
		{"note": "to write only", "rule": _rule([""], ["secrets"], ["create", "delete"], []), "want": ""},
		{"note": "another group's secrets", "rule": _rule(["example.com"], ["secrets"], ["list"], []), "want": ""},
		{"note": "ConfigMaps", "rule": _rule([""], ["configmaps"], ["get", "list", "watch"], []), "want": ""},
		# all resources
		{"note": "read everything", "rule": _rule([""], ["*"], ["get", "list", "watch"], []), "want": `the verbs "get", "list", "watch" on all resources include Secrets, Pods and tokens`},
		{"note": "everything", "rule": _rule(["*"], ["*"], ["*"], []), "want": `the verbs "*" on all resources include Secrets, Pods and tokens`},
		{"note": "get everything of a name", "rule": _rule([""], ["*"], ["get"], ["shop"]), "want": ""},
		{"note": "delete everything", "rule": _rule([""], ["*"], ["delete"], []), "want": ""},
		{"note": "everything of another group", "rule": _rule(["apps"], ["*"], ["*"], []), "want": ""},
		# tokens
		{"note": "tokens", "rule": _rule([""], ["serviceaccounts/token"], ["create"], []), "want": "to create serviceaccounts/token is to be every ServiceAccount"},
		{"note": "tokens of anything", "rule": _rule([""], ["*/token"], ["*"], []), "want": "to create serviceaccounts/token is to be every ServiceAccount"},
		{"note": "the token of one account", "rule": _rule([""], ["serviceaccounts/token"], ["create"], ["reader"]), "want": ""},
		# Pods
		{"note": "create Pods", "rule": _rule([""], ["pods"], ["create"], []), "want": `the verbs "create" on pods reach every Secret that a Pod may name`},
		{"note": "read Pods", "rule": _rule([""], ["pods", "pods/log"], ["get", "list", "watch", "delete"], []), "want": ""},
		{"note": "exec", "rule": _rule([""], ["pods/exec"], ["create"], []), "want": `the verbs "create" on pods/exec reach every Secret that a Pod may name`},
		{"note": "exec by get", "rule": _rule([""], ["pods/exec"], ["get"], []), "want": `the verbs "get" on pods/exec reach every Secret that a Pod may name`},
		{"note": "exec into anything", "rule": _rule([""], ["*/exec"], ["*"], []), "want": `the verbs "*" on */exec reach every Secret that a Pod may name`},
		{"note": "attach", "rule": _rule([""], ["pods/attach"], ["create"], []), "want": `the verbs "create" on pods/attach reach every Secret that a Pod may name`},
		{"note": "debug", "rule": _rule([""], ["pods/ephemeralcontainers"], ["patch", "get"], []), "want": `the verbs "patch" on pods/ephemeralcontainers reach every Secret that a Pod may name`},
		{"note": "look at debug containers", "rule": _rule([""], ["pods/ephemeralcontainers"], ["get"], []), "want": ""},
		{"note": "create Deployments", "rule": _rule(["apps"], ["deployments"], ["create", "update"], []), "want": ""},
		# rights that the rule does not name
		{"note": "escalate", "rule": _rule(["rbac.authorization.k8s.io"], ["roles"], ["escalate"], []), "want": `the verb "escalate" gives rights that the rule does not name`},
		{"note": "bind", "rule": _rule(["rbac.authorization.k8s.io"], ["clusterroles"], ["bind"], ["view"]), "want": `the verb "bind" gives rights that the rule does not name`},
		{"note": "impersonate", "rule": _rule([""], ["users"], ["impersonate"], []), "want": `the verb "impersonate" gives rights that the rule does not name`},
		{"note": "all verbs on roles", "rule": _rule(["rbac.authorization.k8s.io"], ["roles"], ["*"], []), "want": `all verbs on "roles" include escalate and bind`},
		{"note": "all verbs on accounts", "rule": _rule([""], ["serviceaccounts"], ["*"], []), "want": `all verbs on "serviceaccounts" include impersonate`},
		{"note": "read roles", "rule": _rule(["rbac.authorization.k8s.io"], ["roles", "rolebindings"], ["get", "list", "create"], []), "want": ""},
		# nothing
		{"note": "an empty rule", "rule": {}, "want": ""},
		{"note": "no verbs", "rule": _rule([""], ["secrets"], null, null), "want": ""},
		{"note": "a path", "rule": {"nonResourceURLs": ["/metrics"], "verbs": ["*"]}, "want": ""},
	]
	_text(case.rule) == case.want
}

test_fields[case.note] if {
	some case in [
		{"note": "the second rule", "role": {"rules": [_rule([""], ["pods"], ["get"], []), _rule([""], ["secrets"], ["list"], [])]}, "want": {"rules[1]"}},
		{"note": "no rules", "role": {"rules": null}, "want": set()},
		{"note": "nothing", "role": {}, "want": set()},
		{"note": "rules that are no list", "role": {"rules": {}}, "want": {"rules"}},
		{"note": "a rule that is text", "role": {"rules": ["*"]}, "want": {"rules[0]"}},
		{"note": "verbs that are text", "role": {"rules": [_rule([""], ["secrets"], "*", [])]}, "want": {"rules[0].verbs"}},
		{"note": "parts that are no lists", "role": {"rules": [_rule("", "secrets", ["get"], "shop")]}, "want": {"rules[0].apiGroups", "rules[0].resources", "rules[0].resourceNames"}},
	]
	_fields("Role", case.role) == case.want
	_fields("ClusterRole", case.role) == case.want
}

# ClusterRoles that collect rules, or give theirs to others.
test_aggregation[case.note] if {
	some case in [
		{"note": "collects", "role": {"aggregationRule": {"clusterRoleSelectors": []}}, "want": {"aggregationRule"}},
		{"note": "gives to view", "role": {"metadata": {"labels": {"rbac.authorization.k8s.io/aggregate-to-view": "true"}}}, "want": {"metadata.labels[rbac.authorization.k8s.io/aggregate-to-view]"}},
		{"note": "gives to admin", "role": {"metadata": {"labels": {"rbac.authorization.k8s.io/aggregate-to-admin": "true"}}}, "want": {"metadata.labels[rbac.authorization.k8s.io/aggregate-to-admin]"}},
		{"note": "does not", "role": {"metadata": {"labels": {"rbac.authorization.k8s.io/aggregate-to-view": "false", "a": "true"}}}, "want": set()},
		{"note": "null", "role": {"aggregationRule": null, "metadata": {"labels": null}}, "want": set()},
	]
	_fields("ClusterRole", case.role) == case.want
	_fields("Role", case.role) == set()
}

_binding(role, subject) := {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}, "subjects": [subject]}

# Everybody, and every Pod.
test_binding[case.note] if {
	some case in [
		{"note": "all who can log in", "subject": {"kind": "Group", "name": "system:authenticated"}, "want": 1},
		{"note": "all who cannot", "subject": {"kind": "Group", "name": "system:unauthenticated"}, "want": 1},
		{"note": "nobody in particular", "subject": {"kind": "User", "name": "system:anonymous"}, "want": 1},
		{"note": "all ServiceAccounts", "subject": {"kind": "Group", "name": "system:serviceaccounts"}, "want": 1},
		{"note": "those of a namespace", "subject": {"kind": "Group", "name": "system:serviceaccounts:team-a"}, "want": 1},
		{"note": "default, as a user", "subject": {"kind": "User", "name": "system:serviceaccount:team-a:default"}, "want": 1},
		{"note": "default", "subject": {"kind": "ServiceAccount", "name": "default", "namespace": "team-a"}, "want": 1},
		{"note": "a team", "subject": {"kind": "Group", "name": "team-a"}, "want": 0},
		{"note": "a ServiceAccount", "subject": {"kind": "ServiceAccount", "name": "deployer", "namespace": "team-a"}, "want": 0},
		{"note": "a user of that name", "subject": {"kind": "User", "name": "default"}, "want": 0},
		{"note": "text", "subject": "system:authenticated", "want": 0},
	]
	every kind in ["RoleBinding", "ClusterRoleBinding"] {
		every role in ["cluster-admin", "admin", "edit"] {
			fields := _fields(kind, _binding(role, case.subject))
			fields == {field | some field in ["subjects[0].name"]; case.want == 1}
		}
		_fields(kind, _binding("view", case.subject)) == set()
	}
}

test_binding_of_another_shape if {
	everybody := {"kind": "Group", "name": "system:authenticated"}
	_fields("RoleBinding", {"roleRef": {"kind": "Role", "name": "admin"}, "subjects": [everybody]}) == set()
	_fields("RoleBinding", {"subjects": [everybody]}) == set()
	_fields("RoleBinding", {"roleRef": {"kind": "ClusterRole", "name": "admin"}, "subjects": null}) == set()
	_fields("RoleBinding", {"roleRef": {"kind": "ClusterRole", "name": "admin"}, "subjects": everybody}) == {"subjects"}
	_fields("RoleBinding", {}) == set()
}

# Operators need such roles: the platform may write them, but not bind them to everybody.
test_exempt[case.note] if {
	some case in [
		{"note": "a developer", "user": "dev", "platform": false, "role": 1, "binding": 1},
		{"note": "the platform", "user": "ops", "platform": true, "role": 0, "binding": 1},
		{"note": "the controller manager", "user": "system:kube-controller-manager", "platform": false, "role": 0, "binding": 0},
		{"note": "the API server, which puts its own roles right", "user": "system:apiserver", "platform": false, "role": 0, "binding": 0},
		{"note": "the controller that aggregates", "user": "system:serviceaccount:kube-system:clusterrole-aggregation-controller", "platform": false, "role": 0, "binding": 0},
		{"note": "a ServiceAccount elsewhere", "user": "system:serviceaccount:team-a:kube-system", "platform": false, "role": 1, "binding": 1},
	]
	role := policy.deny with input as _input("ClusterRole", {"rules": [_rule([""], ["secrets"], ["list"], [])]}, case.user, case.platform)
	binding := policy.deny with input as _input("ClusterRoleBinding", _binding("cluster-admin", {"kind": "Group", "name": "system:authenticated"}), case.user, case.platform)
	count(role) == case.role
	count(binding) == case.binding
}

test_no_object if {
	_fields("Role", null) == {""}
	_fields("RoleBinding", "x") == {""}
}

test_no_user if {
	denied := policy.deny with input as object.remove(_input("Role", {"rules": [_rule([""], ["secrets"], ["list"], [])]}, "", false), ["user"])
	count(denied) == 1
}
