package gesso.policies.image_commit_tag_test

test_a := true

test_b := true

test_c := true
