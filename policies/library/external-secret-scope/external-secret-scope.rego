# METADATA
# title: An ExternalSecret reads its own namespace's secrets
# description: |
#   A shared secret store knows no namespaces: an ExternalSecret may ask it for any key, and gets it. Every key and every path
#   must lie in the scope of the namespace, /<environment>/<namespace>/, or in a prefix that the platform has granted it. A store
#   of the whole cluster and a generator of credentials are refused unless the parameters list them. Whatever cannot be read is
#   refused, never skipped. Where the store is known, its prefix is counted in: a relative key is accepted when prefix and key
#   together are in scope. What becomes of the secret counts as well: it goes into a Secret of the app's own, not into another
#   app's, not into a ConfigMap or another kind, not into labels and annotations, and not into a token for a ServiceAccount.
# related_resources:
#   - https://external-secrets.io/latest/guides/multi-tenancy/
#   - https://external-secrets.io/latest/guides/security-best-practices/
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: external-secrets.io, kind: ExternalSecret}
#     action: deny
#     parameters:
#       type: object
#       properties:
#         perApp:
#           description: The scope is /<environment>/<namespace>/<app>/ instead of the whole namespace's.
#           type: boolean
#           default: false
#         clusterSecretStores:
#           description: Names of ClusterSecretStores that may be used.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
#         generators:
#           description: Kinds of generators that may be used.
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
#       - name: externalSecrets
#         group: external-secrets.io
#         version: v1
#         kind: ExternalSecret
#         by: metadata.namespace
#         fields: ["metadata.labels[app.kubernetes.io/name]", spec.target.name]
package gesso.policies.external_secret_scope

import data.gesso.lib
import data.gesso.lib.apps
import data.gesso.lib.keys
import data.gesso.lib.read
import data.gesso.lib.scope
import data.gesso.lib.stores

# What the manifest says, and what cannot be read of it.

default _namespace := ""

_namespace := input.request.namespace

# Other objects; where nothing is known of them, there are none.

default _stores_known := {}

_stores_known := input.inventory.stores

default _cluster_stores_known := {}

_cluster_stores_known := input.inventory.clusterStores

default _external_secrets_known := {}

_external_secrets_known := input.inventory.externalSecrets

_object := object.get(input.request, "object", null)

_spec := read.at(_object, ["spec"])

deny contains lib.violation("", "the request carries no object", "send an ExternalSecret") if not is_object(_object)

deny contains lib.violation("spec", "spec is not an object", "write spec as a mapping") if {
	spec := read.at(_object, ["spec"])
	not read.absent(spec)
	not is_object(spec)
}

deny contains lib.violation(path, sprintf("%s is not a list", [path]), "write a list") if {
	some name in ["data", "dataFrom"]
	value := _spec[name]
	not read.absent(value)
	not is_array(value)
	path := sprintf("spec.%s", [name])
}

deny contains lib.violation(item.path, sprintf("%s is not an object", [item.where]), "write a mapping with remoteRef, extract or find") if {
	some item in _items
	not is_object(item.value)
}

# _items are the elements of both lists, whatever they are. A message says where by the secret's key where there is one: it
# stays the same when the list is sorted in another way, and so the ratchet knows the element again.
_items contains {"list": name, "path": path, "where": _where(path, value), "value": value} if {
	some name in ["data", "dataFrom"]
	is_array(_spec[name])
	some i, value in _spec[name]
	path := sprintf("spec.%s[%d]", [name, i])
}

_where(path, value) := sprintf("secretKey %q", [value.secretKey]) if {
	is_string(value.secretKey)
} else := path

_violation(field, where, message, fix) := lib.violation(field, sprintf("%s: %s", [where, message]), fix)

# Keys: every one that is read, present or not.

_keys contains {
	"path": sprintf("%s.remoteRef.key", [item.path]), "where": item.where,
	"value": read.at(item.value, ["remoteRef", "key"]), "store": _store_of(item),
} if {
	some item in _items
	item.list == "data"
	is_object(item.value)
}

