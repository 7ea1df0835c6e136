package defaults

// explanations says each reason in words. docs/names.md lists them in the same words.
func explanations() map[string]string {
	return map[string]string{
		AlreadySet:          "the author wrote the field (or something of another type where it would be)",
		OptedOut:            `an annotation of the author's says "false"`,
		Preview:             "the Profile only previews the default; what it would fill is under preview",
		Off:                 "the Profile switches the default off",
		Windows:             "the Pods run on Windows, where the fields are forbidden",
		Privileged:          "the container is privileged, or adds capabilities that make it so",
		HostNetwork:         "the Pods use the host's network: the sidecar's port would be the node's",
		RunsAsRoot:          "somebody in the Pod runs as root on purpose, or may (hostUsers: false)",
		MountConflict:       "something is mounted at, above or below the path already",
		NameConflict:        "the author has an element with our name that is not ours; or a name cannot be a part of ours",
		PortConflict:        "a port of the author's is one of the sidecar's",
		NoPort:              "no port to forward to is known: see gesso.dev/port",
		PodLevelResources:   "the Pod has resources of its own, which those of a container must not exceed",
		AtomicList:          "the author's list cannot be completed, only replaced",
		Immutable:           "the field cannot be changed any more: by this operation, because a selector names it, or because the API server has decided it (Pods)",
		ControllerOwned:     "a controller owns the object and decides what is in it",
		ExcludedNamespace:   "the namespace is left alone: nothing is filled and nothing judged (id *)",
		NamespaceUnknown:    "the labels of the Namespace have not been seen yet",
		NoOptIn:             "the Namespace has not asked for it; or the ServiceAccount is default or has no name yet",
		NotConfigured:       "the Profile names no image, account, class or label; or there is no sidecar to name, or no container",
		KeptUntilNextDeploy: "the request is no deploy, so that everything stays as it was; an Ingress that has lived without a class is not moved",
		Restored:            "an earlier revision is restored, and comes back as it was",
		RecordTooLarge:      "with the record the annotations of the template would be larger than the API server takes",
		BeingDeleted:        "the object has a deletionTimestamp",
	}
}

// Explain says in words why a default did not act; "" for what is no reason.
func Explain(reason string) string { return explanations()[reason] }
