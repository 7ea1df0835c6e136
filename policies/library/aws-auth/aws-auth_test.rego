package gesso.policies.aws_auth_test

import data.gesso.policies.aws_auth as policy

_parameters := {
	"masters": ["arn:aws:iam::111122223333:role/Admin", "sso/AdministratorAccess"],
	"breakGlassRoles": ["arn:aws:iam::111122223333:role/BreakGlass"],
	"accounts": [],
}

_configmap(data_) := {"metadata": {"name": "aws-auth", "namespace": "kube-system"}, "data": data_}

_create(object) := {"request": {"operation": "CREATE", "name": "aws-auth", "namespace": "kube-system", "object": object}, "parameters": _parameters}

_update(old, new) := {
	"request": {"operation": "UPDATE", "name": "aws-auth", "namespace": "kube-system", "object": new, "oldObject": old},
	"parameters": _parameters,
}

_denied(world) := {violation.field | some violation in denied} if {
	denied := policy.deny with input as world
}

_messages(world) := {violation.message | some violation in denied} if {
	denied := policy.deny with input as world
}

_found(data_) := _denied(_create(_configmap(data_)))

# _role is mapRoles with one entry: a good one with other fields.
_role(fields) := {"mapRoles": yaml.marshal([object.union(_power, fields)])}

_user(fields) := {"mapUsers": yaml.marshal([object.union(_alice, fields)])}

_power := {"rolearn": "arn:aws:iam::111122223333:role/Power", "username": "power:{{SessionName}}", "groups": ["team-a"]}

_alice := {"userarn": "arn:aws:iam::111122223333:user/people/alice", "username": "alice", "groups": ["readers"]}

_node(name) := {
	"rolearn": sprintf("arn:aws:iam::111122223333:role/%s", [name]),
	"username": "system:node:{{EC2PrivateDNSName}}",
	"groups": ["system:bootstrappers", "system:nodes"],
}

_roles(list) := {"mapRoles": yaml.marshal(list)}

test_accepted[case.note] if {
	some case in [
		{"note": "a role", "data": _role({})},
		{"note": "a user with a path", "data": _user({})},
		{"note": "a node role", "data": _roles([_node("a"), _node("b")])},
		{"note": "a role of Fargate", "data": _role({"username": "system:node:{{SessionName}}", "groups": ["system:node-proxier"]})},
		{"note": "kube-proxy", "data": _role({"username": "system:kube-proxy"})},
		{"note": "keys in another case", "data": {"mapRoles": `[{roleARN: "arn:aws:iam::111122223333:role/Power", userName: power, GROUPS: [a]}]`}},
		{"note": "no groups", "data": _role({"groups": null})},
		{"note": "another partition", "data": _role({"rolearn": "arn:aws-cn:iam::111122223333:role/Power"})},
		{"note": "a user id", "data": _role({"userid": "x"})},
		{"note": "a permission set", "data": {"mapRoles": "- {sso: {permissionSetName: Reader, accountID: '111122223333'}, username: reader, groups: [readers]}"}},
		{"note": "an admin on the list", "data": _role({"rolearn": "arn:aws:iam::111122223333:role/Admin", "groups": ["system:masters"]})},
		{"note": "an admin permission set on the list", "data": {"mapRoles": "- {sso: {permissionSetName: AdministratorAccess}, username: admin, groups: ['system:masters']}"}},
		{"note": "break-glass", "data": _role({"rolearn": "arn:aws:iam::111122223333:role/breakglass", "groups": ["system:masters"]})},
		{"note": "blank lists", "data": {"mapRoles": "", "mapUsers": " \n", "mapAccounts": "[]"}},
		{"note": "comments only", "data": {"mapRoles": "# none\n"}},
		{"note": "null lists", "data": {"mapRoles": null, "mapUsers": "~", "mapAccounts": null}},
		{"note": "no data", "data": null},
		{"note": "no lists", "data": {}},
	]
	_found(case.data) == set()
}

