package gesso.lib_test

import data.gesso.lib

test_subject[case.want] if {
	some case in [
		{"holder": {"kind": "container", "name": "web", "path": "p"}, "want": `container "web"`},
		{"holder": {"kind": "init", "name": "a", "path": "p"}, "want": `init container "a"`},
		{"holder": {"kind": "sidecar", "name": "a", "path": "p"}, "want": `sidecar "a"`},
		{"holder": {"kind": "ephemeral", "name": "a", "path": "p"}, "want": `ephemeral container "a"`},
		{"holder": {"kind": "volume", "name": "a\nb", "path": "p"}, "want": `volume "a\nb"`},
		{"holder": {"kind": "container", "name": "", "path": "spec.containers[1]"}, "want": "container at spec.containers[1]"},
	]
	lib.subject(case.holder) == case.want
}
