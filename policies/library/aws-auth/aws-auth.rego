# METADATA
# title: aws-auth locks nobody out and lets nobody in
# description: |
#   The ConfigMap aws-auth in kube-system says who may enter the cluster, nodes included. The authenticator reads it silently: YAML that
#   does not parse empties a whole list, a role with a path never matches, two groups on one line are one, and whoever deletes it locks
#   everybody out. Each such mistake is refused, and so is what gives away more than it seems: system:masters, a system: name, a
#   whole account. A node role may go when gesso.dev/allow-node-role-removal on the ConfigMap names it. Every write warns: access
#   entries have replaced aws-auth. What is well-formed and merely unknown passes, because EKS itself writes here.
# related_resources:
#   - https://docs.aws.amazon.com/eks/latest/userguide/auth-configmap.html
#   - https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: "", kind: ConfigMap}
#       operations: [CREATE, UPDATE, DELETE]
#     action: warn
#     parameters:
#       type: object
#       properties:
#         masters:
#           description: ARNs of roles and users that may be in system:masters, or sso/ and the name of a permission set.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
#         breakGlassRoles:
#           description: ARNs of roles that must stay as they are, with all their groups. They may be in system:masters.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
#         accounts:
#           description: AWS accounts whose roles and users are expected; others warn. Empty for any.
#           type: array
#           items: {type: string, minLength: 1}
#           default: []
package gesso.policies.aws_auth

import data.gesso.lib
import data.gesso.lib.arns
import data.gesso.lib.manifest

_object := object.get(input.request, "object", null)

_old := object.get(input.request, "oldObject", null)

# Deleting all ConfigMaps of a namespace names none of them: then the name is in the old object only.
_this if {
	_said("name") == "aws-auth"
	_said("namespace") == "kube-system"
}

_said(field) := [value |
	some value in [manifest.at(_object, ["metadata", field]), manifest.at(_old, ["metadata", field]), manifest.at(input.request, [field])]
	not value in {null, ""}
][0]

_written if {
	_this
	input.request.operation in {"CREATE", "UPDATE"}
}

deny contains lib.violation(
	"metadata.name",
	"without aws-auth no node and nobody who comes through it can enter the cluster",
	"keep it; empty its lists one by one when access entries have replaced them",
) if {
	_this
	input.request.operation == "DELETE"
}

warn contains lib.violation("metadata.name", "aws-auth is deprecated", "use access entries of EKS instead") if _written

# The lists.

_lists := {
	"mapRoles": {"sort": "role", "arn": "rolearn", "keys": {"rolearn", "username", "groups", "userid", "sso"}},
	"mapUsers": {"sort": "user", "arn": "userarn", "keys": {"userarn", "username", "groups", "userid"}},
}

_names := {"mapRoles", "mapUsers", "mapAccounts"}

deny contains lib.violation("data", "data is not a mapping", "write mapRoles and mapUsers as texts") if {
	_written
	manifest.no_mapping(_object, ["data"])
}

deny contains lib.violation(sprintf("%s.%s", [part, key]), message, fix) if {
	_written
	some part in ["data", "binaryData"]
	some key, _ in manifest.mapping(_object, [part])
	not [part, key] in {["data", name] | some name in _names}
	message := sprintf("the authenticator does not read %s.%s", [part, key])
	fix := _meant(key)
}

_meant(key) := sprintf("write data.%s", [name]) if {
	some name in _names
	lower(name) == lower(key)
} else := "remove it; only mapRoles, mapUsers and mapAccounts are read"

deny contains lib.violation(sprintf("data.%s", [name]), sprintf("%s %s", [name, wrong]), fix) if {
	_written
	some name in _names
	[wrong, fix] := _wrong_list(name, manifest.at(_object, ["data", name]))
}

_wrong_list(name, text) := ["is not text", "write YAML behind |"] if {
	not is_null(text)
	not is_string(text)
} else := ["is no YAML, and the whole list would be empty", "write a list in YAML behind |, each entry behind a dash"] if {
	is_string(text)
	not yaml.is_valid(text)
} else := ["is no list, and the whole list would be empty", "write a list in YAML behind |, each entry behind a dash"] if {
	is_string(text)
	value := yaml.unmarshal(text)
	not is_null(value)
	not is_array(value)
} else := ["lets everybody of an account in", "map roles instead"] if {
	name == "mapAccounts"
	count(_parsed(text)) > 0
}

# _parsed is the list in a text, and empty for one that has none.
_parsed(text) := value if {
	is_string(text)
	yaml.is_valid(text)
	value := yaml.unmarshal(text)
	is_array(value)
} else := []

