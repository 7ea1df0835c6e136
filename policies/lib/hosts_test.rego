package gesso.lib.hosts_test

import data.gesso.lib.hosts

test_covers[sprintf("%s %s", [case.pattern, case.host])] if {
	some case in [
		{"pattern": "shop.example", "host": "shop.example"},
		{"pattern": "Shop.Example.", "host": "shop.example"},
		{"pattern": "shop.example", "host": "SHOP.EXAMPLE."},
		{"pattern": "*.shop.example", "host": "www.shop.example"},
		{"pattern": "*.Shop.example", "host": "WWW.shop.example."},
		{"pattern": "*.shop.example", "host": "*.shop.example"},
		{"pattern": "", "host": ""},
	]
	hosts.covers(case.pattern, case.host)
	hosts.overlap(case.pattern, case.host)
	hosts.overlap(case.host, case.pattern)
}

test_covers_not[sprintf("%s %s", [case.pattern, case.host])] if {
	some case in [
		{"pattern": "shop.example", "host": "www.shop.example"},
		{"pattern": "shop.example", "host": "shop.example.evil"},
		{"pattern": "shop.example", "host": "evilshop.example"},
		{"pattern": "*.shop.example", "host": "shop.example"},
		{"pattern": "*.shop.example", "host": "a.b.shop.example"},
		{"pattern": "*.shop.example", "host": ".shop.example"},
		{"pattern": "*.shop.example", "host": ""},
		{"pattern": "*.shop.example", "host": "*.evil.example"},
		{"pattern": "*", "host": "shop.example"},
		{"pattern": "*", "host": "localhost"},
		{"pattern": "", "host": "shop.example"},
		{"pattern": "*.", "host": "shop."},
	]
	not hosts.covers(case.pattern, case.host)
	not hosts.overlap(case.pattern, case.host)
}

test_a_host_does_not_cover_a_wildcard if {
	not hosts.covers("www.shop.example", "*.shop.example")
	hosts.overlap("www.shop.example", "*.shop.example")
}
