# METADATA
# title: Host names of Ingresses
# description: |
#   Upper and lower case are the same, and so is a name with and without a dot at its end. A wildcard covers one label:
#   *.shop.example covers www.shop.example, and neither shop.example nor a.b.shop.example.
package gesso.lib.hosts

# normal is the one spelling in which hosts are compared.
normal(host) := trim_suffix(lower(host), ".")

# covers is true where every request that the host matches is matched by the pattern too.
covers(pattern, host) if normal(pattern) == normal(host)

covers(pattern, host) if {
	name := normal(pattern)
	startswith(name, "*.")
	labels := split(normal(host), ".")
	not labels[0] in {"", "*"}
	concat(".", array.concat(["*"], array.slice(labels, 1, count(labels)))) == name
}

# overlap is true where some request is matched by both.
overlap(a, b) if covers(a, b)

overlap(a, b) if covers(b, a)
