# METADATA
# title: What serves says when it is ready
# description: |
#   A container that listens on a port but has no readiness probe gets traffic as soon as it has started, ready or not: each deploy
#   loses requests. Gesso never invents a probe, because a wrong one is an outage; it reminds. Jobs, Pods that run to their end, init
#   and ephemeral containers and Gesso's own sidecar are left alone.
# related_resources:
#   - https://kubernetes.io/docs/tasks/configure-pod-container/configure-liveness-readiness-startup-probes/
# custom:
#   gesso:
#     match:
#       pods: true
#     action: warn
package gesso.policies.readiness_probe

import data.gesso.lib
import data.gesso.lib.pods

warn contains lib.violation(sprintf("%s.readinessProbe", [container.path]), message, fix) if {
	not _ends
	some container in input.containers
	container.kind in {"container", "sidecar"}
	not _ours(container)
	is_array(container.ports)
	count(container.ports) > 0
	not _probed(container)
	message := sprintf("%s listens on port %s but has no readiness probe", [pods.subject(container), _ports(container)])
	fix := "add a readinessProbe that answers when the container can serve, or leave ports out"
}

# _ends is true for Pods that run to their end: those of a Job may not have any other restartPolicy.
_ends if input.request.kind.kind in {"Job", "CronJob"}

_ends if input.pod.restartPolicy in {"Never", "OnFailure"}

# _ours is true for the sidecar that Gesso adds: nobody else's name begins like that.
_ours(container) if {
	container.kind == "sidecar"
	is_string(container.name)
	startswith(container.name, "gesso-")
}

# A probe without a handler is none.
_probed(container) if {
	some handler in ["exec", "grpc", "httpGet", "tcpSocket"]
	is_object(container.readinessProbe[handler])
}

_ports(container) := concat(", ", sort({_port(port) | some port in container.ports}))

_port(port) := name if {
	name := pods.at(port, ["name"])
	is_string(name)
} else := pods.show(pods.at(port, ["containerPort"]))
