package gesso.lib.arns_test

import data.gesso.lib.arns

_long(n) := concat("", [letter | some _ in numbers.range(1, n); letter := "x"])

test_good_role[arn] if {
	some arn in [
		"arn:aws:iam::111122223333:role/shop",
		"arn:aws:iam::111122223333:role/k8s/demo/team-a/shop",
		"arn:aws-cn:iam::111122223333:role/shop",
		"arn:aws-us-gov:iam::111122223333:role/a_b+c=d,e.f@g-h",
		sprintf("arn:aws:iam::111122223333:role/%s", [_long(64)]),
	]
	not arns.wrong(arn, "role")
}

test_good_user if not arns.wrong("arn:aws:iam::111122223333:user/people/alice", "user")

test_wrong[sprintf("%v", [case.arn])] if {
	some case in [
		{"arn": 7, "want": "not text"},
		{"arn": ["arn:aws:iam::111122223333:role/shop"], "want": "not text"},
		{"arn": "", "want": "empty"},
		{"arn": " \n", "want": "empty"},
		{"arn": "arn:aws:iam::111122223333:role/shop\n", "want": "line break"},
		{"arn": " arn:aws:iam::111122223333:role/shop", "want": "white space"},
		{"arn": "arn:aws:iam::111122223333:role/sh op", "want": "white space"},
		{"arn": "arn:aws:iam::111122223333:role/sh\u00a0op", "want": "white space"},
		{"arn": "arn:aws:iam::111122223333:role/shop\u200b", "want": "white space"},
		{"arn": "shop", "want": "not an ARN"},
		{"arn": "ARN:aws:iam::111122223333:role/shop", "want": "not an ARN"},
		{"arn": "arn:aws:iam::111122223333", "want": "six parts"},
		{"arn": "arn:amazon:iam::111122223333:role/shop", "want": `partition "amazon"`},
		{"arn": "arn:AWS:iam::111122223333:role/shop", "want": `partition "AWS"`},
		{"arn": "arn::iam::111122223333:role/shop", "want": `partition ""`},
		{"arn": "arn:aws:sts::111122223333:assumed-role/shop/session", "want": "session"},
		{"arn": "arn:aws:sts::111122223333:role/shop", "want": "session"},
		{"arn": "arn:aws:s3:::bucket", "want": `service "s3"`},
		{"arn": "arn:aws:iam:eu-west-1:111122223333:role/shop", "want": "region"},
		{"arn": "arn:aws:iam::11112222333:role/shop", "want": "twelve digits"},
		{"arn": "arn:aws:iam::1111222233334:role/shop", "want": "twelve digits"},
		{"arn": "arn:aws:iam:::role/shop", "want": "twelve digits"},
		{"arn": "arn:aws:iam::*:role/shop", "want": "twelve digits"},
		{"arn": "arn:aws:iam::111122223333:user/shop", "want": `"user"`},
		{"arn": "arn:aws:iam::111122223333:root", "want": `"root"`},
		{"arn": "arn:aws:iam::111122223333:assumed-role/shop/x", "want": `"assumed-role"`},
		{"arn": "arn:aws:iam::111122223333:instance-profile/shop", "want": `"instance-profile"`},
		{"arn": "arn:aws:iam::111122223333:Role/shop", "want": `"Role"`},
		{"arn": "arn:aws:iam::111122223333:role", "want": `"role"`},
		{"arn": "arn:aws:iam::111122223333:role/", "want": "no name"},
		{"arn": "arn:aws:iam::111122223333:role/k8s/", "want": "no name"},
		{"arn": "arn:aws:iam::111122223333:role/*", "want": "character"},
		{"arn": "arn:aws:iam::111122223333:role/a:b", "want": "character"},
		{"arn": "arn:aws:iam::111122223333:role/k8s//shop", "want": "empty part"},
		{"arn": sprintf("arn:aws:iam::111122223333:role/%s", [_long(65)]), "want": "64"},
		{"arn": sprintf("arn:aws:iam::111122223333:role/%s/x", [_long(600)]), "want": "512"},
	]
	contains(arns.wrong(case.arn, "role"), case.want)
}

test_parts if {
	arn := "arn:aws-cn:iam::111122223333:role/k8s/demo/shop"
	arns.partition(arn) == "aws-cn"
	arns.account(arn) == "111122223333"
	arns.name(arn) == "shop"
	arns.path(arn)
	not arns.path("arn:aws:iam::111122223333:role/shop")
	arns.without_path(arn) == "arn:aws-cn:iam::111122223333:role/shop"
}
