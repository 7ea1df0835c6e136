# METADATA
# title: What is known of secret stores
# description: |
#   A store of AWS may have a prefix that goes before every key, by plain concatenation and without a "/" between. Which
#   stores there are comes from the inventory: SecretStores by namespace, ClusterSecretStores by name.
package gesso.lib.stores

import data.gesso.lib.read

# prefix is what goes before the keys of the store that a reference names; "" where that store has none or is not known.
prefix(ref, namespace, stores, cluster) := value if {
	value := read.at(_store(ref, namespace, stores, cluster), ["spec", "provider", "aws", "prefix"])
	is_string(value)
} else := ""

_store(ref, namespace, stores, cluster) := store if {
	kind(ref) == "SecretStore"
	store := stores[namespace][sprintf("%s/%s", [namespace, ref.name])]
} else := store if {
	kind(ref) == "ClusterSecretStore"
	store := cluster[ref.name][ref.name]
} else := null

# kind of the store that a reference names.
kind(ref) := "SecretStore" if {
	read.at(ref, ["kind"]) in {null, ""}
} else := read.at(ref, ["kind"])

# name of the store for a message.
name(ref) := value if {
	value := read.at(ref, ["name"])
	is_string(value)
} else := ""
