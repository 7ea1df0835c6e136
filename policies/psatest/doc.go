// Package psatest compares the policy pod-security with the Pod Security Standards as Kubernetes itself checks them. It holds tests
// only, in a module of their own, so that nobody else takes along what they need.
package psatest
