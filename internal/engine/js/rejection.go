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
		e.forgive(promise, reason)
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

// forgive takes a promise off the list. One that is not on it may have been
// reported in an earlier turn: the prelude knows.
func (e *Engine) forgive(promise, reason value) {
	for i, r := range e.rejected {
		if r.promise == pointer(promise) {
			e.rejected = append(e.rejected[:i], e.rejected[i+1:]...)
			e.release(r)
			return
		}
	}
	if e.unlisted > 0 {
		e.unlisted--
	} else if len(e.handled) < maxRejections {
		e.dup(promise)
		e.handled = append(e.handled, rejection{pointer(promise), e.dup(reason)})
	}
}

func (r rejection) value() value {
	return value{Fu: lib.TJSValueUnion{Fuint641: uint64(r.promise)}, Ftag: lib.EJS_TAG_OBJECT}
}

func (e *Engine) release(r rejection) {
	e.drop(r.reason)
	e.drop(r.value())
}

// reportRejections tells of what is unhandled when no jobs are left, and of
// what is handled after all. It reports whether there was anything: the guest's
// listeners can have made more jobs, and rejected more promises.
func (e *Engine) reportRejections() bool {
	list, more, handled := e.rejected, e.unlisted, e.handled
	e.rejected, e.unlisted, e.handled = nil, 0, nil
	for _, r := range handled {
		e.tell(entryHandled, r.value(), r.reason)
		e.release(r)
	}
	for _, r := range list {
		if id, ok := e.callOf(r.promise); ok {
			e.fail(id, r.reason)
		} else if !e.handledSince(r) && !e.isEntrys(r) && !e.isBody(r) {
			e.report(e.dup(r.reason), "Uncaught (in promise) ", entryRejected, r.value(), r.reason)
		}
		e.release(r)
	}
	if more > 0 {
		e.host.Log("error", "and "+strconv.Itoa(more)+" more promises were rejected and not handled")
	}
	return len(list) > 0 || len(handled) > 0
}

// handledSince reports whether a listener that heard of another rejection has
// handled this one. There is nothing to tell then.
func (e *Engine) handledSince(r rejection) bool {
	for i, h := range e.handled {
		if h.promise == r.promise {
			e.handled = append(e.handled[:i], e.handled[i+1:]...)
			e.release(h)
			return true
		}
	}
	return false
}

// isEntrys reports whether a rejection is that of the entry's evaluation, which
// Load returns as its error: of its promise, or of the promise that QuickJS
// keeps for a module's own part of it, which was rejected for the same reason.
func (e *Engine) isEntrys(r rejection) bool {
	if e.entryPromise == 0 || r.promise == e.entryPromise {
		return r.promise == e.entryPromise
	}
	entry := rejection{promise: e.entryPromise}.value()
	if lib.XJS_PromiseState(e.tls, e.ctx, entry) != lib.EJS_PROMISE_REJECTED {
		return false
	}
	reason := lib.XJS_PromiseResult(e.tls, e.ctx, entry)
	defer e.drop(reason)
	return reason == r.reason
}
