# METADATA
# title: Regular expressions that let in more than they name
# description: |
#   An expression is searched for anywhere in a name: prod is found in nonprod-x. So it must be anchored at both ends, and must
#   not take in names that nobody has thought of.
package gesso.lib.patterns

# anchored is true for an expression that begins with ^ and ends with $, with every | between them in parentheses.
anchored(expression) if {
	bare := _bare(expression)
	startswith(bare, "^")
	endswith(bare, "$")
	not regex.match(`^\^[?*{]`, bare)
	not regex.match(`[|()]`, bare)
}

# _bare is the expression without what is escaped, without sets of characters and without groups, nested to a depth of five.
_bare(expression) := _group(_group(_group(_group(_group(flat))))) if {
	literal := regex.replace(expression, `\\.`, "")
	flat := regex.replace(literal, `\[\^?\]?[^\]]*\]`, "")
}

_group(expression) := regex.replace(expression, `\([^()]*\)`, "")

# wide is true for a valid expression that is found in a name that nobody has.
wide(expression) if {
	regex.is_valid(expression)
	some name in ["q", "qzj", "qzj-wvx", "wvx7-qzj", "7wvxq", "QZJ_WVX", "qzj.wvx"]
	regex.match(expression, name)
}
