// Package e2e runs Gesso for real: the binary as people run it, registered with a real control plane by what gesso webhooks
// prints. make up and the suite in this package stand on it.
package e2e
