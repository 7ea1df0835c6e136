# METADATA
# title: Service account tokens are for who the platform says
# description: |
#   A projected service account token says for whom it is. One for sts.amazonaws.com or pods.eks.amazonaws.com can be exchanged for
#   a role without the EKS webhook, which gives tokens to those containers only that should have one; one for another system lets
#   the app be that system's user. Audiences must be in the list. A token without an audience is for the API server and fine. In
#   Pods, the very volumes that EKS injects are accepted; in a template nobody injects them, so there they are refused.
# related_resources:
#   - https://kubernetes.io/docs/concepts/storage/projected-volumes/#serviceaccounttoken
# custom:
#   gesso:
#     match:
#       pods: true
#     action: warn
#     parameters:
#       type: object
#       properties:
#         audiences:
#           description: Audiences for which tokens may be mounted, beside that of the API server when none is named.
#           type: array
#           items: {type: string, minLength: 1}
#           default: ["https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local"]
package gesso.policies.token_audience

import data.gesso.lib
import data.gesso.lib.manifest

# _path is where the Pod spec is: beside the metadata of the Pods, wherever those are.
_path := concat("", [trim_suffix(manifest.template(input.request).path, "metadata"), "spec"])

_volumes := manifest.list(object.get(input, "pod", null), ["volumes"])

deny contains lib.violation(field, "volumes is not a list", "write a list of volumes") if {
	manifest.no_list(object.get(input, "pod", null), ["volumes"])
	field := sprintf("%s.volumes", [_path])
}

deny contains lib.violation(field, sprintf("%s: the sources are not a list", [_subject(volume)]), "write a list of sources") if {
	some volume in _volumes
	manifest.no_list(volume.value, ["projected", "sources"])
	field := sprintf("%s.%s.projected.sources", [_path, volume.path])
}

deny contains lib.violation(field, sprintf("%s: %s", [_subject(volume), wrong]), _fix) if {
	some volume in _volumes
	some source in manifest.list(volume.value, ["projected", "sources"])
	token := manifest.at(source.value, ["serviceAccountToken"])
	not _injected(volume.value)
	[part, wrong] := _wrong(token)
	field := sprintf("%s.%s.%s.serviceAccountToken%s", [_path, volume.path, source.path, part])
}

# _wrong gives where a token is wrong and in what way. It is undefined for a good one, and where there is none.
_wrong(token) := ["", "the token is not a mapping"] if {
	not is_null(token)
	not is_object(token)
} else := [".audience", "the audience of the token is not text"] if {
	not is_string(_audience(token))
} else := [".audience", sprintf("a token for %q lets the container take on a role past the EKS webhook", [token.audience])] if {
	token.audience in _aws
	not token.audience in input.parameters.audiences
} else := [".audience", sprintf("a token for %q is not on the list of the platform", [token.audience])] if {
	_audience(token) != ""
	not token.audience in input.parameters.audiences
}

# _audience is "" for the API server's own.
_audience(token) := "" if {
	is_null(manifest.at(token, ["audience"]))
} else := token.audience

_aws := {"sts.amazonaws.com", "pods.eks.amazonaws.com"}

# _injected is true for a volume of a Pod such as the EKS webhook injects: its name, and this one token in it.
_injected(volume) if {
	input.request.kind.kind == "Pod"
	count(volume.projected.sources) == 1
	token := volume.projected.sources[0].serviceAccountToken
	[volume.name, token.audience, token.path] in {
		["aws-iam-token", "sts.amazonaws.com", "token"],
		["eks-pod-identity-token", "pods.eks.amazonaws.com", "eks-pod-identity-token"],
	}
}

_fix := "remove the source: AWS roles come through the ServiceAccount, and the API server's token needs no audience"

_subject(volume) := sprintf("volume %q", [volume.value.name]) if {
	is_string(volume.value.name)
} else := sprintf("volume at %s.%s", [_path, volume.path])
