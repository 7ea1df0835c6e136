# METADATA
# title: What Gesso reads on a Namespace, the platform writes
# description: |
#   Labels and annotations of a Namespace whose keys begin with gesso.dev/ say what its people may use: secrets, hosts, IAM roles. They
#   would be worth nothing if those people could write them. Only members of the Profile's platform groups may add, change or remove one,
#   when a Namespace is created, too. Whoever leaves them as they are may change the rest.
# related_resources:
#   - https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: "", kind: Namespace}
#         - {group: "", kind: Namespace, subresource: status}
#         - {group: "", kind: Namespace, subresource: finalize}
#     action: warn
package gesso.policies.namespace_trust

import data.gesso.lib
import data.gesso.lib.manifest

_object := object.get(input.request, "object", null)

_old := object.get(input.request, "oldObject", null)

_others_work if not input.user.platform

deny contains lib.violation(sprintf("metadata.%s[%s]", [part, key]), message, "ask the platform to make this change") if {
	_others_work
	is_object(_object)
	some part in ["labels", "annotations"]
	now := manifest.mapping(_object, ["metadata", part])
	before := manifest.mapping(_old, ["metadata", part])
	some key in (object.keys(now) | object.keys(before))
	startswith(key, "gesso.dev/")
	what := _change(now, before, key)
	message := sprintf("the %s %s is %s, and that is the platform's to do", [trim_suffix(part, "s"), key, what])
}

_change(now, before, key) := "removed" if {
	not key in object.keys(now)
} else := "added" if {
	not key in object.keys(before)
} else := "changed" if {
	now[key] != before[key]
}

deny contains lib.violation(sprintf("metadata.%s", [part]), sprintf("metadata.%s is not a mapping", [part]), "write a mapping of texts") if {
	_others_work
	some part in ["labels", "annotations"]
	manifest.no_mapping(_object, ["metadata", part])
}
