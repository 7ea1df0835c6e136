# METADATA
# title: Reading what may be of any shape
# description: |
#   A manifest may hold text where a mapping belongs. What is undefined in Rego denies nothing, so these functions are defined
#   for everything. Null counts as absent, because the API server drops it.
package gesso.lib.read

# at gives what stands at a path of names below a value, or null where nothing stands.
default at(_, _) := null

at(value, names) := object.get(value, names, null) if is_object(value)

absent(value) if is_null(value)

# mapping gives an object as it is, and an empty one for anything else.
mapping(value) := value if is_object(value)

mapping(value) := {} if not is_object(value)

# list gives a list as it is, and an empty one for anything else.
list(value) := value if is_array(value)

list(value) := [] if not is_array(value)

# label gives a label's value, or "" where it is not set to text.
label(object, name) := value if {
	value := at(object, ["metadata", "labels", name])
	is_string(value)
} else := ""

# annotation gives an annotation's value, or "" where it is not set to text.
annotation(object, name) := value if {
	value := at(object, ["metadata", "annotations", name])
	is_string(value)
} else := ""
