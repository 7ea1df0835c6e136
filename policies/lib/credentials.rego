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

# _forms have a hint, which a text must hold, because looking for it costs next to nothing. Each pattern begins with its hint, so that
# a ConfigMap of a mebibyte is searched in milliseconds.
_forms := [
	{"sort": "an access key of AWS", "hint": "AKIA", "pattern": `AKIA[A-Z0-9]{16}($|[^A-Za-z0-9])`},
	{"sort": "an access key of AWS", "hint": "ASIA", "pattern": `ASIA[A-Z0-9]{16}($|[^A-Za-z0-9])`},
	{"sort": "a private key", "hint": "-----BEGIN ", "pattern": `-----BEGIN [^\n-]*PRIVATE KEY`},
	{"sort": "a token of Slack", "hint": "xox", "pattern": `xox[abeoprs]-[A-Za-z0-9]`},
	{"sort": "a token of GitHub", "hint": "gh", "pattern": `gh[pousr]_[A-Za-z0-9]{36}`},
	{"sort": "a fine-grained token of GitHub", "hint": "github_pat_", "pattern": `github_pat_[A-Za-z0-9_]{22}`},
	{"sort": "a token of GitLab", "hint": "glpat-", "pattern": `glpat-[A-Za-z0-9_-]{20}`},
	{"sort": "a key of Stripe", "hint": "sk_live_", "pattern": `sk_live_[A-Za-z0-9]{16}`},
	{"sort": "a key of Stripe", "hint": "rk_live_", "pattern": `rk_live_[A-Za-z0-9]{16}`},
	{"sort": "a JSON Web Token", "hint": "eyJ", "pattern": `eyJ[A-Za-z0-9_-]{4,}\.eyJ[A-Za-z0-9_-]{4,}`},
]

# _url is true for a URL with a password that is written out. One whose password begins like a reference is how it should be, and one
# of x and dots is an example; in name:tag@sha256:… nothing is a password.
_url(text) if {
	contains(text, "://")
	regex.match(_password, text)
}

_password := concat("", [
	`://[^\s/:@"'<>]*:[xX.]*[^\s/@"'$<{%*xX.][^\s/@"']*@`,
	`([^s]|s[^h]|sh[^a]|sha[^2]|sha2[^5]|sha25[^6]|sha256[^:]|s?h?a?2?5?6?$)`,
])

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
	name := _before(argument, indexof(argument, "="))
	regex.match(`(?i)^--?[a-z0-9._-]*(password|passwd|token|api[_-]?key)$`, name)
}

_before(text, -1) := text

_before(text, end) := substring(text, 0, end) if end >= 0
