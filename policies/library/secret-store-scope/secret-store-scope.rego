# METADATA
# title: A SecretStore has the rights of its own namespace
# description: |
#   A SecretStore says as whom External Secrets reads. Without credentials of its own it reads as the operator, who may read
#   everything; with the role of somebody else it reads what they may. A store is the namespace's: any ServiceAccount of the
#   namespace will do but default, which every Pod has, and roles must be the namespace's by convention or by grant. A store that
#   is labelled app.kubernetes.io/name uses a ServiceAccount of that app. Static keys are refused because they never expire.
#   Providers other than those of the parameter are refused: some read the Secrets of other namespaces, some send what they
#   are given to any address.
# related_resources:
#   - https://external-secrets.io/latest/provider/aws-access/
#   - https://external-secrets.io/latest/guides/security-best-practices/
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: external-secrets.io, kind: SecretStore}
#     action: warn
#     parameters:
#       type: object
#       properties:
#         providers:
#           description: Providers that a SecretStore may use. Only aws is looked into.
#           type: array
#           items: {type: string, minLength: 1}
#           default: [aws]
package gesso.policies.secret_store_scope

import data.gesso.lib
import data.gesso.lib.apps
import data.gesso.lib.keys
import data.gesso.lib.read

_object := object.get(input.request, "object", null)

_provider := read.at(_object, ["spec", "provider"])

_aws := read.at(_provider, ["aws"])

_at := "spec.provider.aws"

_path(name) := sprintf("%s.%s", [_at, name])

# Which provider.

deny contains lib.violation("spec.provider", "the store names no provider", _use_provider) if {
	read.absent(_provider)
}

deny contains lib.violation("spec.provider", "the provider is not an object", _use_provider) if {
	not read.absent(_provider)
	not is_object(_provider)
}

deny contains lib.violation("spec.provider", "the store names no provider", _use_provider) if {
	is_object(_provider)
	count(_named) == 0
}

deny contains lib.violation(sprintf("spec.provider.%s", [name]), sprintf("the provider %q is not allowed", [name]), _use_provider) if {
	some name in _named
	not name in input.parameters.providers
}

_named := {name | some name, value in read.mapping(_provider); not read.absent(value)}

_use_provider := sprintf("use one of these providers: %s", [concat(", ", input.parameters.providers)]) if {
	count(input.parameters.providers) > 0
} else := "use an ExternalSecret with a store of the platform"

deny contains lib.violation(_at, "aws is not an object", "write aws as a mapping with service, region and auth") if {
	not read.absent(_aws)
	not is_object(_aws)
}

# As whom: credentials of its own, or a role.

_auth := read.at(_aws, ["auth"])

_account := read.at(_auth, ["jwt", "serviceAccountRef"])

_keys := read.at(_auth, ["secretRef"])

deny contains lib.violation(
	_path("auth"),
	"the store has neither auth nor role, and reads with the rights of the operator, who may read everything",
	sprintf("write auth: {jwt: {serviceAccountRef: {name: %s}}}", [_example]),
) if {
	is_object(_aws)
	every value in [_account, _keys, _role] {
		value in {null, ""}
	}
	not _odd_auth
}

deny contains lib.violation(_path("auth"), "auth is not an object, or jwt in it is none", "write auth: {jwt: {serviceAccountRef: {name: …}}}") if {
	_odd_auth
}

_odd_auth if {
	some value in [_auth, read.at(_auth, ["jwt"])]
	not read.absent(value)
	not is_object(value)
}

deny contains lib.violation(
	_path("auth.secretRef"),
	"the store uses static keys, which never expire and work from anywhere",
	sprintf("write auth: {jwt: {serviceAccountRef: {name: %s}}}", [_example]),
) if {
	not read.absent(_keys)
}

# The ServiceAccount.

deny contains lib.violation(_path(sprintf("auth.jwt.serviceAccountRef%s", [suffix])), message, fix) if {
	not read.absent(_account)
	[suffix, message, fix] := _wrong_account
}

