package js

import (
	"unsafe"

	lib "modernc.org/libquickjs"
)

// QuickJS runs the body of a module without a top-level await as an async
// function, takes the reason out of its promise when it was rejected, and drops
// the promise: nobody can ever handle it. What the evaluation itself rejects, the
// promise of import() for one, is another promise, and is told of if need be.

// isBody reports whether a rejection is that of a module's body. It is once for
// each module.
func (e *Engine) isBody(r rejection) bool {
	m := e.origin(r.reason)
	if m == 0 || e.modules.thrown[m] {
		return false
	}
	if e.modules.thrown == nil {
		e.modules.thrown = map[uintptr]bool{}
	}
	e.modules.thrown[m] = true
	return true
}

// origin is the module without a top-level await whose own body threw reason, or
// 0. Those that import it, directly or not, have failed with the same reason.
func (e *Engine) origin(reason value) uintptr {
	list := e.ctx + unsafe.Offsetof(lib.TJSContext{}.Floaded_modules)
	for link := (*lib.Tlist_head)(at(list)).Fnext; link != list; link = (*lib.Tlist_head)(at(link)).Fnext {
		m := link - unsafe.Offsetof(lib.TJSModuleDef{}.Flink)
		if failedWith(m, reason) && !awaits(m) && !e.importsFailed(m, reason) {
			return m
		}
	}
	return 0
}

func failedWith(m uintptr, reason value) bool {
	d := (*lib.TJSModuleDef)(at(m))
	return d.F__ccgo256 != 0 && d.Feval_exception == reason
}

// awaits reports whether a module has a top-level await: the first of the four
// bit fields of a byte each, before resolved, func_created and status.
func awaits(m uintptr) bool { return (*lib.TJSModuleDef)(at(m)).F__ccgo144&0xff != 0 }

func (e *Engine) importsFailed(m uintptr, reason value) bool {
	d := (*lib.TJSModuleDef)(at(m))
	if d.Freq_module_entries == 0 {
		return false
	}
	entries := unsafe.Slice((*lib.TJSReqModuleEntry)(at(d.Freq_module_entries)), d.Freq_module_entries_count)
	for _, entry := range entries {
		if entry.Fmodule != 0 && entry.Fmodule != m && failedWith(entry.Fmodule, reason) {
			return true
		}
	}
	return false
}
