package js

import (
	"strconv"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// rejection is a promise that was rejected and that nothing handles yet.
type rejection struct {
	promise uintptr
	reason  value
}

// maxRejections bounds the list for one turn; what is above it is counted.
const maxRejections = 256

// onRejection hears of each promise that is rejected without a handler
// (handled 0), and of each such promise that gets one after all.
func onRejection(_ *libc.TLS, _ uintptr, promise, reason value, handled int32, _ uintptr) {
	e := current.Load()
	if handled != 0 {
		e.forgive(pointer(promise))
		return
	}
	if len(e.rejected) == maxRejections {
		e.unlisted++
		return
	}
	// The promise is held too, or its address could be another's by then.
	e.dup(promise)
	e.rejected = append(e.rejected, rejection{pointer(promise), e.dup(reason)})
}

func (e *Engine) forgive(promise uintptr) {
	for i, r := range e.rejected {
		if r.promise == promise {
			e.rejected = append(e.rejected[:i], e.rejected[i+1:]...)
			e.release(r)
			return
		}
	}
	if e.unlisted > 0 {
		e.unlisted--
	}
}

func (e *Engine) release(r rejection) {
	e.drop(r.reason)
	e.drop(value{Fu: lib.TJSValueUnion{Fuint641: uint64(r.promise)}, Ftag: lib.EJS_TAG_OBJECT})
}

// reportRejections logs what is unhandled at a turn's end. Showing a value can
// reject more promises: those wait for the next turn.
func (e *Engine) reportRejections() {
	list, more := e.rejected, e.unlisted
	e.rejected, e.unlisted = nil, 0
	for _, r := range list {
		if id, ok := e.callOf(r.promise); ok {
			e.fail(id, r.reason)
		} else if !e.isEntrys(r) {
			e.uncaught("Uncaught (in promise) ", e.dup(r.reason))
		}
		e.release(r)
	}
	if more > 0 {
		e.host.Log("error", "and "+strconv.Itoa(more)+" more promises were rejected and not handled")
	}
}

// isEntrys reports whether a rejection is that of the entry's evaluation, which
// Load returns as its error: of its promise, or of the promise that QuickJS
// keeps for a module's own part of it, which was rejected for the same reason.
func (e *Engine) isEntrys(r rejection) bool {
	if e.entryPromise == 0 || r.promise == e.entryPromise {
		return r.promise == e.entryPromise
	}
	entry := value{Fu: lib.TJSValueUnion{Fuint641: uint64(e.entryPromise)}, Ftag: lib.EJS_TAG_OBJECT}
	if lib.XJS_PromiseState(e.tls, e.ctx, entry) != lib.EJS_PROMISE_REJECTED {
		return false
	}
	reason := lib.XJS_PromiseResult(e.tls, e.ctx, entry)
	defer e.drop(reason)
	return reason == r.reason
}
