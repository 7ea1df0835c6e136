# METADATA
# title: A PushSecret writes into its own namespace's scope
# description: |
#   A PushSecret carries Secrets of a namespace into a store outside of the cluster. It must name the one Secret that it carries,
#   the keys or an expression for them, the stores, and where in the scope of the namespace they go: whoever writes elsewhere
#   overwrites what others read. A selector by label takes along what somebody labels tomorrow. With deletionPolicy Delete the
#   secret is gone for everybody when somebody deletes the PushSecret. Generators other than those of the parameter are refused:
#   they make credentials, which an ExternalSecret could read back.
# related_resources:
#   - https://external-secrets.io/latest/api/pushsecret/
#   - https://external-secrets.io/latest/guides/pushsecrets/
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: external-secrets.io, kind: PushSecret}
#     action: warn
#     parameters:
#       type: object
#       properties:
#         perApp:
#           description: The scope is /<environment>/<namespace>/<app>/ instead of the whole namespace's.
#           type: boolean
#           default: false
#         clusterSecretStores:
#           description: Names of ClusterSecretStores that may be written to.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
#         generators:
#           description: Kinds of generators whose values may be pushed.
#           type: array
#           items: {type: string, minLength: 1}
#           default: [Password, UUID]
#     inventory:
#       - name: stores
#         group: external-secrets.io
#         version: v1
#         kind: SecretStore
#         by: metadata.namespace
#         fields: [spec.provider.aws.prefix]
#       - name: clusterStores
#         group: external-secrets.io
#         version: v1
#         kind: ClusterSecretStore
#         by: metadata.name
#         fields: [spec.provider.aws.prefix]
package gesso.policies.push_secret_scope

import data.gesso.lib
import data.gesso.lib.keys
import data.gesso.lib.patterns
import data.gesso.lib.read
import data.gesso.lib.scope
import data.gesso.lib.stores

_object := object.get(input.request, "object", null)

_spec := read.at(_object, ["spec"])

default _namespace := ""

_namespace := input.request.namespace

# Other objects; where nothing is known of them, there are none.

default _stores_known := {}

_stores_known := input.inventory.stores

default _cluster_stores_known := {}

_cluster_stores_known := input.inventory.clusterStores

deny contains lib.violation("spec", "spec is not an object", "write spec as a mapping") if not is_object(_spec)

deny contains lib.violation(path, sprintf("%s is not a list", [path]), "write a list") if {
	some name in ["data", "dataTo", "secretStoreRefs"]
	value := read.at(_spec, [name])
	not read.absent(value)
	not is_array(value)
	path := sprintf("spec.%s", [name])
}

deny contains lib.violation(item.path, sprintf("%s is not an object", [item.path]), "write a mapping") if {
	some item in ((_data | _rules) | _refs)
	not is_object(item.value)
}

_data contains {"path": sprintf("spec.data[%d]", [i]), "value": value} if {
	some i, value in read.list(read.at(_spec, ["data"]))
}

_rules contains {"path": sprintf("spec.dataTo[%d]", [i]), "value": value} if {
	some i, value in read.list(read.at(_spec, ["dataTo"]))
}

# What is pushed.

_selector := read.at(_spec, ["selector"])

deny contains lib.violation(
	"spec.selector.secret.selector",
	"the Secrets are selected by label: whatever somebody labels tomorrow is pushed as well",
	"write selector: {secret: {name: …}}",
) if {
	not read.absent(read.at(_selector, ["secret", "selector"]))
}

deny contains lib.violation("spec.selector", "nothing is named that is pushed", "write selector: {secret: {name: …}}") if {
	is_object(_spec)
	every names in [["secret", "name"], ["secret", "selector"], ["generatorRef"]] {
		read.at(_selector, names) in {null, ""}
	}
}

deny contains lib.violation("spec.selector.secret.name", "the name of the Secret is not text", "write selector: {secret: {name: …}}") if {
	name := read.at(_selector, ["secret", "name"])
	not read.absent(name)
	not is_string(name)
}

deny contains lib.violation("spec.selector.generatorRef.kind", message, _generator_fix) if {
	generator := read.at(_selector, ["generatorRef"])
	not read.absent(generator)
	message := _wrong_generator(generator)
}

_wrong_generator(generator) := "the generator has no kind" if {
	not is_string(read.at(generator, ["kind"]))
} else := sprintf("a generator of the kind %q is not allowed", [generator.kind]) if {
	not generator.kind in input.parameters.generators
}

_generator_fix := sprintf("use one of these kinds: %s", [concat(", ", input.parameters.generators)]) if {
	count(input.parameters.generators) > 0
} else := "push a Secret"

# Where it goes: stores.

_refs contains {"path": sprintf("spec.secretStoreRefs[%d]", [i]), "value": value} if {
	some i, value in read.list(read.at(_spec, ["secretStoreRefs"]))
}

_refs contains {"path": sprintf("%s.storeRef", [rule.path]), "value": value} if {
	some rule in _rules
	value := read.at(rule.value, ["storeRef"])
	not read.absent(value)
}

deny contains lib.violation(
	sprintf("%s.labelSelector", [ref.path]),
	"the stores are selected by label: whatever store somebody labels tomorrow is written to as well",
	"write the name of a SecretStore of this namespace",
) if {
	some ref in _refs
	not read.absent(read.at(ref.value, ["labelSelector"]))
}

