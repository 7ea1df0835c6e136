package webhook

// reviewStack is about how much stack a review takes on the goroutine of its request.
const reviewStack = 24 << 10

// deepen makes room on the stack at once. Each request has a new goroutine with little of it, which would grow by doubling: at every step
// all that stands on it would be copied, and its pointers looked for. at is anything that is not known when this is compiled, or the
// room would not be needed; it must not be negative.
//
//go:noinline
func deepen(at int) byte {
	var room [reviewStack]byte
	room[at%reviewStack] = 1
	return room[at/2%reviewStack]
}
