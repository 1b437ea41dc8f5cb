package js

import (
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// The functions through which QuickJS takes memory. They must be functions and
// not closures: their addresses are part of the heap image.

func hookMalloc(_ *libc.TLS, state uintptr, n lib.Tsize_t) uintptr {
	h := &theRoot().heap
	p := h.malloc(uintptr(n))
	if p != 0 {
		s := (*lib.TJSMallocState)(at(state))
		s.Fmalloc_count++
		s.Fmalloc_size += lib.Tsize_t(h.usable(p))
	}
	return p
}

func hookFree(_ *libc.TLS, state uintptr, p uintptr) {
	if p == 0 {
		return
	}
	h := &theRoot().heap
	s := (*lib.TJSMallocState)(at(state))
	s.Fmalloc_count--
	s.Fmalloc_size -= lib.Tsize_t(h.usable(p))
	h.free(p)
}

func hookRealloc(tls *libc.TLS, state uintptr, p uintptr, n lib.Tsize_t) uintptr {
	switch {
	case p == 0 && n == 0:
		return 0
	case p == 0:
		return hookMalloc(tls, state, n)
	case n == 0:
		hookFree(tls, state, p)
		return 0
	}
	h := &theRoot().heap
	old := h.usable(p)
	q := h.realloc(p, uintptr(n))
	if q != 0 {
		s := (*lib.TJSMallocState)(at(state))
		s.Fmalloc_size += lib.Tsize_t(h.usable(q)) - lib.Tsize_t(old)
	}
	return q
}

func hookUsable(_ *libc.TLS, p uintptr) lib.Tsize_t {
	if p == 0 {
		return 0
	}
	return lib.Tsize_t(theRoot().heap.usable(p))
}

// fn is the C function pointer of a Go function that is not a closure: the
// address of its descriptor, which the linker fixed.
func fn(f any) uintptr { return (*[2]uintptr)(unsafe.Pointer(&f))[1] }

var mallocFunctions = lib.TJSMallocFunctions{
	Fjs_malloc:             fn(hookMalloc),
	Fjs_free:               fn(hookFree),
	Fjs_realloc:            fn(hookRealloc),
	Fjs_malloc_usable_size: fn(hookUsable),
}
