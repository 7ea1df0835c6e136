# METADATA
# title: Texts that hold a credential
# description: |
#   Some credentials are known by their form, wherever they stand. Others only the name beside them gives away. None of these
#   functions gives back any part of a value: what they return may stand in a message.
package gesso.lib.credentials

# found names the sorts of credential that a text holds.
found(text) := {form.sort |
	some form in _forms
	contains(text, form.hint)
	regex.match(form.pattern, text)
} | {"a URL with a password" | _url(text)}

# _forms have a hint, which a text must hold, because looking for it costs next to nothing.
_forms := [
	{"sort": "an access key of AWS", "hint": "AKIA", "pattern": `(^|[^A-Za-z0-9])AKIA[A-Z0-9]{16}($|[^A-Za-z0-9])`},
	{"sort": "an access key of AWS", "hint": "ASIA", "pattern": `(^|[^A-Za-z0-9])ASIA[A-Z0-9]{16}($|[^A-Za-z0-9])`},
	{"sort": "a private key", "hint": "PRIVATE KEY", "pattern": `-----BEGIN [^\n-]*PRIVATE KEY`},
	{"sort": "a token of Slack", "hint": "xox", "pattern": `(^|[^A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9]`},
	{"sort": "a token of GitHub", "hint": "gh", "pattern": `(^|[^A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36}`},
	{"sort": "a fine-grained token of GitHub", "hint": "github_pat_", "pattern": `github_pat_[A-Za-z0-9_]{22}`},
	{"sort": "a token of GitLab", "hint": "glpat-", "pattern": `glpat-[A-Za-z0-9_-]{20}`},
	{"sort": "a key of Stripe", "hint": "k_live_", "pattern": `[rs]k_live_[A-Za-z0-9]{16}`},
	{"sort": "a JSON Web Token", "hint": "eyJ", "pattern": `eyJ[A-Za-z0-9_-]{4,}\.eyJ[A-Za-z0-9_-]{4,}`},
]

# _url is true for a URL with a password that is written out. One whose password is a reference is how it should be; and in
# name:tag@sha256:… nothing is a password.
_url(text) if {
	contains(text, "://")
	some parts in regex.find_all_string_submatch_n(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@"'<>]*:([^\s/@"']+)@([^\s/"']*)`, text, -1)
	not reference(parts[1])
	not startswith(parts[2], "sha256:")
}

# reference is true for a value that stands for another one: $(NAME), ${NAME}, $NAME, {{ name }}, <name>, or ***.
reference(value) if regex.match(`^(\$\([^()]*\)|\$\{[^{}]*\}|\$[A-Za-z_][A-Za-z0-9_]*|\{\{.*\}\}|<[^<>]*>|\*+|[xX]+|\.\.\.|%[sv])+$`, value)

# telling is true for a name that says that its value is secret: DB_PASSWORD, github-token, apiKey; not TOKEN_TTL or SECRET_FILE.
telling(name) if regex.match(`(?i)(password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)$`, name)

# literal is true for a value that may well be the secret itself: not empty, no reference, no yes or no, no path to a file, and no
# address of a secret elsewhere.
literal(value) if {
	trim_space(value) != ""
	not reference(trim_space(value))
	not regex.match(`(?i)^(true|false|yes|no|on|off|none|null|enabled|disabled)$`, trim_space(value))
	not regex.match(`^(/[A-Za-z0-9._-]+){2,}$`, trim_space(value))
	not regex.match(`^(arn:|vault:|file:)`, trim_space(value))
}

# flag is the name of a flag that says that its value is secret; it is undefined for any other argument. --tls-secret is the name
# of a Secret more often than not, so a name that ends in "secret" says nothing here.
flag(argument) := name if {
	some parts in regex.find_all_string_submatch_n(`(?i)^(--?[a-z0-9._-]*(?:password|passwd|token|api[_-]?key))(?:=|$)`, argument, 1)
	name := parts[1]
}
