# METADATA
# title: An ExternalSecret reads its own namespace's secrets
# description: |
#   A shared secret store knows no namespaces: an ExternalSecret may ask it for any key, and gets it. Every key and every path
#   must lie in the scope of the namespace, /<environment>/<namespace>/, or in a prefix that the platform has granted it. A store
#   of the whole cluster and a generator of credentials are refused unless the parameters list them. Whatever cannot be read is
#   refused, never skipped.
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
package gesso.policies.external_secret_scope

import data.gesso.lib
import data.gesso.lib.keys

# What the manifest says, and what cannot be read of it.

_object := object.get(input.request, "object", null)

_spec := _object.spec

deny contains lib.violation("", "the request carries no object", "send an ExternalSecret") if not is_object(_object)

deny contains lib.violation("spec", "spec is not an object", "write spec as a mapping") if {
	spec := _at(_object, ["spec"])
	not _absent(spec)
	not is_object(spec)
}

deny contains lib.violation(path, sprintf("%s is not a list", [path]), "write a list") if {
	some name in ["data", "dataFrom"]
	value := _spec[name]
	not _absent(value)
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

_absent(value) if is_null(value)

# _at gives what stands at a path of names below a value, or null where nothing stands.
default _at(_, _) := null

_at(value, names) := object.get(value, names, null) if is_object(value)

# Keys: every one that is read, present or not.

_keys contains {"path": sprintf("%s.remoteRef.key", [item.path]), "where": item.where, "value": _at(item.value, ["remoteRef", "key"])} if {
	some item in _items
	item.list == "data"
	is_object(item.value)
}

_keys contains {"path": sprintf("%s.extract.key", [item.path]), "where": item.where, "value": _at(item.value, ["extract", "key"])} if {
	some item in _items
	item.list == "dataFrom"
	not _absent(_at(item.value, ["extract"]))
}

deny contains _violation(key.path, key.where, message, fix) if {
	some key in _keys
	[message, fix] := _wrong_key(key.value)
}

# _wrong_key gives what is wrong with a key and what to write instead. It is undefined for a key in scope.
_wrong_key(key) := ["no key is given", _use("")] if {
	_absent(key)
} else := ["the key is not text", _use("")] if {
	not is_string(key)
} else := ["the key is empty", _use("")] if {
	key == ""
} else := [sprintf("key %q %s", [key, reason]), _use(key)] if {
	reason := keys.suspicious(key)
} else := [sprintf("key %q names no secret: it ends in %q", [key, "/"]), _use("")] if {
	endswith(split(key, ":")[0], "/")
} else := [
	sprintf("key %q is relative, and where it leads depends on the store", [key]),
	sprintf("write the whole key: %s", [_absolute(key)]),
] if {
	not startswith(key, "/")
} else := [sprintf("key %q is outside the scope of this namespace", [key]), _use(key)] if {
	not keys.below(key, _scopes)
}

# Paths: every find, with or without one.

deny contains _violation(sprintf("%s.find.path", [item.path]), item.where, message, fix) if {
	some item in _items
	item.list == "dataFrom"
	find := _at(item.value, ["find"])
	not _absent(find)
	[message, fix] := _wrong_find(find)
}

_wrong_find(find) := ["find is not an object", _search] if {
	not is_object(find)
} else := ["find by tags without a path searches the whole account", _search] if {
	_absent(object.get(find, "path", null))
	not _absent(object.get(find, "tags", null))
} else := ["find without a path searches the whole store", _search] if {
	_absent(object.get(find, "path", null))
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
		_absent(_at(item.value, names))
	}
}

# Stores: the one of the whole ExternalSecret, and those that an element names for itself.

_stores contains {"path": "spec.secretStoreRef", "where": "spec.secretStoreRef", "value": _at(_spec, ["secretStoreRef"])}

_stores contains {"path": sprintf("%s.sourceRef.storeRef", [item.path]), "where": item.where, "value": _at(item.value, ["sourceRef", "storeRef"])} if {
	some item in _items
}

deny contains _violation(field, store.where, message, fix) if {
	some store in _stores
	not _absent(store.value)
	[suffix, message, fix] := _wrong_store(store.value)
	field := sprintf("%s%s", [store.path, suffix])
}

_wrong_store(store) := ["", "the store reference is not an object", "write name and kind of a SecretStore"] if {
	not is_object(store)
} else := [".kind", "the kind of the store is not text", "write kind: SecretStore"] if {
	not _absent(object.get(store, "kind", null))
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
	source := _at(item.value, ["sourceRef"])
	not _absent(source)
	not is_object(source)
}

deny contains _violation(field, item.where, message, _generator_fix) if {
	some item in _items
	generator := _at(item.value, ["sourceRef", "generatorRef"])
	not _absent(generator)
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

# The scope, and what to write instead.

# _scopes is empty, and not undefined, where nothing is expected.
_scopes := [scope | some scope in _expected_scopes; keys.scope(scope)]

_expected_scopes := input.expected.appSecretScopes if input.parameters.perApp

_expected_scopes := input.expected.secretScopes if not input.parameters.perApp

_use(key) := sprintf("use a key below %s, for example %s", [_names, keys.example(key, _scopes[0], input.app)]) if {
	count(_scopes) > 0
} else := _no_scope

_search := sprintf("set find.path to %s or below", [_names]) if {
	count(_scopes) > 0
} else := _no_scope

_no_scope := "ask the platform for a scope: this namespace has none"

_names := concat(" or ", _scopes)

# _absolute keeps what the author wrote where only the first "/" is missing.
_absolute(key) := sprintf("/%s", [key]) if {
	keys.below(sprintf("/%s", [key]), _scopes)
} else := sprintf("%s%s", [_scopes[0], key]) if {
	count(_scopes) > 0
} else := _no_scope
