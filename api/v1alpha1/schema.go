package v1alpha1

import _ "embed"

//go:generate go -C ../../docs/schemagen run . ../..

//go:embed profile.schema.json
var profileSchema string

// ProfileSchema returns the JSON schema (draft 2020-12) of a written Profile, made from the types of this package and their comments.
// It holds what an editor can know: fields, types and words. What values mean, [DecodeProfile] checks.
func ProfileSchema() string { return profileSchema }
