# METADATA
# title: ARNs of IAM roles and users
# description: |
#   What admission can say of an ARN by reading it. The EKS pod identity webhook logs a bad one and uses it all the same, and
#   aws-auth ignores it; either way nobody is told.
package gesso.lib.arns

# wrong says what is wrong with the ARN of an IAM role or user; sort is "role" or "user". It is undefined for a good one.
wrong(arn, sort) := "is not text" if {
	not is_string(arn)
} else := "is empty" if {
	trim_space(arn) == ""
} else := "holds white space or a line break" if {
	regex.match(`[\s\p{Z}\p{C}]`, arn)
} else := _wrong(split(arn, ":"), sort)

_wrong(parts, sort) := "is not an ARN" if {
	parts[0] != "arn"
} else := "is not an ARN: it has fewer than six parts" if {
	count(parts) < 6
} else := sprintf("has a partition %q that does not exist", [parts[1]]) if {
	not parts[1] in _partitions
} else := "is a session of a role (sts), which is no principal of its own" if {
	parts[2] == "sts"
} else := sprintf("is of the service %q, not of iam", [parts[2]]) if {
	parts[2] != "iam"
} else := sprintf("has a region %q, and IAM has none", [parts[3]]) if {
	parts[3] != ""
} else := sprintf("has an account %q that is not twelve digits", [parts[4]]) if {
	not regex.match(`^[0-9]{12}$`, parts[4])
} else := sprintf("names no %s but %q", [sort, split(parts[5], "/")[0]]) if {
	not startswith(parts[5], sprintf("%s/", [sort]))
} else := sprintf("has no name behind %s/", [sort]) if {
	name(concat(":", parts)) == ""
} else := "holds a character that no name or path has" if {
	not regex.match(`^[A-Za-z0-9_+=,.@/-]+$`, concat(":", array.slice(parts, 5, count(parts))))
} else := "has an empty part in its path" if {
	contains(parts[5], "//")
} else := "has a name longer than 64 characters" if {
	count(name(concat(":", parts))) > 64
} else := "has a path longer than 512 characters" if {
	count(parts[5]) - (count(name(concat(":", parts))) + count(sort)) > 512
}

_partitions := {"aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc"}

# partition, account and name of an ARN that is not wrong.
partition(arn) := split(arn, ":")[1]

account(arn) := split(arn, ":")[4]

name(arn) := parts[count(parts) - 1] if parts := split(arn, "/")

# path is true where there is something between the sort and the name.
path(arn) if count(split(arn, "/")) > 2

# without_path is the ARN of a role as a session of it shows the role.
without_path(arn) := sprintf("%s/%s", [split(arn, "/")[0], name(arn)])
