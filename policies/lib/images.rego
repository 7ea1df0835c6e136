# METADATA
# title: Images and where they come from
# description: |
#   Which registries and repositories an image may come from. An entry is a host, or a host and a prefix of the repository, both
#   compared whole: registry.example is neither registry.example.evil.example nor registry.example:5000, and registry.example/team-a
#   is the repository team-a and all below team-a/, but not team-a-evil. Upper and lower case differ. Where the runtime adds what the
#   author left out, an entry means what the runtime uses: nginx is docker.io/library/nginx, and index.docker.io is docker.io.
package gesso.lib.images

# under is true for a parsed reference that lies under one of the entries.
under(ref, entries) if {
	ref.ok
	some entry in entries
	[host, prefix] := _split(entry)
	ref.registry == host
	_within(ref.repository, prefix)
}

_split(entry) := [_host(parts[0]), concat("/", array.slice(parts, 1, count(parts)))] if parts := split(entry, "/")

_host(host) := "docker.io" if {
	host == "index.docker.io"
} else := host

_within(_, "")

_within(repository, prefix) if repository == prefix

_within(repository, prefix) if {
	prefix != ""
	startswith(repository, sprintf("%s/", [trim_suffix(prefix, "/")]))
}

# whole is the reference as the runtime reads it, without tag and digest.
whole(ref) := sprintf("%s/%s", [ref.registry, ref.repository])