test_refused_data[case.note] if {
	some case in [
		{"note": "data that is a list", "data": ["x"], "want": {"data"}},
		{"note": "lower case", "data": {"maproles": "[]"}, "want": {"data.maproles"}},
		{"note": "crazy case", "data": {"MapRoles": "[]"}, "want": {"data.MapRoles"}},
		{"note": "another key", "data": {"mapGroups": "[]"}, "want": {"data.mapGroups"}},
		{"note": "no YAML", "data": {"mapRoles": "- rolearn: a\n\t- b"}, "want": {"data.mapRoles"}},
		{"note": "no YAML for users", "data": {"mapUsers": "["}, "want": {"data.mapUsers"}},
		{"note": "no YAML for accounts", "data": {"mapAccounts": "{"}, "want": {"data.mapAccounts"}},
		{"note": "YAML that is no JSON", "data": {"mapRoles": "- .nan"}, "want": {"data.mapRoles"}},
		{"note": "an endless list", "data": {"mapRoles": "&a [*a]"}, "want": {"data.mapRoles"}},
		{"note": "an object", "data": {"mapRoles": "rolearn: x"}, "want": {"data.mapRoles"}},
		{"note": "text", "data": {"mapRoles": "x"}, "want": {"data.mapRoles"}},
		{"note": "a list that is no text", "data": {"mapRoles": [_power]}, "want": {"data.mapRoles"}},
		{"note": "an account", "data": {"mapAccounts": "- '111122223333'"}, "want": {"data.mapAccounts"}},
		{"note": "accounts as an object", "data": {"mapAccounts": "a: b"}, "want": {"data.mapAccounts"}},
		{"note": "an entry that is text", "data": {"mapRoles": "- x"}, "want": {"data.mapRoles[0]"}},
		{"note": "an entry that is null", "data": {"mapUsers": "- "}, "want": {"data.mapUsers[0]"}},
		{"note": "the same role twice", "data": _roles([_power, _node("a"), object.union(_power, {"rolearn": "arn:aws:iam::111122223333:role/POWER"})]), "want": {"data.mapRoles[2].rolearn"}},
	]
	_found(case.data) == case.want
}

test_refused_role[case.note] if {
	some case in [
		{"note": "an unknown key", "fields": {"group": "x"}, "want": {".group"}},
		{"note": "a key that stands twice", "fields": {"roleARN": "arn:aws:iam::111122223333:role/Power"}, "want": {".rolearn"}},
		{"note": "a key of users", "fields": {"userarn": "x"}, "want": {".userarn"}},
		{"note": "a misspelt ARN", "fields": {"rolearn": null, "role_arn": "arn:aws:iam::111122223333:role/Power"}, "want": {".role_arn", ".rolearn"}},
		{"note": "no ARN", "fields": {"rolearn": null}, "want": {".rolearn"}},
		{"note": "an empty ARN", "fields": {"rolearn": ""}, "want": {".rolearn"}},
		{"note": "an ARN that is a number", "fields": {"rolearn": 7}, "want": {".rolearn"}},
		{"note": "a path", "fields": {"rolearn": "arn:aws:iam::111122223333:role/teams/dev/Power"}, "want": {".rolearn"}},
		{"note": "a session", "fields": {"rolearn": "arn:aws:sts::111122223333:assumed-role/Power/x"}, "want": {".rolearn"}},
		{"note": "a user", "fields": {"rolearn": "arn:aws:iam::111122223333:user/alice"}, "want": {".rolearn"}},
		{"note": "a line break", "fields": {"rolearn": "arn:aws:iam::111122223333:role/Power\n"}, "want": {".rolearn"}},
		{"note": "no user name", "fields": {"username": null}, "want": {".username"}},
		{"note": "an empty user name", "fields": {"username": ""}, "want": {".username"}},
		{"note": "a blank user name", "fields": {"username": " "}, "want": {".username"}},
		{"note": "a user name that is a number", "fields": {"username": 7}, "want": {".username"}},
		{"note": "a system user", "fields": {"username": "system:admin"}, "want": {".username"}},
		{"note": "the controller manager", "fields": {"username": "system:kube-controller-manager"}, "want": {".username"}},
		{"note": "one node", "fields": {"username": "system:node:ip-10-0-0-1"}, "want": {".username"}},
		{"note": "a service account", "fields": {"username": "system:serviceaccount:kube-system:x"}, "want": {".username"}},
		{"note": "two groups on a line", "fields": {"groups": ["system:bootstrappers - system:nodes"]}, "want": {".groups[0]"}},
		{"note": "a group with a line break", "fields": {"groups": ["a", "b\n"]}, "want": {".groups[1]"}},
		{"note": "an empty group", "fields": {"groups": [""]}, "want": {".groups[0]"}},
		{"note": "a group that is a number", "fields": {"groups": [7]}, "want": {".groups[0]"}},
		{"note": "a group that is null", "fields": {"groups": [null]}, "want": {".groups[0]"}},
		{"note": "groups that are text", "fields": {"groups": "readers"}, "want": {".groups"}},
		{"note": "groups that are an object", "fields": {"groups": {"readers": true}}, "want": {".groups"}},
		{"note": "an admin", "fields": {"groups": ["a", "system:masters"]}, "want": {".groups[1]"}},
		{"note": "sso beside an ARN", "fields": {"sso": {"permissionSetName": "x"}}, "want": {".sso"}},
		{"note": "an empty sso", "fields": {"rolearn": null, "sso": {}}, "want": {".sso"}},
		{"note": "sso that is text", "fields": {"rolearn": null, "sso": "x"}, "want": {".sso"}},
	]
	_found(_role(case.fields)) == {sprintf("data.mapRoles[0]%s", [part]) | some part in case.want}
}