# _entries are the entries of the two lists of principals. What names one in a message is its ARN, which stays when the list is sorted
# in another way.
_entries(configmap) := [entry |
	some name, of_list in _lists
	some i, value in _parsed(manifest.at(configmap, ["data", name]))
	arn := _value(value, of_list.arn)
	path := sprintf("data.%s[%d]", [name, i])
	entry := {"list": name, "index": i, "path": path, "value": value, "arn": arn, "who": _who(value, arn, path)}
]

_value(entry, key) := [value | some value in manifest.fields(entry, key)][0] if {
	count(manifest.fields(entry, key)) > 0
} else := null

_who(entry, arn, path) := arn if {
	is_string(arn)
	trim_space(arn) != ""
} else := sprintf("sso/%v", [_permission_set(entry)]) if {
	_permission_set(entry)
} else := path

_permission_set(entry) := _value(_value(entry, "sso"), "permissionsetname") if {
	is_string(_value(_value(entry, "sso"), "permissionsetname"))
}

_new := [entry | _written; some entry in _entries(_object)]

deny contains lib.violation(sprintf("%s%s", [entry.path, part]), sprintf("%s: %s", [entry.who, message]), fix) if {
	some entry in _new
	some [part, message, fix] in _wrong(entry)
}

_wrong(entry) := {["", "the entry is not a mapping", "write rolearn or userarn, username and groups"]} if {
	not is_object(entry.value)
} else := (_wrong_keys(entry) | _wrong_arn(entry)) | (_wrong_username(entry) | _wrong_groups(entry))

# Keys. The authenticator drops those that it does not know, and the case of the others does not matter to it.

_wrong_keys(entry) := {[sprintf(".%s", [key]), message, fix] |
	some key, _ in entry.value
	not lower(key) in _lists[entry.list].keys
	message := sprintf("the authenticator does not read %q", [key])
	fix := sprintf("the keys are %s", [concat(", ", sort(_lists[entry.list].keys))])
} | {[sprintf(".%s", [key]), sprintf("%s stands twice, and one of the two counts", [key]), "keep one"] |
	some key in _lists[entry.list].keys
	count([other | some other, _ in entry.value; lower(other) == key]) > 1
}

# ARNs.

_wrong_arn(entry) := {[".sso", "sso is not a mapping with a permissionSetName", "write permissionSetName and accountID"]} if {
	_has(entry, "sso")
	not _permission_set(entry.value)
} else := {[".sso", "rolearn and sso stand together, and one of the two counts", "keep one"]} if {
	_has(entry, "sso")
	not is_null(entry.arn)
} else := set() if {
	_has(entry, "sso")
} else := {[_arn(entry), sprintf("%s is missing, and the entry is for nobody", [_lists[entry.list].arn]), _arn_fix(entry)]} if {
	is_null(entry.arn)
} else := {[_arn(entry), sprintf("the ARN %s", [reason]), _arn_fix(entry)]} if {
	reason := arns.wrong(entry.arn, _lists[entry.list].sort)
} else := {[_arn(entry), "a role with a path never matches, because the session of it shows none", sprintf("write %s", [arns.without_path(entry.arn)])]} if {
	entry.list == "mapRoles"
	arns.path(entry.arn)
} else := {[_arn(entry), "the same principal stands twice, and the last entry counts", "make one entry of both"]} if {
	some other in _new
	other.list == entry.list
	other.index < entry.index
	is_string(other.arn)
	lower(other.arn) == lower(entry.arn)
} else := set()

_has(entry, key) if count(manifest.fields(entry.value, key)) > 0

_arn(entry) := sprintf(".%s", [_lists[entry.list].arn])

_arn_fix(entry) := sprintf("write arn:%s:iam::%s:role/%s", [parts[1], parts[4], split(parts[5], "/")[1]]) if {
	entry.list == "mapRoles"
	is_string(entry.arn)
	regex.match(`^arn:[a-z-]+:sts::[0-9]{12}:assumed-role/[A-Za-z0-9_+=,.@-]+/`, entry.arn)
	parts := split(entry.arn, ":")
} else := sprintf("write the ARN of the %s, for example arn:aws:iam::111122223333:%s/shop", [sort_of, sort_of]) if {
	sort_of := _lists[entry.list].sort
}

# User names.

