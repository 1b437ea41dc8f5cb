package js

import (
	"math"
	"strings"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// value is a JavaScript value. Who holds one owns a reference: see dup, drop.
type value = lib.TJSValue

var (
	undefined = value{Ftag: lib.EJS_TAG_UNDEFINED}
	thrown    = value{Ftag: lib.EJS_TAG_EXCEPTION}
)

func number(f float64) value {
	return value{Fu: lib.TJSValueUnion{Fuint641: math.Float64bits(f)}, Ftag: lib.EJS_TAG_FLOAT64}
}

func integer(i int32) value {
	return value{Fu: lib.TJSValueUnion{Fuint641: uint64(uint32(i))}, Ftag: lib.EJS_TAG_INT}
}

func boolean(b bool) value {
	v := value{Ftag: lib.EJS_TAG_BOOL}
	if b {
		v.Fu.Fuint641 = 1
	}
	return v
}

func isThrown(v value) bool    { return v.Ftag == lib.EJS_TAG_EXCEPTION }
func isObject(v value) bool    { return v.Ftag == lib.EJS_TAG_OBJECT }
func isUndefined(v value) bool { return v.Ftag == lib.EJS_TAG_UNDEFINED }

func isString(v value) bool {
	return v.Ftag == lib.EJS_TAG_STRING || v.Ftag == lib.EJS_TAG_STRING_ROPE
}

// pointer is the address of the object, string or module in v.
func pointer(v value) uintptr { return uintptr(v.Fu.Fuint641) }

func (e *Engine) dup(v value) value { return lib.XDupValue(e.tls, e.ctx, v) }
func (e *Engine) drop(v value)      { lib.XFreeValue(e.tls, e.ctx, v) }

// source is text in libc's memory with a NUL behind it, as QuickJS wants it.
// Go's own memory is never handed over: its checker of pointers, on in tests
// with the race detector, rightly mistrusts C code that walks in it.
type source struct {
	p uintptr
	n int // bytes before the NUL
}

// newSource copies b. Without memory for it the process is at its end, as it
// is when Go's own allocator fails.
func newSource(b string) source {
	p, err := libc.CString(b)
	if err != nil {
		panic(err)
	}
	return source{p, len(b)}
}

func (s source) free() { libc.Xfree(nil, s.p) }

// withC calls f with s as a C string.
func withC[T any](s string, f func(p uintptr) T) T {
	c := newSource(s)
	defer c.free()
	return f(c.p)
}

// newString may return thrown, for want of memory.
func (e *Engine) newString(s string) value {
	return withC(s, func(p uintptr) value {
		return lib.XJS_NewStringLen(e.tls, e.ctx, p, lib.Tsize_t(len(s)))
	})
}

// get reads a property, which may run guest code, and throw.
func (e *Engine) get(v value, name string) value {
	return withC(name, func(p uintptr) value { return lib.XJS_GetPropertyStr(e.tls, e.ctx, v, p) })
}

// set takes over x. It reports whether it worked.
func (e *Engine) set(object value, name string, x value) bool {
	return withC(name, func(p uintptr) bool {
		return lib.XJS_SetPropertyStr(e.tls, e.ctx, object, p, x) >= 0
	})
}

// call keeps the caller's references to f and args.
func (e *Engine) call(f value, args ...value) value {
	n := len(args) * int(unsafe.Sizeof(value{}))
	p := e.tls.Alloc(max(n, 1))
	defer e.tls.Free(max(n, 1))
	copy(unsafe.Slice((*value)(at(p)), len(args)), args)
	return lib.XJS_Call(e.tls, e.ctx, f, undefined, int32(len(args)), p)
}

// text converts v, which may run guest code. It returns at most limit bytes of
// valid UTF-8 and the length that the whole has, or ok false when it threw.
func (e *Engine) text(v value, limit int) (s string, length int, ok bool) {
	n := e.tls.Alloc(8)
	defer e.tls.Free(8)
	p := lib.XJS_ToCStringLen2(e.tls, e.ctx, n, v, 0)
	if p == 0 {
		return "", 0, false
	}
	defer lib.XJS_FreeCString(e.tls, e.ctx, p)
	length = int(*(*lib.Tsize_t)(at(n)))
	b := string(bytesAt(p, uintptr(min(length, limit))))
	// Half a character at the cut, and lone surrogates, go.
	return strings.ToValidUTF8(b, cut(length > limit)), length, true
}

func cut(yes bool) string {
	if yes {
		return ""
	}
	return "\ufffd"
}

// argument i of a native function, which QuickJS has padded to the function's
// length. The caller does not own it.
func argument(argv uintptr, i int) value {
	return *(*value)(at(argv + uintptr(i)*unsafe.Sizeof(value{})))
}

// throwType throws a TypeError. Its message ends after 255 bytes.
func (e *Engine) throwType(message string) value {
	return e.throw(message, lib.XJS_ThrowTypeError)
}

func (e *Engine) throwReference(message string) value {
	return e.throw(message, lib.XJS_ThrowReferenceError)
}

func (e *Engine) throw(message string, with func(*libc.TLS, uintptr, uintptr, uintptr) value) value {
	return withC("%s", func(format uintptr) value {
		return withC(message, func(p uintptr) value {
			va := e.tls.Alloc(16)
			defer e.tls.Free(16)
			return with(e.tls, e.ctx, format, libc.VaList(va, p))
		})
	})
}

// exception takes the pending exception.
func (e *Engine) exception() value { return lib.XJS_GetException(e.tls, e.ctx) }

// bytesOf is the memory that v shows, an ArrayBuffer or a view of one, for as
// long as no guest code runs and nothing is freed. It reports false, with an
// exception pending, when v is neither, or is detached.
func (e *Engine) bytesOf(v value) (b []byte, ok bool) {
	switch b, state := e.memory(v); state {
	case memoryLives:
		return b, true
	case memoryGone:
		e.throwType("the ArrayBuffer is detached, or too small for the view")
	default:
		e.throwType("the value is neither an ArrayBuffer nor a view of one")
	}
	return nil, false
}

// memoryState says what a value has of memory.
type memoryState int

const (
	memoryNone  memoryState = iota // the value has nothing to do with an ArrayBuffer
	memoryGone                     // detached, or shrunk until the view is outside
	memoryLives                    // there, of length 0 or more
)

// memory is bytesOf without an exception.
func (e *Engine) memory(v value) ([]byte, memoryState) {
	if !isObject(v) {
		return nil, memoryNone
	}
	class := lib.XJS_GetClassID(e.tls, v)
	if class < lib.EJS_CLASS_UINT8C_ARRAY || class > lib.EJS_CLASS_DATAVIEW {
		return e.bufferMemory(v)
	}
	view := (*lib.TJSTypedArray)(at(lib.XJS_GetOpaque(e.tls, v, class)))
	buffer := value{Fu: lib.TJSValueUnion{Fuint641: uint64(view.Fbuffer)}, Ftag: lib.EJS_TAG_OBJECT}
	b, state := e.bufferMemory(buffer)
	offset, length := int(view.Foffset), int(view.Flength)
	if state != memoryLives || offset > len(b) {
		return nil, memoryGone
	}
	if b = b[offset:]; view.Ftrack_rab != 0 {
		return b, memoryLives // it is as long as its buffer is now
	}
	if length > len(b) {
		return nil, memoryGone
	}
	return b[:length:length], memoryLives
}

func (e *Engine) bufferMemory(v value) ([]byte, memoryState) {
	class := lib.XJS_GetClassID(e.tls, v)
	if class != lib.EJS_CLASS_ARRAY_BUFFER && class != lib.EJS_CLASS_SHARED_ARRAY_BUFFER {
		return nil, memoryNone
	}
	buffer := (*lib.TJSArrayBuffer)(at(lib.XJS_GetOpaque(e.tls, v, class)))
	if buffer.Fdetached != 0 || buffer.Fdata == 0 {
		return nil, memoryGone
	}
	return bytesAt(buffer.Fdata, uintptr(buffer.Fbyte_length)), memoryLives
}

// newBytes returns a Uint8Array with a copy of b, or thrown for want of memory.
func (e *Engine) newBytes(b []byte) value {
	return e.newArray(len(b), func(to []byte) { copy(to, b) })
}

// newArray returns a Uint8Array of n bytes that fill writes, or thrown for want
// of memory. fill must not run guest code.
func (e *Engine) newArray(n int, fill func([]byte)) value {
	if n > math.MaxInt32 {
		return lib.XJS_ThrowOutOfMemory(e.tls, e.ctx)
	}
	buffer := lib.XJS_NewArrayBufferCopy(e.tls, e.ctx, 0, lib.Tsize_t(n))
	if isThrown(buffer) {
		return thrown
	}
	defer e.drop(buffer) // the array holds another reference
	b, _ := e.bufferMemory(buffer)
	fill(b)
	// It reads an offset and a length too, however few arguments it is told of.
	args := [3]value{buffer, undefined, undefined}
	const size = int(unsafe.Sizeof(args))
	p := e.tls.Alloc(size)
	defer e.tls.Free(size)
	*(*[3]value)(at(p)) = args
	return lib.XJS_NewTypedArray(e.tls, e.ctx, 1, p, lib.EJS_TYPED_ARRAY_UINT8)
}