deny contains lib.violation(sprintf("%s.kind", [ref.path]), message, "use a SecretStore of this namespace") if {
	some ref in _refs
	is_object(ref.value)
	message := _wrong_store(ref.value)
}

_wrong_store(ref) := "the kind of the store is not text" if {
	not is_string(stores.kind(ref))
} else := sprintf("%q is no kind of store that is known", [ref.kind]) if {
	not stores.kind(ref) in {"SecretStore", "ClusterSecretStore"}
} else := sprintf("the ClusterSecretStore %q belongs to every namespace", [stores.name(ref)]) if {
	stores.kind(ref) == "ClusterSecretStore"
	not stores.name(ref) in input.parameters.clusterSecretStores
}

# A key goes to each of the stores, and must be in scope in each of them.

_everywhere := {_store(ref.value) | some ref in _refs; startswith(ref.path, "spec.secretStoreRefs")}

_store(ref) := {
	"name": stores.name(ref),
	"prefix": stores.prefix(ref, _namespace, _stores_known, _cluster_stores_known),
}

_keys contains {
	"path": sprintf("%s.match.remoteRef.remoteKey", [item.path]), "where": _where(item),
	"value": read.at(item.value, ["match", "remoteRef", "remoteKey"]), "store": store,
} if {
	some item in _data
	is_object(item.value)
	some store in _or_unknown(_everywhere)
}

_or_unknown(known) := known if {
	count(known) > 0
} else := {{"name": "", "prefix": ""}}

_keys contains {
	"path": sprintf("%s.remoteKey", [rule.path]), "where": "dataTo",
	"value": rule.value.remoteKey, "store": _store(read.at(rule.value, ["storeRef"])),
} if {
	some rule in _rules
	not read.at(rule.value, ["remoteKey"]) in {null, ""}
}

_where(item) := sprintf("secretKey %q", [key]) if {
	key := read.at(item.value, ["match", "secretKey"])
	is_string(key)
} else := item.path

deny contains lib.violation(key.path, sprintf("%s: %s", [key.where, message]), fix) if {
	some key in _keys
	[message, fix] := scope.wrong(key.value, key.store, _scopes, input.app)
}

warn contains lib.violation(key.path, message, fix) if {
	some key in _keys
	scope.twice(key.value, key.store, _scopes)
	message := sprintf("%s: the store %q puts its prefix before the key, and writes %q", [key.where, key.store.name, scope.behind(key.store, key.value)])
	fix := sprintf("write what comes after the prefix %s, or use a store without one", [key.store.prefix])
}

# Without a remoteKey each key of the Secret becomes a name of its own: only a prefix brings it into the scope.
deny contains lib.violation(sprintf("%s.remoteKey", [rule.path]), message, _bundle) if {
	some rule in _rules
	is_object(rule.value)
	read.at(rule.value, ["remoteKey"]) in {null, ""}
	store := _store(read.at(rule.value, ["storeRef"]))
	not _prefix_in_scope(store.prefix)
	message := "dataTo: without a remoteKey the keys of the Secret become names outside of the scope of this namespace"
}

_prefix_in_scope(prefix) if {
	endswith(prefix, "/")
	keys.within(prefix, _scopes)
	not keys.suspicious(prefix)
}

_bundle := sprintf("write remoteKey: %s, or use a store with a prefix below %s", [keys.example("", _scopes[0], input.app), scope.names(_scopes)]) if {
	count(_scopes) > 0
} else := scope.none

# Which keys of the Secret.

deny contains lib.violation(sprintf("%s.match.regexp", [rule.path]), message, "write an expression for the keys that are meant, for example ^DB_") if {
	some rule in _rules
	is_object(rule.value)
	message := _wrong_expression(read.at(rule.value, ["match", "regexp"]))
}

_wrong_expression(expression) := "dataTo: without match.regexp every key of the Secret is pushed" if {
	expression in {null, ""}
} else := "dataTo: the expression is not text" if {
	not is_string(expression)
} else := sprintf("dataTo: the expression %q is not valid", [expression]) if {
	not regex.is_valid(expression)
} else := sprintf("dataTo: the expression %q matches any key of the Secret", [expression]) if {
	patterns.wide(expression)
}

# What becomes of it.

deny contains lib.violation(
	"spec.deletionPolicy",
	"deletionPolicy Delete deletes the secret outside of the cluster when the PushSecret is deleted",
	"write deletionPolicy: None, or leave it out",
) if {
	read.at(_spec, ["deletionPolicy"]) == "Delete"
}

deny contains lib.violation("spec.deletionPolicy", "deletionPolicy is not text", "write deletionPolicy: None, or leave it out") if {
	policy := read.at(_spec, ["deletionPolicy"])
	not read.absent(policy)
	not is_string(policy)
}

# _scopes is empty, and not undefined, where nothing is expected.
_scopes := [prefix | some prefix in _expected_scopes; keys.scope(prefix)]

_expected_scopes := input.expected.appSecretScopes if input.parameters.perApp

_expected_scopes := input.expected.secretScopes if not input.parameters.perApp