_keys contains {
	"path": sprintf("%s.extract.key", [item.path]), "where": item.where,
	"value": read.at(item.value, ["extract", "key"]), "store": _store_of(item),
} if {
	some item in _items
	item.list == "dataFrom"
	not read.absent(read.at(item.value, ["extract"]))
}

# _store_of is the store that an element is read from: its own, else that of the whole ExternalSecret. A name that is not known
# has the prefix "".
_store_of(item) := {"name": stores.name(ref), "prefix": prefix} if {
	own := read.at(item.value, ["sourceRef", "storeRef"])
	ref := [candidate | some candidate in [own, read.at(_spec, ["secretStoreRef"]), {}]; not read.absent(candidate)][0]
	prefix := stores.prefix(ref, _namespace, _stores_known, _cluster_stores_known)
}

deny contains _violation(key.path, key.where, message, fix) if {
	some key in _keys
	[message, fix] := scope.wrong(key.value, key.store, _scopes, input.app)
}

warn contains _violation(key.path, key.where, message, fix) if {
	some key in _keys
	scope.twice(key.value, key.store, _scopes)
	message := sprintf("the store %q puts its prefix before the key, and reads %q", [key.store.name, scope.behind(key.store, key.value)])
	fix := sprintf("write what comes after the prefix %s, or use a store without one", [key.store.prefix])
}

# Paths: every find, with or without one.

deny contains _violation(sprintf("%s.find.path", [item.path]), item.where, message, fix) if {
	some item in _items
	item.list == "dataFrom"
	find := read.at(item.value, ["find"])
	not read.absent(find)
	[message, fix] := _wrong_find(find)
}

_wrong_find(find) := ["find is not an object", _search] if {
	not is_object(find)
} else := ["find by tags without a path searches the whole account", _search] if {
	read.absent(object.get(find, "path", null))
	not read.absent(object.get(find, "tags", null))
} else := ["find without a path searches the whole store", _search] if {
	read.absent(object.get(find, "path", null))
} else := ["the path is not text", _search] if {
	not is_string(find.path)
} else := ["the path is empty, which searches the whole store", _search] if {
	find.path == ""
} else := [sprintf("path %q %s", [find.path, reason]), _search] if {
	reason := keys.suspicious(find.path)
} else := [sprintf("path %q holds %q", [find.path, ":"]), _search] if {
	contains(find.path, ":")
} else := [sprintf("path %q is above the scope of this namespace", [find.path]), _search] if {
	keys.above(find.path, _scopes)
} else := [sprintf("path %q is outside the scope of this namespace", [find.path]), _search] if {
	not keys.within(find.path, _scopes)
}

# An element of dataFrom that reads in none of the known ways reads in one that is not known here.

deny contains _violation(item.path, item.where, "nothing is named that is read", "write extract with a key, or find with a path") if {
	some item in _items
	item.list == "dataFrom"
	is_object(item.value)
	every names in [["extract"], ["find"], ["sourceRef", "generatorRef"]] {
		read.absent(read.at(item.value, names))
	}
}

# Stores: the one of the whole ExternalSecret, and those that an element names for itself.

_stores contains {"path": "spec.secretStoreRef", "where": "spec.secretStoreRef", "value": read.at(_spec, ["secretStoreRef"])}

_stores contains {"path": sprintf("%s.sourceRef.storeRef", [item.path]), "where": item.where, "value": read.at(item.value, ["sourceRef", "storeRef"])} if {
	some item in _items
}

deny contains _violation(field, store.where, message, fix) if {
	some store in _stores
	not read.absent(store.value)
	[suffix, message, fix] := _wrong_store(store.value)
	field := sprintf("%s%s", [store.path, suffix])
}

_wrong_store(store) := ["", "the store reference is not an object", "write name and kind of a SecretStore"] if {
	not is_object(store)
} else := [".kind", "the kind of the store is not text", "write kind: SecretStore"] if {
	not read.absent(object.get(store, "kind", null))
	not is_string(store.kind)
} else := [".name", "the ClusterSecretStore has no name", _own_store] if {
	object.get(store, "kind", "") == "ClusterSecretStore"
	not is_string(object.get(store, "name", null))
} else := [
	".kind",
	sprintf("the ClusterSecretStore %q reads the secrets of every namespace", [store.name]),
	_own_store,
] if {
	object.get(store, "kind", "") == "ClusterSecretStore"
	not store.name in input.parameters.clusterSecretStores
} else := [".kind", sprintf("%q is no kind of store that is known", [store.kind]), _own_store] if {
	is_string(store.kind)
	not store.kind in {"", "SecretStore", "ClusterSecretStore"}
}

