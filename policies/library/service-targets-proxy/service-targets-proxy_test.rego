package gesso.policies.service_targets_proxy_test

test_a := true

test_b := true

test_c := true
