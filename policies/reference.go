package policies

import (
	// A digest is only valid when its algorithm is linked in.
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"
)

// imageRef is an image reference taken apart, so that no policy has to. When OK is false all parts but Trimmed are empty: there is no
// such thing as half a reference.
type imageRef struct {
	OK     bool
	Reason string // why it is not OK, for a message: "is empty", …
	// Registry and Repository are what the container runtime will use: nginx is docker.io and library/nginx.
	Registry, Repository string
	Tag, Digest          string
	// Name is the reference as the author wrote it, without tag and digest: what a proposal begins with.
	Name string
	// Trimmed is the text without white space around it.
	Trimmed string
}

// parseReference is strict: white space around the reference is an error, because Pods refuse what their templates let through.
func parseReference(text string) imageRef {
	trimmed := strings.TrimSpace(text)
	ref := imageRef{Trimmed: trimmed}
	switch {
	case trimmed == "":
		ref.Reason = "is empty"
		return ref
	case trimmed != text:
		ref.Reason = "has white space around it"
		return ref
	}
	if quick, ok := quickReference(text); ok {
		return quick
	}
	return slowReference(text)
}

// slowReference takes apart what is not empty and has no white space around it, in the words of the library that container runtimes use.
func slowReference(trimmed string) imageRef {
	ref := imageRef{Trimmed: trimmed}
	named, err := reference.ParseNormalizedNamed(trimmed)
	if err != nil {
		ref.Reason = referenceReason(err)
		return ref
	}
	ref.OK = true
	ref.Registry = reference.Domain(named)
	ref.Repository = reference.Path(named)
	ref.Name = trimmed
	if digested, ok := named.(reference.Digested); ok {
		ref.Digest = digested.Digest().String()
		ref.Name = strings.TrimSuffix(ref.Name, "@"+ref.Digest)
	}
	if tagged, ok := named.(reference.Tagged); ok {
		ref.Tag = tagged.Tag()
		ref.Name = strings.TrimSuffix(ref.Name, ":"+ref.Tag)
	}
	return ref
}

// referenceReason says what is wrong in words of our own: those of the library repeat parts of the reference unquoted.
func referenceReason(err error) string {
	switch text := err.Error(); {
	case errors.Is(err, digest.ErrDigestInvalidFormat), errors.Is(err, digest.ErrDigestInvalidLength), errors.Is(err, digest.ErrDigestUnsupported):
		return "has a digest that is not valid"
	case errors.Is(err, reference.ErrNameTooLong):
		return "has a name that is too long"
	case strings.HasSuffix(text, "must be lowercase"):
		return "has a repository name that is not lower case"
	case strings.HasSuffix(text, "64-byte hexadecimal strings"):
		return "is an image id, not a name"
	}
	return "is no valid image reference"
}
