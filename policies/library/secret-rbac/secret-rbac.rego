# METADATA
# title: Roles do not open every Secret
# description: |
#   Whoever may list Secrets reads them all, whatever names the rule gives; whoever may create Pods, exec into them, or make tokens
#   for ServiceAccounts, gets there by one step more; whoever may escalate, bind or impersonate takes what they like. Such rules
#   are refused, also when * stands for the resource or the verb. To get single Secrets by resourceNames is fine. A ClusterRole that
#   collects the rules of others, or adds its own to admin, edit or view, changes what everybody may who has them. And nobody
#   binds cluster-admin, admin or edit to everybody, to all ServiceAccounts, or to one called default, which every Pod has.
#   The platform may write such roles, since operators need them; bind them to everybody it may not. What the control plane
#   and the controllers of kube-system write is left alone.
#   Whoever may create Deployments can read Secrets as well; a developer must be able to, so this policy leaves it to
#   pod-secret-refs.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: rbac.authorization.k8s.io, kind: Role}
#         - {group: rbac.authorization.k8s.io, kind: ClusterRole}
#         - {group: rbac.authorization.k8s.io, kind: RoleBinding}
#         - {group: rbac.authorization.k8s.io, kind: ClusterRoleBinding}
#     action: warn
package gesso.policies.secret_rbac

import data.gesso.lib
import data.gesso.lib.read

default _object := null

_object := input.request.object

_kind := input.request.kind.kind

# Who is left alone.

default _user := ""

_user := input.user.name

_control_plane if startswith(_user, "system:kube-")

_control_plane if startswith(_user, "system:serviceaccount:kube-system:")

_control_plane if _user == "system:apiserver"

_exempt if _control_plane

_exempt if input.user.platform

deny contains lib.violation("", sprintf("the request carries no %s", [_kind]), "send one") if {
	not _control_plane
	not is_object(_object)
}

# Roles: rule by rule.

_rules contains {"path": sprintf("rules[%d]", [i]), "value": rule} if {
	_kind in {"Role", "ClusterRole"}
	some i, rule in read.list(read.at(_object, ["rules"]))
}

deny contains lib.violation("rules", "rules is not a list", "write a list of rules") if {
	_kind in {"Role", "ClusterRole"}
	not _exempt
	rules := read.at(_object, ["rules"])
	not read.absent(rules)
	not is_array(rules)
}

deny contains lib.violation(rule.path, "the rule is not an object", "write a mapping with apiGroups, resources and verbs") if {
	not _exempt
	some rule in _rules
	not is_object(rule.value)
}

deny contains lib.violation(sprintf("%s.%s", [rule.path, name]), sprintf("%s is not a list", [name]), "write a list") if {
	not _exempt
	some rule in _rules
	some name in ["apiGroups", "resources", "verbs", "resourceNames"]
	value := read.at(rule.value, [name])
	not read.absent(value)
	not is_array(value)
}

deny contains lib.violation(rule.path, message, fix) if {
	not _exempt
	some rule in _rules
	is_object(rule.value)
	some [message, fix] in _given(_read(rule.value))
}

# _read is a rule as sets; named says whether it is for objects by name.
_read(rule) := {
	"groups": {group | some group in read.list(read.at(rule, ["apiGroups"]))},
	"resources": {resource | some resource in read.list(read.at(rule, ["resources"]))},
	"verbs": {verb | some verb in read.list(read.at(rule, ["verbs"]))},
	"named": count(read.list(read.at(rule, ["resourceNames"]))) > 0,
}

# _given is what a rule gives that it must not: pairs of message and fix.
_given(rule) := ((_everything(rule) | _secrets(rule)) | (_tokens(rule) | _pods(rule))) | _powers(rule)

_core(rule) if some group in ({"", "*"} & rule.groups)

_everything(rule) := {[
	sprintf("the verbs %s on all resources include Secrets, Pods and tokens", [_quoted(verbs)]),
	"name the resources that are meant",
] |
	_core(rule)
	"*" in rule.resources
	verbs := rule.verbs & ({"list", "watch", "create", "update", "patch", "*"} | {"get" | not rule.named})
	count(verbs) > 0
}

_secrets(rule) := {[
	sprintf("the verbs %s on Secrets read every Secret of the %s", [_quoted(verbs), _realm]),
	"allow only get, with the names that are meant under resourceNames",
] |
	_core(rule)
	"secrets" in rule.resources
	verbs := rule.verbs & ({"list", "watch", "*"} | {"get" | not rule.named})
	count(verbs) > 0
}

_tokens(rule) := {[
	"to create serviceaccounts/token is to be every ServiceAccount",
	"name the ServiceAccounts under resourceNames",
] |
	_core(rule)
	count({"serviceaccounts/token", "*/token"} & rule.resources) > 0
	count({"create", "*"} & rule.verbs) > 0
	not rule.named
}

