# METADATA
# title: Which app a Secret belongs to
# description: |
#   A Secret says by its name whose it is: the app's own name, or that and "-" and more. Of the apps shop and shop-admin the one
#   with the longer name gets shop-admin-db, where it is known that there are both. Where an ExternalSecret is known that makes
#   the Secret, and it is labelled app.kubernetes.io/name, the label decides.
package gesso.lib.apps

import data.gesso.lib.read

# named is true for a Secret whose name fits an app.
named(app, secret) if {
	app != ""
	secret == app
}

named(app, secret) if {
	app != ""
	startswith(secret, sprintf("%s-", [app]))
}

# owns is true for a Secret whose name fits the app, and no other known app better.
owns(app, secret, known) if {
	named(app, secret)
	every other in known {
		not _better(other, app, secret)
	}
}

_better(other, app, secret) if {
	count(other) > count(app)
	named(other, secret)
}

# belongs is true for a Secret of the app. makers are the ExternalSecrets of its namespace, by id.
belongs(app, secret, makers, known) if {
	owners := labelled(makers, secret)
	by_name := {app | count(owners) == 0; owns(app, secret, known)}
	app in (owners | by_name)
}

# labelled gives the apps of the ExternalSecrets that make a Secret.
labelled(makers, secret) := {app |
	some maker in makers
	target(maker) == secret
	app := name(maker)
	app != ""
}

# target is the name of the Secret that an ExternalSecret makes.
target(external) := name if {
	name := read.at(external, ["spec", "target", "name"])
	is_string(name)
	name != ""
} else := name if {
	name := read.at(external, ["metadata", "name"])
	is_string(name)
} else := ""

# name is the app that an object is labelled with.
name(object) := read.label(object, "app.kubernetes.io/name")