test_refused_user[case.note] if {
	some case in [
		{"note": "a role", "fields": {"userarn": "arn:aws:iam::111122223333:role/alice"}, "want": ".userarn"},
		{"note": "root", "fields": {"userarn": "arn:aws:iam::111122223333:root"}, "want": ".userarn"},
		{"note": "a federated user", "fields": {"userarn": "arn:aws:sts::111122223333:federated-user/alice"}, "want": ".userarn"},
		{"note": "a node", "fields": {"username": "system:node:{{EC2PrivateDNSName}}"}, "want": ".username"},
		{"note": "an admin", "fields": {"groups": ["system:masters"]}, "want": ".groups[0]"},
		{"note": "sso", "fields": {"sso": {"permissionSetName": "x"}}, "want": ".sso"},
	]
	case.want in {trim_prefix(field, "data.mapUsers[0]") | some field in _found(_user(case.fields))}
}

test_binary_data if {
	_denied(_create(object.union(_configmap({}), {"binaryData": {"mapRoles": "eA=="}}))) == {"binaryData.mapRoles"}
}

test_fix[case.want] if {
	some case in [
		{"arn": "arn:aws:iam::111122223333:role/teams/dev/Power", "want": "write arn:aws:iam::111122223333:role/Power"},
		{"arn": "arn:aws:sts::111122223333:assumed-role/Power/x", "want": "write arn:aws:iam::111122223333:role/Power"},
		{"arn": "Power", "want": "write the ARN of the role, for example arn:aws:iam::111122223333:role/shop"},
		{"arn": 7, "want": "write the ARN of the role, for example arn:aws:iam::111122223333:role/shop"},
	]
	denied := policy.deny with input as _create(_configmap(_role({"rolearn": case.arn})))
	{violation.fix | some violation in denied} == {case.want}
}

test_message_names_the_arn if {
	_messages(_create(_configmap(_role({"groups": ["a b"]})))) == {
		`arn:aws:iam::111122223333:role/Power: group "a b" holds white space, which looks like a lost line break`,
	}
}

# What is taken away.

_with(list, annotations) := object.union(_configmap(_roles(list)), {"metadata": {"annotations": annotations}})

_removal := "gesso.dev/allow-node-role-removal"

test_taken_away[case.note] if {
	some case in [
		{"note": "nothing", "old": [_node("a"), _power], "new": [_power, _node("a")], "annotations": {}, "want": 0},
		{"note": "another case of the ARN", "old": [_node("a")], "new": [_node("A")], "annotations": {}, "want": 0},
		{"note": "a role that is no node's", "old": [_node("a"), _power], "new": [_node("a")], "annotations": {}, "want": 0},
		{"note": "one of two", "old": [_node("a"), _node("b")], "new": [_node("a")], "annotations": {}, "want": 1},
		{"note": "both", "old": [_node("a"), _node("b")], "new": [], "annotations": {}, "want": 2},
		{"note": "its group", "old": [_node("a")], "new": [object.union(_node("a"), {"groups": ["system:bootstrappers"]})], "annotations": {}, "want": 1},
		{"note": "one that is named", "old": [_node("a"), _node("b")], "new": [_node("a")], "annotations": {_removal: "arn:aws:iam::111122223333:role/b"}, "want": 0},
		{"note": "one that is named by its name", "old": [_node("a"), _node("b")], "new": [_node("a")], "annotations": {_removal: "x, B"}, "want": 0},
		{"note": "another one is named", "old": [_node("a"), _node("b")], "new": [_node("a")], "annotations": {_removal: "a"}, "want": 1},
		{"note": "true is no name", "old": [_node("a"), _node("b")], "new": [_node("a")], "annotations": {_removal: "true"}, "want": 1},
	]
	count(_messages(_update(_with(case.old, {}), _with(case.new, case.annotations)))) == case.want
}

