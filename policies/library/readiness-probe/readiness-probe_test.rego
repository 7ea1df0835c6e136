package gesso.policies.readiness_probe_test

test_a := true

test_b := true

test_c := true
