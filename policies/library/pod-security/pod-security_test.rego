package gesso.policies.pod_security_test

import data.gesso.policies.pod_security as policy

test_x := true
test_y := true
test_z if count(policy.deny) == 0 with input as {"request": {"kind": {"kind": "Pod"}, "object": {"spec": {}}}, "pod": {}, "containers": [], "parameters": {"level": "baseline"}}
