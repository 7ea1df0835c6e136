# METADATA
# title: A Service reaches a workload through its sidecar
# description: |
#   The sidecar that Gesso adds is a reverse proxy with a port of its own. A Service that names the port of the application instead
#   goes past it, and with it past all that the proxy is there for. Gesso does not change the Service, because Git would then differ
#   from the cluster; it says what to write. A Service is compared with the workloads of its namespace that exist when it is
#   applied. Ports other than TCP are left alone, and so are Services without a selector.
# related_resources:
#   - https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service
# custom:
#   gesso:
#     match:
#       kinds:
#         - {group: "", kind: Service}
#     action: warn
#     inventory:
#       - name: deployments
#         group: apps
#         version: v1
#         kind: Deployment
#         by: metadata.namespace
#         fields:
#           - spec.template.metadata.labels
#           - spec.template.spec.initContainers[].name
#           - spec.template.spec.initContainers[].ports[].name
#           - spec.template.spec.initContainers[].ports[].containerPort
#       - name: statefulSets
#         group: apps
#         version: v1
#         kind: StatefulSet
#         by: metadata.namespace
#         fields:
#           - spec.template.metadata.labels
#           - spec.template.spec.initContainers[].name
#           - spec.template.spec.initContainers[].ports[].name
#           - spec.template.spec.initContainers[].ports[].containerPort
package gesso.policies.service_targets_proxy

import data.gesso.lib
import data.gesso.lib.pods

# _sidecar is undefined where the platform has none.
_sidecar := input.expected.sidecar

_spec := input.request.object.spec

warn contains lib.violation(sprintf("spec.ports[%v].targetPort", [i]), message, sprintf("write targetPort: %s", [_proxy(workload)])) if {
	pods.at(_spec, ["type"]) != "ExternalName"
	some workload in _selected
	some i, port in _spec.ports
	pods.at(port, ["protocol"]) in {null, "TCP"}
	target := _target(port)
	not _reaches(target, workload.ports)
	message := sprintf("port %s: targetPort %s goes past the sidecar %q of the %s %q", [_name(port), pods.show(target), _sidecar, workload.kind, workload.name])
}

_name(port) := pods.show(port.name) if {
	pods.at(port, ["name"]) != null
} else := pods.show(pods.at(port, ["port"]))

# _target is where a port leads: what the API server puts in place of an absent one is the port itself.
_target(port) := port.port if {
	pods.at(port, ["targetPort"]) in {null, 0, ""}
} else := port.targetPort

_reaches(target, ports) if {
	some port in ports
	target in {pods.at(port, ["name"]), pods.at(port, ["containerPort"])}
}

# _proxy is what a Service should name: the name of the sidecar's first port, by convention proxy, or else its number.
_proxy(workload) := name if {
	name := workload.ports[0].name
	is_string(name)
} else := pods.show(workload.ports[0].containerPort)

# _selected are the workloads with the sidecar that the Service selects. A selector without labels selects nothing, and a sidecar
# without ports takes no traffic.
_selected contains {"kind": kind, "name": workload.metadata.name, "ports": ports} if {
	is_object(_spec.selector)
	count(_spec.selector) > 0
	some kind, workloads in _workloads
	some workload in workloads
	labels := workload.spec.template.metadata.labels
	every key, value in _spec.selector {
		labels[key] == value
	}
	some container in workload.spec.template.spec.initContainers
	container.name == _sidecar
	ports := container.ports
	is_array(ports)
	count(ports) > 0
}

_workloads["Deployment"] := input.inventory.deployments[input.request.namespace]

_workloads["StatefulSet"] := input.inventory.statefulSets[input.request.namespace]
