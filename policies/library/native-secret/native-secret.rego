# METADATA
# title: Secrets come from the secret store
# description: |
#   A Secret that somebody applies has been in a file, most likely in Git, and nobody rotates it. Secrets are written by External
#   Secrets, from the store, and by cert-manager; Helm keeps its releases in Secrets of its own type. Who else wants to write
#   one is refused, Argo CD included: what it applies is in Git. Controllers of kube-system are let through, and so is an update
#   by anybody that leaves the values as they are. What an ExternalSecret owns only External Secrets may change.
#   Tokens of ServiceAccounts and bootstrap tokens never expire, or let nodes in; they are refused from everybody but the
#   controllers, because External Secrets could be made to write one as well.
#   A Secret that carries the annotation of kubectl apply holds its values a second time, where everybody reads them who may read
#   metadata; that warns.
# related_resources:
#   - https://kubernetes.io/docs/concepts/security/secrets-good-practices/
#   - https://kubernetes.io/docs/concepts/configuration/secret/#secret-types
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: "", kind: Secret}
#     action: warn
#     parameters:
#       type: object
#       properties:
#         externalSecrets:
#           description: The ServiceAccounts of External Secrets, as user names.
#           type: array
#           items: {type: string, minLength: 1}
#           default:
#             - system:serviceaccount:external-secrets:external-secrets
#             - system:serviceaccount:external-secrets:external-secrets-cert-controller
#         certManager:
#           description: The ServiceAccounts of cert-manager, as user names.
#           type: array
#           items: {type: string, minLength: 1}
#           default:
#             - system:serviceaccount:cert-manager:cert-manager
#             - system:serviceaccount:cert-manager:cert-manager-webhook
#         writers:
#           description: Other users that may write Secrets, for example the controller of Sealed Secrets.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
package gesso.policies.native_secret

import data.gesso.lib
import data.gesso.lib.read

_object := object.get(input.request, "object", null)

_old := object.get(input.request, "oldObject", null) if {
	input.request.operation == "UPDATE"
} else := null

deny contains lib.violation("data", "the request carries no object", "send a Secret") if not is_object(_object)

# Who writes.

default _user := ""

_user := input.user.name

_external_secrets if _user in input.parameters.externalSecrets

_trusted if _external_secrets

_trusted if _user in input.parameters.certManager

_trusted if _user in input.parameters.writers

_trusted if _controller

_controller if startswith(_user, "system:serviceaccount:kube-system:")

_controller if startswith(_user, "system:kube-")

_controller if _user == "system:apiserver"

# What is written: the values by key. They are compared and never shown.

_values(manifest) := object.union(_data(manifest), {key: base64.encode(value) |
	some key, value in read.mapping(read.at(manifest, ["stringData"]))
	is_string(value)
})

_data(manifest) := held if {
	held := read.at(manifest, ["data"])
	is_object(held)
} else := {} if {
	read.absent(read.at(manifest, ["data"]))
} else := {"": manifest.data}

_changed := [key |
	some key in sort(object.keys(_values(_object)) | object.keys(_values(_old)))
	object.get(_values(_object), key, null) != object.get(_values(_old), key, null)
]

# A new Secret.

deny contains lib.violation(_place, sprintf("Secret %q is written by %q and not by External Secrets", [_name, _user]), _use_the_store) if {
	is_object(_object)
	not is_object(_old)
	not _trusted
	not _helm
	not _token
}

_place := "stringData" if {
	not read.absent(read.at(_object, ["stringData"]))
	count(_data(_object)) == 0
} else := "data"

# A Secret that was there.

deny contains lib.violation("data", sprintf("Secret %q: %q changes %s, and not External Secrets", [_name, _user, _keys]), _use_the_store) if {
	is_object(_object)
	is_object(_old)
	count(_changed) > 0
	not _trusted
	not _helm
	not _token
	count(_owners) == 0
}

deny contains lib.violation("data", message, "change the value in the store; External Secrets brings it here") if {
	is_object(_object)
	is_object(_old)
	count(_changed) > 0
	not _external_secrets
	not _controller
	not _token
	some owner in _owners
	message := sprintf("Secret %q belongs to the ExternalSecret %q: %q changes %s", [_name, owner, _user, _keys])
}

_keys := sprintf("the keys %s", [concat(", ", [sprintf("%q", [key]) | some key in _changed])])

# _owners are the ExternalSecrets to which the Secret belongs, or belonged before this update.
_owners := {owner |
	some manifest in [_object, _old]
	some reference in read.list(read.at(manifest, ["metadata", "ownerReferences"]))
	read.at(reference, ["kind"]) == "ExternalSecret"
	owner := read.at(reference, ["name"])
}

# Helm keeps what it installed in Secrets of its own; their name and their one key are Helm's.
_helm if {
	read.at(_object, ["type"]) == "helm.sh/release.v1"
	startswith(_name, "sh.helm.release.v1.")
	object.keys(_values(_object)) - {"release"} == set()
}

# Tokens.

_token if read.at(_object, ["type"]) in {"kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"}

_account(manifest) := read.annotation(manifest, "kubernetes.io/service-account.name")

deny contains lib.violation("type", message, fix) if {
	_token
	not _controller
	_new_or_other
	[what, fix] := _tokens[_object.type]
	message := sprintf("Secret %q: %q asks for %s", [_name, _user, what])
}

_new_or_other if not is_object(_old)

_new_or_other if count(_changed) > 0

_new_or_other if _account(_object) != _account(_old)

_tokens := {
	"kubernetes.io/service-account-token": [
		"a token of a ServiceAccount that never expires",
		"mount a projected serviceAccountToken, or ask for one with kubectl create token",
	],
	"bootstrap.kubernetes.io/token": ["a token that lets nodes into the cluster", "have the platform add the node"],
}

# The annotation in which kubectl apply keeps what it was given.

_applied := "kubectl.kubernetes.io/last-applied-configuration"

warn contains lib.violation(
	sprintf("metadata.annotations[%s]", [_applied]),
	sprintf("Secret %q: the annotation of kubectl apply repeats the values", [_name]),
	"use kubectl apply --server-side, or an ExternalSecret, and take the annotation away",
) if {
	text := read.annotation(_object, _applied)
	text != ""
	text != read.annotation(_old, _applied)
	_tells(text)
}

_tells(text) if not json.is_valid(text)

_tells(text) if {
	json.is_valid(text)
	count(_values(json.unmarshal(text))) > 0
}

_name := name if {
	name := read.at(_object, ["metadata", "name"])
	is_string(name)
} else := ""

_use_the_store := sprintf("put the values into the store below %s, and write an ExternalSecret with target: {name: %s}", [input.expected.secretScopes[0], _name]) if {
	is_string(input.expected.secretScopes[0])
} else := sprintf("put the values into the store, and write an ExternalSecret with target: {name: %s}", [_name])
