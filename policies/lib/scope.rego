# METADATA
# title: Whether a key is in the scope of a namespace
# description: |
#   One answer for reading and for writing: what is wrong with a key, and what to write instead. store is {"name", "prefix"};
#   the prefix is "" where the store has none or is not known.
package gesso.lib.scope

import data.gesso.lib.keys

# wrong gives what is wrong with a key and what to write instead. It is undefined for a key in scope.
wrong(key, store, scopes, app) := ["no key is given", use("", scopes, app)] if {
	is_null(key)
} else := ["the key is not text", use("", scopes, app)] if {
	not is_string(key)
} else := ["the key is empty", use("", scopes, app)] if {
	key == ""
} else := [sprintf("key %q %s", [key, reason]), use(key, scopes, app)] if {
	reason := keys.suspicious(key)
} else := [sprintf("key %q names no secret: it ends in %q", [key, "/"]), use("", scopes, app)] if {
	endswith(split(key, ":")[0], "/")
} else := [
	sprintf("key %q is relative, and where it leads depends on the store", [key]),
	sprintf("write the whole key: %s", [absolute(key, scopes)]),
] if {
	store.prefix == ""
	not startswith(key, "/")
} else := [sprintf("key %q is outside the scope of this namespace", [key]), use(key, scopes, app)] if {
	store.prefix == ""
	not keys.below(key, scopes)
} else := [
	sprintf("key %q is outside the scope of this namespace behind the prefix %q of the store %q", [key, store.prefix, store.name]),
	sprintf("use a store without a prefix, and write the whole key: %s", [absolute(key, scopes)]),
] if {
	store.prefix != ""
	not keys.below(behind(store, key), scopes)
} else := [
	sprintf("key %q is read as %q behind the prefix of the store %q, which %s", [key, behind(store, key), store.name, reason]),
	sprintf("write %s", [trim_left(key, "/")]),
] if {
	store.prefix != ""
	not keys.below(key, scopes)
	reason := keys.suspicious(behind(store, key))
}

# behind is the key as the store reads it.
behind(store, key) := sprintf("%s%s", [store.prefix, key])

# twice is true for a whole key in scope behind a prefix in scope: it reads nothing of anybody else's, and most likely nothing at all.
twice(key, store, scopes) if {
	is_string(key)
	store.prefix != ""
	keys.below(key, scopes)
	keys.below(behind(store, key), scopes)
	not keys.suspicious(key)
}

# use says which keys would be accepted, with an example.
use(key, scopes, app) := sprintf("use a key below %s, for example %s", [names(scopes), keys.example(key, scopes[0], app)]) if {
	count(scopes) > 0
} else := none

none := "ask the platform for a scope: this namespace has none"

names(scopes) := concat(" or ", scopes)

# absolute keeps what the author wrote where only the first "/" is missing.
absolute(key, scopes) := sprintf("/%s", [key]) if {
	keys.below(sprintf("/%s", [key]), scopes)
} else := sprintf("%s%s", [scopes[0], trim_left(key, "/")]) if {
	count(scopes) > 0
} else := none
