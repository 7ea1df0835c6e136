# METADATA
# title: Keys of secrets in a store outside the cluster
# description: |
#   A key such as /prod/team-a/shop/database-url is in a scope such as /prod/team-a/ when it is below it. A scope begins and
#   ends with "/", so that /prod/team-a-evil/x is not below /prod/team-a/. Upper and lower case differ.
package gesso.lib.keys

# below is true for a key that lies in one of the scopes and is not the scope itself.
below(key, scopes) if {
	some prefix in scopes
	scope(prefix)
	startswith(key, prefix)
	key != prefix
}

# within is true for a path that is one of the scopes or lies in one; both spellings of a path, with and without "/" at its
# end, are the same.
within(path, scopes) if {
	some prefix in scopes
	scope(prefix)
	startswith(sprintf("%s/", [trim_suffix(path, "/")]), prefix)
}

# above is true for a path from which one of the scopes can be reached going down.
above(path, scopes) if {
	some prefix in scopes
	scope(prefix)
	startswith(prefix, sprintf("%s/", [trim_suffix(path, "/")]))
	not within(path, scopes)
}

# scope is true for what may serve as a scope: "" and "/" would be the scope of everything.
scope(value) if {
	startswith(value, "/")
	endswith(value, "/")
	count(trim(value, "/")) > 0
}

# suspicious says why a key or path must be refused wherever it points, because a store may read it differently from us. It is
# undefined for one that means what it says.
suspicious(key) := "is an ARN, which may name a secret of any account" if {
	regex.match(`(?i)^arn:`, key)
} else := `holds "%", white space, a backslash or a control character` if {
	regex.match(`[\s\p{Z}\p{C}%\\]`, key)
} else := `holds "/./" or "/../"` if {
	some part in split(_name(key), "/")
	part in {".", ".."}
} else := `holds "//"` if {
	contains(_name(key), "//")
} else := `has more after ":" than a version or a label` if {
	contains(key, ":")
	not regex.match(`^[^:]*:[A-Za-z0-9_.-]+$`, key)
}

# _name is the key without its version or label.
_name(key) := split(key, ":")[0]

# example turns a key that is refused into one that would be accepted.
example(key, scope, app) := sprintf("%s%s%s", [scope, _folder(scope, app), _last(key)])

_folder(scope, app) := sprintf("%s/", [app]) if {
	app != ""
	not endswith(scope, sprintf("/%s/", [app]))
} else := ""

_last(key) := last if {
	parts := [part | some part in split(_name(key), "/"); regex.match(`^[A-Za-z0-9_.-]*[A-Za-z0-9_-]$`, part)]
	last := parts[count(parts) - 1]
} else := "database-url"
