// A stand-in: OPA wants version 1 of this module, Kyverno version 0, and both have one path.
module github.com/gobwas/glob

go 1.26.0