_wrong_username(entry) := {[".username", "the user name is missing", "write a username, for example shop:{{SessionName}}"]} if {
	_value(entry.value, "username") in {null, ""}
} else := {[".username", "the user name is not text", "write a username, for example shop:{{SessionName}}"]} if {
	not is_string(_value(entry.value, "username"))
} else := {[".username", "the user name is empty", "write a username, for example shop:{{SessionName}}"]} if {
	trim_space(_value(entry.value, "username")) == ""
} else := {[".username", sprintf("the user name %q is one of Kubernetes itself", [name]), "write a username without system:"]} if {
	name := trim_space(_value(entry.value, "username"))
	startswith(name, "system:")
	not _of_a_node(entry, name)
	name != "system:kube-proxy"
} else := set()

_of_a_node(entry, name) if {
	entry.list == "mapRoles"
	regex.match(`^system:node:\{\{(EC2PrivateDNSName|SessionName|SessionNameRaw)\}\}$`, name)
}

# Groups.

_wrong_groups(entry) := {[".groups", "the groups are not a list", "write each group behind a dash, on a line of its own"]} if {
	groups := _value(entry.value, "groups")
	not is_null(groups)
	not is_array(groups)
} else := {[sprintf(".groups[%d]", [i]), message, "write each group behind a dash, on a line of its own"] |
	some i, group in _groups(entry)
	message := _wrong_group(group)
} | {[sprintf(".groups[%d]", [i]), message, "use a group of your own with the rights that are needed, or ask the platform"] |
	some i, group in _groups(entry)
	group == "system:masters"
	not _master(entry)
	message := "system:masters may do anything, and no RBAC rule limits it"
}

_wrong_group(group) := "a group is not text" if {
	not is_string(group)
} else := "a group is empty" if {
	group == ""
} else := sprintf("group %q holds white space, which looks like a lost line break", [group]) if {
	regex.match(`\s`, group)
}

_groups(entry) := groups if {
	groups := _value(entry.value, "groups")
	is_array(groups)
} else := []

_master(entry) if {
	some allowed in array.concat(input.parameters.masters, input.parameters.breakGlassRoles)
	lower(allowed) == lower(entry.who)
}

# What an UPDATE takes away. A list that cannot be read is refused above, and nothing is said of what it may have held.

_readable if {
	_written
	not manifest.no_mapping(_object, ["data"])
	not _wrong_list("mapRoles", manifest.at(_object, ["data", "mapRoles"]))
}

_node_roles(configmap) := {entry.arn |
	some entry in _entries(configmap)
	entry.list == "mapRoles"
	is_string(entry.arn)
	"system:nodes" in _groups(entry)
}

_kept_nodes := {lower(arn) | some arn in _node_roles(_object)}

deny contains lib.violation("data.mapRoles", message, fix) if {
	_readable
	input.request.operation == "UPDATE"
	some arn in _node_roles(_old)
	not lower(arn) in _kept_nodes
	not _may_go(arn)
	message := sprintf("the node role %s is taken away, and %s", [arn, _consequence])
	fix := sprintf("put it back, or write the annotation gesso.dev/allow-node-role-removal: %s", [arn])
}

_consequence := "no node is left that can enter the cluster" if {
	count(_kept_nodes) == 0
} else := "its nodes cannot enter the cluster any more"

_may_go(arn) if {
	allowed := manifest.mapping(_object, ["metadata", "annotations"])["gesso.dev/allow-node-role-removal"]
	is_string(allowed)
	some name in manifest.csv(allowed)
	lower(name) in {lower(arn), lower(arns.name(arn))}
}

deny contains lib.violation("data.mapRoles", message, "put it back as it was") if {
	_readable
	input.request.operation == "UPDATE"
	some role in input.parameters.breakGlassRoles
	lost := _groups_of(_old, role) - _groups_of(_object, role)
	count(lost) > 0
	message := sprintf("the break-glass role %s loses its way in", [role])
}

# _groups_of is what a role has: its groups, and that it is there at all.
_groups_of(configmap, role) := {item |
	some entry in _entries(configmap)
	entry.list == "mapRoles"
	is_string(entry.arn)
	lower(entry.arn) == lower(role)
	some item in array.concat([null], _groups(entry))
}

# Accounts.

warn contains lib.violation(sprintf("%s%s", [entry.path, _arn(entry)]), message, "check that the account is meant") if {
	count(input.parameters.accounts) > 0
	some entry in _new
	is_string(entry.arn)
	not arns.wrong(entry.arn, _lists[entry.list].sort)
	account := arns.account(entry.arn)
	not account in input.parameters.accounts
	message := sprintf("%s: account %s is not expected here", [entry.who, account])
}
