package js

import (
	"slices"
	"strconv"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"

	"github.com/mpsupervisor/mpsupervisor/internal/mp"
	"github.com/mpsupervisor/mpsupervisor/internal/wire"
)

// native is a function that the prelude gets from Go. The guest never sees it:
// the prelude keeps the object that they come in to itself.
type native func(tls *libc.TLS, ctx uintptr, this value, argc int32, argv uintptr) value

// nativeMember is a member of that object. Its function must not be a closure:
// its address is part of the heap image.
type nativeMember struct {
	name   string
	length int32
	f      native
}

// natives are all of them.
var natives = slices.Concat(coreNatives, commonJSNatives, domNatives, bytesNatives, urlNatives, compressionNatives, cryptoNatives)

// coreNatives are what the rest of the engine hangs on.
var coreNatives = []nativeMember{
	{"log", 2, nativeLog},           // (level, text)
	{"exit", 1, nativeExit},         // (code) does not return
	{"appId", 0, nativeAppID},       // () → who the host takes the program for
	{"ask", 3, nativeAsk},           // (id, method, params as JSON or undefined), which answered answers
	{"now", 0, nativeNow},           // () → milliseconds since the start
	{"origin", 0, nativeOrigin},     // () → the start, milliseconds since 1970
	{"alarm", 1, nativeAlarm},       // (milliseconds since the start, or negative) when tick is due
	{"random", 3, nativeRandom},     // (buffer, offset, length) fills it
	{"settle", 2, nativeSettle},     // (id, JSON or undefined)
	{"fail", 2, nativeFail},         // (id, error)
	{"report", 1, nativeReport},     // (error) reports what nothing caught
	{"enqueue", 1, nativeEnqueue},   // (function) → a job of its own
	{"promise", 1, nativePromise},   // (value) → undefined, or "pending", "fulfilled", "rejected"
	{"result", 1, nativeResult},     // (settled promise) → its value or reason
	{"isProxy", 1, nativeIsProxy},   // (value) → boolean
	{"cutText", 0, nativeCutText},   // () → how many characters of a line are kept
	{"loadIntl", 0, nativeLoadIntl}, // () evaluates the bundle of Intl
	{"utf8Len", 1, nativeUTF8Len},   // (string) → its length in UTF-8
}

func nativeLog(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	level, _, ok := e.text(argument(argv, 0), 16)
	if !ok {
		return thrown
	}
	// One byte more than is kept shows that there was more.
	line, _, ok := e.text(argument(argv, 1), wire.MaxLogText+1)
	if !ok {
		return thrown
	}
	e.host.Log(level, line)
	return undefined
}

func nativeExit(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	p := e.tls.Alloc(8)
	defer e.tls.Free(8)
	if lib.XJS_ToInt64(e.tls, e.ctx, p, argument(argv, 0)) != 0 {
		return thrown
	}
	code := *(*int64)(at(p))
	if code < 0 || code > 255 {
		return e.throwType("mp.exit: the code must be from 0 to 255, not " + strconv.FormatInt(code, 10))
	}
	e.exit(mp.CauseExited, "")
	e.stop.Code = int(code)
	e.throwType("the program has ended")
	lib.XJS_SetUncatchableException(e.tls, e.ctx, 1)
	return thrown
}

func nativeAppID(*libc.TLS, uintptr, value, int32, uintptr) value {
	e := current.Load()
	return e.newString(e.program.AppID)
}

func nativeNow(*libc.TLS, uintptr, value, int32, uintptr) value {
	e := current.Load()
	e.sawClock()
	return number(e.now())
}

func nativeOrigin(*libc.TLS, uintptr, value, int32, uintptr) value {
	e := current.Load()
	e.sawClock()
	return number(float64(e.program.Start.UnixMicro()) / 1000)
}

func nativeAlarm(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	p := e.tls.Alloc(8)
	defer e.tls.Free(8)
	if lib.XJS_ToFloat64(e.tls, e.ctx, p, argument(argv, 0)) != 0 {
		return thrown
	}
	e.alarm = *(*float64)(at(p))
	return undefined
}

func nativeRandom(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	p := e.tls.Alloc(24)
	defer e.tls.Free(24)
	start := lib.XJS_GetArrayBuffer(e.tls, e.ctx, p, argument(argv, 0))
	if start == 0 && *(*uint64)(at(p)) != 0 ||
		lib.XJS_ToInt64(e.tls, e.ctx, p+8, argument(argv, 1)) != 0 ||
		lib.XJS_ToInt64(e.tls, e.ctx, p+16, argument(argv, 2)) != 0 {
		return thrown
	}
	size, offset, n := *(*uint64)(at(p)), *(*uint64)(at(p + 8)), *(*uint64)(at(p + 16))
	if offset > size || n > size-offset {
		return e.throwType("crypto.getRandomValues: the array lies outside of its buffer")
	}
	if n > 0 {
		e.random.Read(bytesAt(start+uintptr(offset), uintptr(n)))
	}
	return undefined
}

func nativeSettle(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	current.Load().settle(int32(argument(argv, 0).Fu.Fuint641), argument(argv, 1))
	return undefined
}

func nativeFail(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	current.Load().fail(int32(argument(argv, 0).Fu.Fuint641), argument(argv, 1))
	return undefined
}

func nativeReport(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	e.uncaught(e.dup(argument(argv, 0)))
	return undefined
}

func nativeEnqueue(tls *libc.TLS, ctx uintptr, _ value, _ int32, argv uintptr) value {
	if lib.XJS_EnqueueJob(tls, ctx, fn(onJob), 1, argv) < 0 {
		return thrown
	}
	return undefined
}

// onJob runs a job of nativeEnqueue's.
func onJob(tls *libc.TLS, ctx uintptr, _ int32, argv uintptr) value {
	return lib.XJS_Call(tls, ctx, argument(argv, 0), undefined, 0, 0)
}

func nativePromise(tls *libc.TLS, ctx uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	switch lib.XJS_PromiseState(tls, ctx, argument(argv, 0)) {
	case lib.EJS_PROMISE_PENDING:
		return e.newString("pending")
	case lib.EJS_PROMISE_FULFILLED:
		return e.newString("fulfilled")
	case lib.EJS_PROMISE_REJECTED:
		return e.newString("rejected")
	}
	return undefined
}

func nativeResult(tls *libc.TLS, ctx uintptr, _ value, _ int32, argv uintptr) value {
	return lib.XJS_PromiseResult(tls, ctx, argument(argv, 0))
}

func nativeIsProxy(tls *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	return boolean(lib.XJS_GetClassID(tls, argument(argv, 0)) == lib.EJS_CLASS_PROXY)
}

func nativeCutText(*libc.TLS, uintptr, value, int32, uintptr) value { return integer(wire.MaxLogText) }

func nativeUTF8Len(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	_, length, ok := current.Load().text(argument(argv, 0), 0)
	if !ok {
		return thrown
	}
	return number(float64(length))
}
