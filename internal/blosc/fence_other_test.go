//go:build !unix

package blosc

import "testing"

// A fence is memory; that what lies around it is not touched is for other
// systems to test.
type fence []byte

func newFence(_ testing.TB, n int) fence { return make(fence, n) }
