package js

import (
	"errors"
	"io/fs"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// CommonJS modules are run by the prelude when they are loaded, since the names
// of their exports are not known before. An ES module that imports one sees the
// values that its exports have then.

const commonJS = ".cjs"

// commonJSNatives are what the prelude's commonjs.js needs.
var commonJSNatives = []nativeMember{
	{"findModule", 2, nativeFindModule},         // (importer, specifier) → a file of the package
	{"moduleFunction", 1, nativeModuleFunction}, // (file) → its code as a function
	{"packageText", 1, nativePackageText},       // (file) → its text
}

// wrapper makes a function of a file. It is in the file's first line, so that the
// numbers of lines stay: see frame.unwrap.
const (
	wrapperBegin = "(function(exports,require,module,__filename,__dirname){"
	wrapperEnd   = "\n})"
)

// endings are tried behind a specifier that names no file (Node.js, "Loading from
// the node_modules folder" left out).
var endings = []string{"", ".cjs", ".js", ".json", "/index.cjs", "/index.js"}

var errNoModule = errors.New("there is no such file in the package")

func nativeFindModule(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	importer, _, ok := e.text(argument(argv, 0), maxSpecifier)
	if !ok {
		return thrown
	}
	specifier, length, ok := e.text(argument(argv, 1), maxSpecifier)
	switch {
	case !ok:
		return thrown
	case length > maxSpecifier:
		return e.throwType("require: the specifier is too long")
	}
	file, err := e.findModule(importer, specifier)
	if err != nil {
		return e.throwReference(cannot("require", specifier, importer, err))
	}
	return e.newString(file)
}

// maxSpecifier bounds what require is given, in bytes.
const maxSpecifier = 4 << 10

func (e *Engine) findModule(importer, specifier string) (string, error) {
	name, err := resolve(importer, specifier)
	if err != nil {
		return "", err
	}
	for _, ending := range endings {
		if st, err := fs.Stat(e.program.Files, name+ending); err == nil && st.Mode().IsRegular() {
			return name + ending, nil
		}
	}
	return "", errNoModule
}

func nativeModuleFunction(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	file, b, ok := e.packageFile(argv)
	if !ok {
		return thrown
	}
	s := newSource(wrapperBegin + b + wrapperEnd)
	defer s.free()
	return withC(file, func(name uintptr) value {
		return lib.XJS_Eval(e.tls, e.ctx, s.p, lib.Tsize_t(s.n), name, lib.MJS_EVAL_TYPE_GLOBAL)
	})
}

func nativePackageText(_ *libc.TLS, _ uintptr, _ value, _ int32, argv uintptr) value {
	e := current.Load()
	_, b, ok := e.packageFile(argv)
	if !ok {
		return thrown
	}
	return e.newString(b)
}

// packageFile reads the file that the first argument names, which the prelude
// found. It reports false after it threw.
func (e *Engine) packageFile(argv uintptr) (file, content string, ok bool) {
	file, _, ok = e.text(argument(argv, 0), maxSpecifier)
	if !ok {
		return "", "", false
	}
	b, err := fs.ReadFile(e.program.Files, file)
	if err != nil {
		e.throwReference(cannot("read", file, "the package", err))
		return "", "", false
	}
	return file, unsafe.String(unsafe.SliceData(b), len(b)), true
}

// commonJSModule runs a file and returns a module of its exports, or 0 after it
// threw.
func (e *Engine) commonJSModule(file string) uintptr {
	name := e.newString(file)
	if isThrown(name) {
		return 0
	}
	defer e.drop(name)
	members := e.call(theRoot().entry[entryCommonJS], name)
	if isThrown(members) {
		return 0
	}
	m := withC(file, func(p uintptr) uintptr { return lib.XJS_NewCModule(e.tls, e.ctx, p, fn(onCommonJSModule)) })
	if m == 0 {
		e.drop(members)
		return 0
	}
	for _, name := range e.ownNames(members) {
		withC(name, func(p uintptr) int32 { return lib.XJS_AddModuleExport(e.tls, e.ctx, m, p) })
	}
	lib.XJS_SetModulePrivateValue(e.tls, e.ctx, m, members)
	return m
}

// onCommonJSModule evaluates a module of commonJSModule's.
func onCommonJSModule(tls *libc.TLS, ctx, m uintptr) int32 {
	e := current.Load()
	members := lib.XJS_GetModulePrivateValue(tls, ctx, m)
	defer e.drop(members)
	for _, name := range e.ownNames(members) {
		v := e.get(members, name)
		if isThrown(v) {
			return -1
		}
		if withC(name, func(p uintptr) int32 { return lib.XJS_SetModuleExport(tls, ctx, m, p, v) }) < 0 {
			return -1
		}
	}
	return 0
}

// commonJSEntry is an ES module that has the exports of the entry, which is none.
func commonJSEntry(entry string) (name string, s source) {
	return preludeScheme + "entry", newSource(`export * from "./` + entry + `";`)
}
