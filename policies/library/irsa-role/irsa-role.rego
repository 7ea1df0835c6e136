# METADATA
# title: A ServiceAccount has its own IAM role
# description: |
#   Whatever role a ServiceAccount names, its Pods may ask for, and where the trust policy of the role is loose they get it. The
#   role must be the one that follows from cluster, namespace and name, or one that the platform has listed on the Namespace
#   (gesso.dev/iam-roles). The ServiceAccount default has none, because every Pod that names no ServiceAccount would get it. A
#   malformed ARN is refused here because the EKS webhook only logs it, and so is a lifetime of the token that it would clamp or
#   ignore, on ServiceAccounts and on Pods. Where the Profile names no account or cluster, no role follows: then the form of the
#   ARN is judged, and the list where the Namespace has one. Where roles come by EKS Pod Identity, only the list counts.
# related_resources:
#   - https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts.html
#   - https://github.com/aws/amazon-eks-pod-identity-webhook
# custom:
#   gesso:
#     match:
#       pods: true
#       kinds:
#         - {group: "", kind: ServiceAccount}
#     action: warn
#     parameters:
#       type: object
#       properties:
#         audiences:
#           description: Audiences that eks.amazonaws.com/audience may name.
#           type: array
#           items: {type: string, minLength: 1}
#           default: [sts.amazonaws.com]
package gesso.policies.irsa_role

import data.gesso.lib
import data.gesso.lib.arns
import data.gesso.lib.manifest

_role := "eks.amazonaws.com/role-arn"

_audience := "eks.amazonaws.com/audience"

_expiration := "eks.amazonaws.com/token-expiration"

_object := object.get(input.request, "object", null)

_service_account if input.request.kind.kind == "ServiceAccount"

_annotations := manifest.mapping(_object, ["metadata", "annotations"])

deny contains lib.violation("metadata.annotations", "metadata.annotations is not a mapping", "write a mapping of texts") if {
	_service_account
	manifest.no_mapping(_object, ["metadata", "annotations"])
}

# The role.

deny contains lib.violation(manifest.annotation(_role), message, _fix) if {
	_service_account
	message := _wrong_role(_annotations[_role])
}

# _wrong_role gives what is wrong with a role. It is undefined for a good one.
_wrong_role(arn) := `the ServiceAccount "default" has a role, and with it every Pod that names no ServiceAccount` if {
	_name == "default"
} else := sprintf("the role ARN %s", [arns.wrong(arn, "role")]) if {
	not _shown(arn)
} else := sprintf("role %q %s", [arn, arns.wrong(arn, "role")]) if {
	true
} else := sprintf("role %q is of account %s, and this cluster of %s", [arn, arns.account(arn), _expected.account]) if {
	not _listed(arn)
	arns.account(arn) != _expected.account
} else := sprintf("role %q is of partition %s, and this cluster of %s", [arn, arns.partition(arn), _expected.partition]) if {
	not _listed(arn)
	arns.partition(arn) != _expected.partition
} else := sprintf("role %q is not the role of this ServiceAccount", [arn]) if {
	not _listed(arn)
	arn != _expected.roleArn
} else := sprintf("role %q is not in the list of roles of this namespace", [arn]) if {
	not _listed(arn)
	not _expected.roleArn
	_list_decides
}

# What is not text, or nothing but white space, is not repeated.
_shown(arn) if {
	is_string(arn)
	trim_space(arn) != ""
}

# No role follows here, and still there is something to hold the role against.
_list_decides if count(_roles) > 0

_list_decides if _expected.identity == "podIdentity"

_listed(arn) if arn in _roles

_roles := object.get(_expected, "iamRoles", [])

_expected := object.get(input, "expected", {})

_name := manifest.at(_object, ["metadata", "name"])

_fix := sprintf("remove %s, and give the app a ServiceAccount of its own", [_role]) if {
	_name == "default"
} else := sprintf("write %s, or ask the platform to list the role in gesso.dev/iam-roles of the Namespace", [_expected.roleArn]) if {
	true
} else := sprintf("remove %s: roles come by EKS Pod Identity; or ask the platform to list the role in gesso.dev/iam-roles of the Namespace", [_role]) if {
	_expected.identity == "podIdentity"
} else := sprintf("write one of %s", [concat(", ", _roles)]) if {
	count(_roles) > 0
} else := "write the ARN of a role, for example arn:aws:iam::111122223333:role/shop"

# The token.

deny contains lib.violation(manifest.annotation(_audience), message, sprintf("remove %s", [_audience])) if {
	_service_account
	audience := _annotations[_audience]
	not audience in input.parameters.audiences
	message := sprintf("%v is no audience that a role trusts", [_quoted(audience)])
}

_quoted(value) := sprintf("%q", [value]) if {
	is_string(value)
} else := "what is not text"

# _holders are the annotations in which the EKS webhook looks for a lifetime.
_holders contains {"path": "metadata", "value": manifest.at(_object, ["metadata"])} if _service_account

_holders contains manifest.template(input.request) if not _service_account

deny contains lib.violation(field, message, fix) if {
	some holder in _holders
	field := sprintf("%s.annotations[%s]", [holder.path, _expiration])
	[message, fix] := _wrong_expiration(manifest.mapping(holder.value, ["annotations"])[_expiration])
}

_wrong_expiration(value) := ["the lifetime of the token is not text", _lifetime] if {
	not is_string(value)
} else := [sprintf("%q is no whole number of seconds, and the EKS webhook ignores it", [value]), _lifetime] if {
	not regex.match(`^[0-9]{1,18}$`, value)
} else := [sprintf("%s seconds are less than the EKS webhook allows, and it makes 600 of them", [value]), _lifetime] if {
	to_number(value) < 600
} else := [sprintf("%s seconds are more than a token may live, and no Pod would start", [value]), _lifetime] if {
	to_number(value) > 4294967296
}

_lifetime := `write seconds, for example "3600", 600 at least`
