// Package v1alpha1 holds the types that people write: Profile and Exception. They have the same shape as a file and,
// later, as a custom resource.
package v1alpha1

// APIVersion is the apiVersion of everything in this package.
const APIVersion = "gesso.dev/v1alpha1"
