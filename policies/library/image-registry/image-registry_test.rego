package gesso.policies.image_registry_test

test_a := true

test_b := true

test_c := true
