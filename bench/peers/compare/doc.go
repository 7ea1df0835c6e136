// Package compare measures policy engines beside Gesso: the same ten rules, the same Pod, the CPU of one judgement.
//
// What is counted is the CPU time of the whole process, by getrusage, the collector's included: wall time says little on a machine that
// others use too. The engines take turns in rounds, so that a slow minute is slow for all, and the medians of the rounds are compared.
// Every turn begins and ends with a full collection, and the one at the end counts: nobody leaves garbage to the next. That makes a turn
// dearer by the same amount for all, and so weighs more on an engine that allocates little.
//
// Engines that cannot be built into one process, because they want other versions of one module, run in two. Gesso then runs in both, and
// so does a yardstick, encoding/json on the AdmissionReview: where the two processes agree on it, their figures can be compared.
//
// Ratios are the other engine's CPU by Gesso's in the same process. Two things make them smaller than they would be in a cluster:
//   - Gesso's figure is the whole handler, from the bytes of the AdmissionReview to those of the answer, with its metrics. The others start
//     where their own packages can be called: behind the decoding of the review, and for Kyverno and ValidatingAdmissionPolicy without the
//     answer as well.
//   - Gesso's ten policies are of everything that has Pods, the others' of Pods alone. Kyverno adds the kinds around a Pod by itself.
//
// Each engine says in its own package what its figure holds.
//
// Nothing is measured before it is checked: the good Pod passes everywhere, and of the bad Pods each is refused by the one policy that it
// offends, by no other, in every engine.
package compare
