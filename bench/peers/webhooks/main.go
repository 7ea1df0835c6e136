package main

import (
	_ "github.com/gesso-dev/gesso/admission"
	_ "github.com/gesso-dev/gesso/policies"
	_ "github.com/gesso-dev/gesso/webhook"
	_ "github.com/kyverno/kyverno/pkg/cel/policies/vpol/engine"
	_ "github.com/kyverno/kyverno/pkg/cel/policies/vpol/compiler"
	_ "github.com/kyverno/kyverno/pkg/engine"
	_ "github.com/open-policy-agent/gatekeeper/v3/pkg/webhook"
)

func main() {}