_pods(rule) := {[
	sprintf("the verbs %s on %s reach every Secret that a Pod may name", [_quoted(verbs), resource]),
	instead,
] |
	_core(rule)
	some resource in rule.resources
	[able, instead] := _reaching[resource]
	verbs := rule.verbs & able
	count(verbs) > 0
}

_reaching := {
	"pods": [{"create", "*"}, "leave it out: Pods come from Deployments and their like, which are judged"],
	"pods/exec": [_run, _no_shell],
	"*/exec": [_run, _no_shell],
	"pods/attach": [_run, _no_shell],
	"*/attach": [_run, _no_shell],
	"pods/ephemeralcontainers": [_put, _no_shell],
	"*/ephemeralcontainers": [_put, _no_shell],
}

_run := {"create", "get", "*"}

_put := {"create", "update", "patch", "*"}

_no_shell := "leave it out, or have the platform give it to those on call"

_powers(rule) := {[
	sprintf("the verb %q gives rights that the rule does not name", [verb]),
	"leave it out, or have the platform write the role",
] |
	some verb in ({"escalate", "bind", "impersonate"} & rule.verbs)
} | {[
	sprintf("all verbs on %s include %s", [_quoted(resources), what]),
	"name the verbs that are meant",
] |
	"*" in rule.verbs
	some what, where in {
		"escalate and bind": {"groups": {"rbac.authorization.k8s.io", "*"}, "resources": {"roles", "clusterroles"}},
		"impersonate": {"groups": {"", "*"}, "resources": {"users", "groups", "serviceaccounts"}},
		"to impersonate": {"groups": {"authentication.k8s.io"}, "resources": {"*", "uids", "userextras"}},
		"to escalate and bind": {"groups": {"rbac.authorization.k8s.io"}, "resources": {"*"}},
	}
	count(where.groups & rule.groups) > 0
	resources := where.resources & rule.resources
	count(resources) > 0
}

_quoted(names) := concat(", ", [sprintf("%q", [name]) | some name in sort(names)])

_realm := "cluster" if {
	_kind == "ClusterRole"
} else := "namespace"

# ClusterRoles that grow, or that make others grow.

deny contains lib.violation("aggregationRule", "the ClusterRole takes over the rules of whatever ClusterRole is labelled for it", "write the rules out") if {
	_kind == "ClusterRole"
	not _exempt
	not read.absent(read.at(_object, ["aggregationRule"]))
}

deny contains lib.violation(sprintf("metadata.labels[%s]", [label]), message, "leave the label out, and bind the ClusterRole to those who need it") if {
	_kind == "ClusterRole"
	not _exempt
	some label, value in read.mapping(read.at(_object, ["metadata", "labels"]))
	startswith(label, _aggregate)
	value == "true"
	message := sprintf("the label adds these rules to the ClusterRole %q, for all who have it", [trim_prefix(label, _aggregate)])
}

_aggregate := "rbac.authorization.k8s.io/aggregate-to-"

# Bindings of roles that open Secrets to everybody.

deny contains lib.violation("subjects", "subjects is not a list", "write a list of subjects") if {
	_kind in {"RoleBinding", "ClusterRoleBinding"}
	not _control_plane
	subjects := read.at(_object, ["subjects"])
	not read.absent(subjects)
	not is_array(subjects)
}

deny contains lib.violation(sprintf("subjects[%d].name", [i]), message, fix) if {
	_kind in {"RoleBinding", "ClusterRoleBinding"}
	not _control_plane
	role := read.at(_object, ["roleRef", "name"])
	role in {"cluster-admin", "admin", "edit"}
	read.at(_object, ["roleRef", "kind"]) == "ClusterRole"
	some i, subject in read.list(read.at(_object, ["subjects"]))
	who := _everybody(subject)
	message := sprintf("%s %q gets the ClusterRole %q, and with it every Secret: that is %s", [subject.kind, subject.name, role, who])
	fix := "bind it to the group of those who need it, or to a ServiceAccount of its own"
}

# _everybody says whom a subject stands for, if for more than itself.
_everybody(subject) := "everybody who can log in" if {
	subject.kind == "Group"
	subject.name == "system:authenticated"
} else := "everybody at all" if {
	subject.kind in {"Group", "User"}
	subject.name in {"system:unauthenticated", "system:anonymous"}
} else := "every ServiceAccount there is" if {
	subject.kind == "Group"
	subject.name == "system:serviceaccounts"
} else := "every ServiceAccount of a namespace" if {
	subject.kind == "Group"
	startswith(subject.name, "system:serviceaccounts:")
} else := "every Pod that names no ServiceAccount" if {
	subject.kind == "ServiceAccount"
	subject.name == "default"
} else := "every Pod that names no ServiceAccount" if {
	subject.kind == "User"
	regex.match(`^system:serviceaccount:[^:]+:default$`, subject.name)
}
