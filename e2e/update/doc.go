// Package update is the table of updates: what a request does to a workload whose defaults have moved on since its last deploy.
// Each row is a list of steps on a real API server with the real controllers, and says after each step whether the pod template
// changed, how many revisions there are, what generation and kubectl say, and why. Afterwards every review that the API server
// asked for is held against gesso review.
//
//	go test ./e2e/update -v
package update
