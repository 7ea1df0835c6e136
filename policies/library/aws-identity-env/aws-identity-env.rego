# METADATA
# title: Containers do not choose their AWS identity
# description: |
#   The AWS SDKs believe their environment. A container that sets AWS_ROLE_ARN asks for another role than its ServiceAccount has,
#   and the EKS webhook, finding the variable, injects none of its own; a credentials endpoint or a token file of its own choice
#   does the same; static keys belong to somebody and never expire. Each is refused in every sort of container unless it says what
#   the ServiceAccount gives anyway: its derived role or a role listed on the Namespace, and the paths that EKS injects. A value
#   taken from elsewhere (valueFrom) cannot be seen and is refused too, but for static keys from a Secret, whose scope other
#   policies judge. What envFrom brings in is not in the manifest, and no policy sees it. Where the Profile names no account, the
#   role in a Pod that carries the token volume of EKS is taken for injected.
# related_resources:
#   - https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
#   - https://github.com/aws/amazon-eks-pod-identity-webhook
# custom:
#   gesso:
#     match:
#       pods: true
#     action: warn
package gesso.policies.aws_identity_env

import data.gesso.lib
import data.gesso.lib.arns
import data.gesso.lib.manifest

# _given are the variables that lead to an identity, with the values that EKS injects. AWS_ROLE_ARN has its own rule.
_given := {
	"AWS_WEB_IDENTITY_TOKEN_FILE": {
		"/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
		`C:\var\run\secrets\eks.amazonaws.com\serviceaccount\token`,
	},
	"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": {
		"/var/run/secrets/pods.eks.amazonaws.com/serviceaccount/eks-pod-identity-token",
		`C:\var\run\secrets\pods.eks.amazonaws.com\serviceaccount\eks-pod-identity-token`,
	},
	"AWS_CONTAINER_CREDENTIALS_FULL_URI": {"http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1/credentials"},
	"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": set(),
}

# _static are credentials themselves. Their values are never shown.
_static := {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"}

deny contains lib.violation(field, sprintf("%s: env is not a list", [lib.subject(container)]), "write a list of name and value") if {
	some container in _containers
	manifest.no_list(container, ["env"])
	field := sprintf("%s.env", [container.path])
}

deny contains lib.violation(variable.path, message, "write name and value as texts") if {
	some variable in _variables
	not is_string(manifest.at(variable.value, ["name"]))
	message := sprintf("%s: a variable has no name that can be read", [variable.subject])
}

deny contains lib.violation(field, message, _fix(variable.value.name)) if {
	some variable in _variables
	is_string(manifest.at(variable.value, ["name"]))
	[part, wrong] := _wrong(variable.value)
	field := sprintf("%s.%s", [variable.path, part])
	message := sprintf("%s: %s %s", [variable.subject, variable.value.name, wrong])
}

_variables contains {"subject": lib.subject(container), "path": path, "value": variable.value} if {
	some container in _containers
	some variable in manifest.list(container, ["env"])
	path := sprintf("%s.%s", [container.path, variable.path])
}

# _containers have a name that lib.subject can use, whatever their own is.
_containers contains object.union(container, {"name": name}) if {
	some container in input.containers
	name := _text(object.get(container, "name", ""))
}

_text(value) := value if {
	is_string(value)
} else := ""

# _wrong gives where a variable is wrong and in what way. It is undefined for a harmless one.
_wrong(variable) := ["valueFrom", _wrong_source(variable)] if {
	variable.name in ((object.keys(_given) | _static) | {"AWS_ROLE_ARN"})
	not is_null(manifest.at(variable, ["valueFrom"]))
} else := ["value", _wrong_value(variable.name, _value(variable))] if {
	is_null(manifest.at(variable, ["valueFrom"]))
}

_wrong_source(variable) := "takes its value from elsewhere, where it cannot be judged" if {
	not variable.name in _static
} else := "is a static credential that does not come from a Secret" if {
	is_null(manifest.at(variable, ["valueFrom", "secretKeyRef"]))
}

_wrong_value("AWS_ROLE_ARN", value) := "is not text" if {
	not is_string(value)
} else := "is empty, and with it set the EKS webhook injects no role" if {
	value == ""
} else := sprintf("is %q, not the role of its ServiceAccount", [value]) if {
	not _role_given(value)
	not arns.wrong(value, "role")
} else := "is not the role of its ServiceAccount" if {
	not _role_given(value)
}

_wrong_value(name, value) := "leads to another identity than that of its ServiceAccount" if {
	given := _given[name]
	not value in given
}

_wrong_value(name, value) := "is a static credential in the manifest" if {
	name in _static
	value != ""
}

# _value is "" where there is none, as it is in the container.
_value(variable) := "" if {
	is_null(manifest.at(variable, ["value"]))
} else := variable.value

_role_given(arn) if arn == _expected.podRoleArn

_role_given(arn) if arn in object.get(_expected, "iamRoles", [])

# Without an account there is no role to hold this one against. In a Pod that carries the volume of the EKS webhook it is the
# webhook's; the ServiceAccount is judged by irsa-role.
_role_given(arn) if {
	not _expected.podRoleArn
	input.request.kind.kind == "Pod"
	not arns.wrong(arn, "role")
	some volume in manifest.list(input.pod, ["volumes"])
	manifest.at(volume.value, ["name"]) == "aws-iam-token"
}

_expected := object.get(input, "expected", {})

_fix("AWS_ROLE_ARN") := sprintf("remove it: the EKS webhook injects the role of the ServiceAccount, %s", [_expected.podRoleArn]) if {
	true
} else := "remove it: the EKS webhook injects the role of the ServiceAccount"

_fix(name) := "remove it: EKS injects it where it is needed" if name in object.keys(_given)

_fix(name) := "remove it and let the role of the ServiceAccount do; keys of something other than AWS belong in a Secret (valueFrom.secretKeyRef)" if {
	name in _static
}
