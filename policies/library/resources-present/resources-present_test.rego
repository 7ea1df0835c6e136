package gesso.policies.resources_present_test

test_a := true

test_b := true

test_c := true