_wrong_account := ["", "serviceAccountRef is not an object", sprintf("write serviceAccountRef: {name: %s}", [_example])] if {
	not is_object(_account)
} else := [".name", "serviceAccountRef names no ServiceAccount", sprintf("write name: %s", [_example])] if {
	read.at(_account, ["name"]) in {null, ""}
} else := [".name", "the name of the ServiceAccount is not text", sprintf("write name: %s", [_example])] if {
	not is_string(_account.name)
} else := [
	".name",
	`the ServiceAccount "default" is everybody's: what it may read, every Pod of the namespace may read`,
	sprintf("make a ServiceAccount for the store, for example %s", [_example]),
] if {
	_account.name == "default"
} else := [
	".name",
	sprintf("the ServiceAccount %q does not belong to the app %q of the store", [_account.name, _app]),
	sprintf("use %s or %s-<more>, or leave the label app.kubernetes.io/name off the store", [_app, _app]),
] if {
	_app != ""
	not apps.named(_app, _account.name)
}

# The operator ignores the namespace of a namespaced store's ServiceAccount; whoever writes another one expects something else.
deny contains lib.violation(
	_path("auth.jwt.serviceAccountRef.namespace"),
	"a SecretStore uses ServiceAccounts of its own namespace only",
	"leave the namespace out",
) if {
	namespace := read.at(_account, ["namespace"])
	not namespace in {null, "", object.get(input.request, "namespace", "")}
}

_app := apps.name(_object)

_example := sprintf("%s-secrets", [_app]) if {
	_app != ""
} else := "secrets-reader"

# Roles.

_role := read.at(_aws, ["role"])

_roles contains {"path": _path("role"), "what": "role", "value": _role} if not _role in {null, ""}

_roles contains {"path": sprintf("%s[%d]", [_path("additionalRoles"), i]), "what": "additional role", "value": value} if {
	some i, value in read.list(_more_roles)
}

_more_roles := read.at(_aws, ["additionalRoles"])

deny contains lib.violation(_path("additionalRoles"), "additionalRoles is not a list", "write a list of role ARNs, or leave it out") if {
	not read.absent(_more_roles)
	not is_array(_more_roles)
}

deny contains lib.violation(role.path, sprintf("the %s is not text", [role.what]), _use_role) if {
	some role in _roles
	not is_string(role.value)
}

deny contains lib.violation(role.path, sprintf("the %s %q does not belong to this namespace", [role.what, role.value]), _use_role) if {
	some role in _roles
	is_string(role.value)
	not _own_role(role.value)
}

_own_role(role) if role in input.expected.iamRoles

# A role by convention has nothing but its name behind the namespace's path.
_own_role(role) if {
	prefix := input.expected.roleArnPrefix
	endswith(prefix, "/")
	startswith(role, prefix)
	regex.match(`^[A-Za-z0-9_+=,.@-]+$`, substring(role, count(prefix), -1))
}

_use_role := sprintf("use a role below %s, or have the platform grant this one", [input.expected.roleArnPrefix]) if {
	is_string(input.expected.roleArnPrefix)
} else := "leave it out, or have the platform grant the role to this namespace"

# The prefix of all keys.

_prefix := read.at(_aws, ["prefix"])

deny contains lib.violation(_path("prefix"), message, fix) if {
	not _prefix in {null, ""}
	[message, fix] := _wrong_prefix
}

_wrong_prefix := ["the prefix is not text", _use_prefix] if {
	not is_string(_prefix)
} else := [sprintf("the prefix %q %s", [_prefix, reason]), _use_prefix] if {
	reason := keys.suspicious(_prefix)
} else := [sprintf("the prefix %q holds %q", [_prefix, ":"]), _use_prefix] if {
	contains(_prefix, ":")
} else := [
	sprintf("the prefix %q does not end in %q: the key %q would be read as %q", [_prefix, "/", "-x", sprintf("%s-x", [_prefix])]),
	sprintf("write %s/", [_prefix]),
] if {
	not endswith(_prefix, "/")
	keys.within(_prefix, _scopes)
} else := [sprintf("the prefix %q is outside the scope of this namespace", [_prefix]), _use_prefix] if {
	not endswith(_prefix, "/")
} else := [sprintf("the prefix %q is outside the scope of this namespace", [_prefix]), _use_prefix] if {
	not keys.within(_prefix, _scopes)
}

_use_prefix := sprintf("write %s, or leave the prefix out", [concat(" or ", _scopes)]) if {
	count(_scopes) > 0
} else := "leave the prefix out"

# _scopes is empty, and not undefined, where nothing is expected.
_scopes := [scope | some scope in input.expected.secretScopes; keys.scope(scope)]