test_last_node_role[message] if {
	some message in _messages(_update(_with([_node("a")], {}), _configmap({})))
	message == "the node role arn:aws:iam::111122223333:role/a is taken away, and no node is left that can enter the cluster"
}

test_blank_list_takes_all_away if {
	every text in ["", " ", "[]", "# none", null] {
		_denied(_update(_with([_node("a")], {}), _configmap({"mapRoles": text}))) == {"data.mapRoles"}
	}
	_denied(_update(_with([_node("a")], {}), {"metadata": {"name": "aws-auth", "namespace": "kube-system"}})) == {"data.mapRoles"}
}

test_what_cannot_be_read_is_refused_once if {
	count(_messages(_update(_with([_node("a")], {}), _configmap({"mapRoles": "["})))) == 1
	count(_messages(_update(_with([_node("a")], {}), _configmap({"mapRoles": 7})))) == 1
	count(_messages(_update(_with([_node("a")], {}), _configmap("x")))) == 1
}

test_old_that_cannot_be_read if {
	_denied(_update(_configmap({"mapRoles": "["}), _with([_node("a")], {}))) == set()
	_denied(_update(null, _with([_node("a")], {}))) == set()
}

_glass := {"rolearn": "arn:aws:iam::111122223333:role/BreakGlass", "username": "glass", "groups": ["system:masters", "x"]}

test_break_glass[case.note] if {
	some case in [
		{"note": "it stays", "new": [_glass], "want": set()},
		{"note": "it gets more", "new": [object.union(_glass, {"groups": ["x", "y", "system:masters"]})], "want": set()},
		{"note": "it goes", "new": [_power], "want": {"data.mapRoles"}},
		{"note": "it loses a group", "new": [object.union(_glass, {"groups": ["x"]})], "want": {"data.mapRoles"}},
	]
	_denied(_update(_with([_glass], {}), _with(case.new, {}))) == case.want
}

test_break_glass_that_was_not_there if {
	_denied(_update(_with([_power], {}), _with([_power], {}))) == set()
}

# DELETE.

_delete(request) := {"request": object.union({"operation": "DELETE", "namespace": "kube-system", "object": null}, request), "parameters": _parameters}

test_delete[case.note] if {
	some case in [
		{"note": "by name", "request": {"name": "aws-auth", "oldObject": _configmap({})}},
		{"note": "with all the others", "request": {"name": "", "oldObject": _configmap({})}},
		{"note": "without an old object", "request": {"name": "aws-auth"}},
		{"note": "what cannot be read", "request": {"name": "aws-auth", "oldObject": _configmap({"mapRoles": "["})}},
	]
	_denied(_delete(case.request)) == {"metadata.name"}
	count(policy.warn) == 0 with input as _delete(case.request)
}

# Other ConfigMaps.

test_others[case.note] if {
	some case in [
		{"note": "another name", "metadata": {"name": "aws-auth-2", "namespace": "kube-system"}},
		{"note": "another namespace", "metadata": {"name": "aws-auth", "namespace": "team-a"}},
		{"note": "no metadata", "metadata": null},
	]
	object_ := {"metadata": case.metadata, "data": {"mapRoles": "["}}
	created := {"request": {"operation": "CREATE", "object": object_}, "parameters": _parameters}
	_denied(created) == set()
	count(policy.warn) == 0 with input as created
	_denied({"request": {"operation": "DELETE", "oldObject": object_}, "parameters": _parameters}) == set()
}

test_name_of_the_request if {
	_denied({"request": {"operation": "CREATE", "name": "aws-auth", "namespace": "kube-system", "object": {"data": {"x": "y"}}}, "parameters": _parameters}) == {"data.x"}
}

# Warnings.

test_every_write_warns if {
	warned := policy.warn with input as _create(_configmap(_role({})))
	{violation.field | some violation in warned} == {"metadata.name"}
	updated := policy.warn with input as _update(_configmap(_role({})), _configmap(_role({})))
	count(updated) == 1
}

test_foreign_account_warns if {
	world := object.union(_create(_configmap(_role({"rolearn": "arn:aws:iam::999988887777:role/x"}))), {"parameters": {"accounts": ["111122223333"]}})
	warned := policy.warn with input as world
	{violation.field | some violation in warned} == {"metadata.name", "data.mapRoles[0].rolearn"}
	own := policy.warn with input as object.union(_create(_configmap(_role({}))), {"parameters": {"accounts": ["111122223333"]}})
	count(own) == 1
	malformed := policy.warn with input as object.union(_create(_configmap(_role({"rolearn": "x"}))), {"parameters": {"accounts": ["111122223333"]}})
	count(malformed) == 1
}
