package handler

// The budgets. They are counts of a run that is always the same, with a margin of a few per cent for what the runtime does beside it, so
// that no test here depends on time or on the machine.
//
// When a test says that a budget is exceeded: find out what the change allocates that it need not (go test ./handler -run '^$'
// -bench Review -memprofile mem.out, then go tool pprof -sample_index=alloc_objects). When it is worth it, write the new number here, in
// the same commit, and say why. When a test says that there is room: write the lower number here, so that nobody takes it back.

// budget is what one review may allocate, from the bytes of its body to those of the answer, without TLS and HTTP/2.
type budget struct {
	allocations, bytes uint64
}

// reviews are the budgets of the main cases, by name.
func reviews() map[string]budget {
	return map[string]budget{
		"nothing to do":  {10, 400},
		"10 policies":    {680, 41_000},
		"5 defaults":     {112, 37_500},
		"50 installed":   {710, 43_000},
		"1000 installed": {710, 43_000},
	}
}

const (
	// patchBytes is the patch of the five defaults for the minimal Deployment, record included, before base64.
	patchBytes = 1700
	// binaryBytes is the binary as make build makes it for linux/amd64.
	binaryBytes = 51_200_000
)