_own_store := "use a SecretStore of this namespace"

# Generators make new credentials; which ones, the platform says.

deny contains _violation(sprintf("%s.sourceRef", [item.path]), item.where, "sourceRef is not an object", "write storeRef or generatorRef") if {
	some item in _items
	source := read.at(item.value, ["sourceRef"])
	not read.absent(source)
	not is_object(source)
}

deny contains _violation(field, item.where, message, _generator_fix) if {
	some item in _items
	generator := read.at(item.value, ["sourceRef", "generatorRef"])
	not read.absent(generator)
	[suffix, message] := _wrong_generator(generator)
	field := sprintf("%s.sourceRef.generatorRef%s", [item.path, suffix])
}

_wrong_generator(generator) := ["", "the generator reference is not an object"] if {
	not is_object(generator)
} else := [".kind", "the generator has no kind"] if {
	not is_string(object.get(generator, "kind", null))
} else := [".kind", sprintf("a generator of the kind %q is not allowed", [generator.kind])] if {
	not generator.kind in input.parameters.generators
}

_generator_fix := sprintf("use one of these kinds: %s", [concat(", ", input.parameters.generators)]) if {
	count(input.parameters.generators) > 0
} else := "read the secret from a store"

# The target: where the secret goes to.

_target := read.at(_spec, ["target"])

_template := read.at(_target, ["template"])

deny contains lib.violation("spec.target", "target is not an object", "write target as a mapping with a name") if {
	not read.absent(_target)
	not is_object(_target)
}

deny contains lib.violation("spec.target.template", "the template is not an object", "write the template as a mapping") if {
	not read.absent(_template)
	not is_object(_template)
}

# Whoever merges into a Secret, or leaves one behind without an owner, must be its owner.

deny contains lib.violation("spec.target.name", message, fix) if {
	policy := read.at(_target, ["creationPolicy"])
	policy in {"Merge", "CreateOrMerge", "Orphan"}
	name := apps.target(_object)
	not _own_secret(name)
	message := sprintf("target: creationPolicy %s writes into the Secret %q, which does not belong to the app %q", [policy, name, input.app])
	fix := sprintf("use the target name %s or %s-<more>, or creationPolicy Owner", [_app, _app])
}

deny contains lib.violation("spec.target.creationPolicy", "target: creationPolicy is not text", "write creationPolicy: Owner") if {
	policy := read.at(_target, ["creationPolicy"])
	not read.absent(policy)
	not is_string(policy)
}

_own_secret(name) if apps.belongs(input.app, name, _others, {app | some other in _others; app := apps.name(other)})

# _others are the other ExternalSecrets of the namespace.
_others := {id: other |
	some id, other in _external_secrets_known[_namespace]
	id != sprintf("%s/%s", [_namespace, read.at(_object, ["metadata", "name"])])
}

_app := input.app if {
	input.app != ""
} else := "<app>"

deny contains lib.violation(
	"spec.target.manifest",
	sprintf("target: manifest puts the secret into the kind %s, which is kept and guarded like any other object", [_kind(manifest)]),
	"leave manifest out: the target is a Secret",
) if {
	manifest := read.at(_target, ["manifest"])
	not read.absent(manifest)
}

_kind(manifest) := sprintf("%q", [manifest.kind]) if {
	is_string(read.at(manifest, ["kind"]))
} else := "of another object"

# Types of Secrets that the cluster fills in or believes.

_token_types := {"kubernetes.io/service-account-token", "bootstrap.kubernetes.io/token"}

deny contains lib.violation(
	"spec.target.template.type",
	sprintf("target: a Secret of the type %q is a credential for the cluster itself", [_template.type]),
	"leave the type out, or write Opaque",
) if {
	_template.type in _token_types
}

