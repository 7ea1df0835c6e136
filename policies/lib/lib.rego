# METADATA
# title: Shared helpers
# description: What more than one policy needs. Every policy may import data.gesso.lib.
package gesso.lib

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
