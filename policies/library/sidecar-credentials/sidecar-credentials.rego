# METADATA
# title: The sidecar gets no AWS credentials
# description: |
#   The EKS webhook gives the role of the ServiceAccount to every container but those that eks.amazonaws.com/skip-containers names.
#   Gesso writes its sidecar there where the annotation is absent, but changes none that the author wrote. One that leaves the
#   sidecar out lets the proxy act as the app. This only ever warns.
# related_resources:
#   - https://github.com/aws/amazon-eks-pod-identity-webhook
# custom:
#   gesso:
#     match:
#       pods: true
#     action: warn
package gesso.policies.sidecar_credentials

import data.gesso.lib
import data.gesso.lib.manifest

_annotation := "eks.amazonaws.com/skip-containers"

warn contains lib.violation(field, message, fix) if {
	sidecar := input.expected.sidecar
	some container in input.containers
	container.name == sidecar
	template := manifest.template(input.request)
	skipped := manifest.mapping(template.value, ["annotations"])[_annotation]
	not sidecar in _names(skipped)
	field := sprintf("%s.annotations[%s]", [template.path, _annotation])
	message := sprintf("the sidecar %q is not skipped, and gets the AWS credentials of the app", [sidecar])
	fix := sprintf("write %q", [concat(",", sort(_names(skipped) | {sidecar}))])
}

_names(skipped) := {name | some name in manifest.csv(skipped)} if {
	is_string(skipped)
} else := set()
