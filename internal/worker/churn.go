package worker

import (
	"runtime/debug"
	"sync/atomic"
)

// churn counts the bytes of messages, and gives their memory back to the
// kernel when many have passed: Go's runtime keeps it for a while otherwise,
// and an idle worker should not.
type churn struct{ bytes atomic.Int64 }

// churnLimit is how many bytes pass between two releases. A release takes
// about a millisecond.
const churnLimit = 8 << 20

func (c *churn) add(n int) {
	if total := c.bytes.Add(int64(n)); total >= churnLimit && c.bytes.CompareAndSwap(total, 0) {
		debug.FreeOSMemory()
	}
}
