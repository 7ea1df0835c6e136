# METADATA
# title: Shared helpers
# description: What more than one policy needs. Every policy may import data.gesso.lib.
package gesso.lib

# violation is an element of deny or warn: the field, what is wrong, and what to write instead.
violation(field, message, fix) := {"field": field, "message": message, "fix": fix}

# subject names the holder of an image or a container as people do: container "web".
subject(holder) := sprintf("%s %q", [_sorts[holder.kind], holder.name]) if holder.name != ""

subject(holder) := sprintf("%s at %s", [_sorts[holder.kind], holder.path]) if holder.name == ""

_sorts := {
	"container": "container",
	"init": "init container",
	"sidecar": "sidecar",
	"ephemeral": "ephemeral container",
	"volume": "volume",
}