deny contains lib.violation("spec.target.template.type", "target: the type is not text", "leave the type out, or write Opaque") if {
	type := read.at(_template, ["type"])
	not read.absent(type)
	not is_string(type)
}

_service_account := "kubernetes.io/service-account.name"

deny contains lib.violation(
	sprintf("spec.target.template.metadata.annotations[%s]", [_service_account]),
	sprintf("target: the annotation %s asks for a token of a ServiceAccount", [_service_account]),
	"leave the annotation out; a Pod gets its token from the kubelet",
) if {
	not read.absent(read.at(_template, ["metadata", "annotations", _service_account]))
}

# The labels of the Secret come from the template, or without a template from the ExternalSecret itself.

_argo_label := "argocd.argoproj.io/secret-type"

deny contains lib.violation(
	sprintf("%s.labels[%s]", [place, _argo_label]),
	sprintf("target: the label %s makes the Secret a credential of Argo CD", [_argo_label]),
	"leave the label out; the platform registers clusters and repositories",
) if {
	some place, metadata in {"metadata": read.at(_object, ["metadata"]), "spec.target.template.metadata": read.at(_template, ["metadata"])}
	not read.absent(read.at(metadata, ["labels", _argo_label]))
}

# Parts of the template that come from elsewhere, or go elsewhere than into the Secret's data.

_parts := read.at(_template, ["templateFrom"])

deny contains lib.violation("spec.target.template.templateFrom", "target: templateFrom is not a list", "write a list") if {
	not read.absent(_parts)
	not is_array(_parts)
}

deny contains lib.violation(path, "target: a part of templateFrom is not an object", "write a mapping with configMap, secret or literal") if {
	some i, part in read.list(_parts)
	not is_object(part)
	path := sprintf("spec.target.template.templateFrom[%d]", [i])
}

deny contains lib.violation(path, message, fix) if {
	some i, part in read.list(_parts)
	secret := read.at(part, ["secret"])
	not read.absent(secret)
	path := sprintf("spec.target.template.templateFrom[%d].secret.name", [i])
	[message, fix] := _wrong_source(secret)
}

_wrong_source(secret) := ["target: templateFrom names no Secret", sprintf("write the name of a Secret of the app %q", [input.app])] if {
	not is_string(read.at(secret, ["name"]))
} else := [
	sprintf("target: templateFrom reads the Secret %q, which does not belong to the app %q", [secret.name, input.app]),
	sprintf("use a Secret called %s or %s-<more>", [_app, _app]),
] if {
	not _own_secret(secret.name)
}

deny contains lib.violation(
	sprintf("spec.target.template.templateFrom[%d].target", [i]),
	sprintf("target: templateFrom writes the secret into %s, where everybody reads it who may read metadata", [_place(target)]),
	"leave target out, or write Data",
) if {
	some i, part in read.list(_parts)
	target := read.at(part, ["target"])
	not read.absent(target)
	not target in {"", "Data"}
}

_place(target) := sprintf("%q", [target]) if {
	is_string(target)
} else := "something that is not text"

# Labels and annotations of the template are templates themselves.

warn contains lib.violation(
	sprintf("spec.target.template.metadata.%s[%s]", [name, key]),
	sprintf("target: the template of %s[%s] writes the secret where everybody reads it who may read metadata", [name, key]),
	"leave it out, or write it as plain text",
) if {
	some name in ["annotations", "labels"]
	some key, value in read.mapping(read.at(_template, ["metadata", name]))
	is_string(value)
	contains(value, "{{")
}

# The scope, and what to write instead.

# _scopes is empty, and not undefined, where nothing is expected.
_scopes := [prefix | some prefix in _expected_scopes; keys.scope(prefix)]

_expected_scopes := input.expected.appSecretScopes if input.parameters.perApp

_expected_scopes := input.expected.secretScopes if not input.parameters.perApp

_search := sprintf("set find.path to %s or below", [scope.names(_scopes)]) if {
	count(_scopes) > 0
} else := scope.none
