package gesso.lib.patterns_test

import data.gesso.lib.patterns

test_anchored[expression] if {
	some expression in ["^prod$", "^team-a-.*$", "^(prod|staging)$", "^((a|b)|c)-x$", "^[a|b]x$", `^a\|b$`, "(?i)^prod$"]
	patterns.anchored(expression)
}

test_not_anchored[expression] if {
	some expression in [
		"prod", "^prod", "prod$", "", "^", "$", "^a$|^b$", "^a|b$", `^a\$`, `\^a$`, "^?a$", "^*a$", "^{0,1}a$", "a^b$", "(^a$",
		"^((((((a|b))))))$", "^a$|b",
	]
	not patterns.anchored(expression)
}

test_wide[expression] if {
	some expression in [
		".*", ".+", "^", "$", "", "a|.*", "(?s).*", `[\s\S]*`, "^.*$", "^.+$", "^[a-z0-9-]+$", "^[a-z]{3}$", `^\w+$`, "^(prod|.*)$",
		"^[^p].*$", `^\S+$`, "^.{3}$",
	]
	patterns.wide(expression)
}

test_not_wide[expression] if {
	some expression in ["prod", "^prod$", "^team-a-.*$", "^(prod|staging)-.+$", "^.*-prod$", "(", "DB_.*", "^[A-Z]+_URL$"]
	not patterns.wide(expression)
}
