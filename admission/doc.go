// Package admission is one review: a [Request] goes in, a [Result] comes out. It fills what is absent, applies that, and
// judges the outcome; what a violation does (actions, ratchet, exceptions, break-glass) is decided here. The webhook,
// gesso review and every other way in call the same [Engine] on the same bytes.
//
// The package is pure: no clock, no network, no client. The time and the facts of the Namespace are values in the request.
package admission
