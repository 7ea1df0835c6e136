// Package psatest holds Gesso against the Pod Security Standards as Kubernetes itself checks them: the verdicts of the policy
// pod-security, and what the defaults fill. It holds tests only, in a module of their own, so that nobody else takes along what they need.
package psatest
