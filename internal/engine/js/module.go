package js

import (
	"errors"
	"io/fs"
	"path"
	"strings"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/libquickjs"
)

// Modules are files of the package, named by their path in it. A specifier
// starts with "./" or "../" and is taken relative to the importing file; it
// cannot leave the package, and there is nothing else to import. They are ES
// modules, JSON where an import says so, and CommonJS where they end in .cjs.

// modules is what the loader must remember between QuickJS's calls.
type modules struct {
	importer string           // of the specifier that was last resolved
	thrown   map[uintptr]bool // modules whose own rejection was seen, see isBody
}

var (
	errBare   = errors.New(`only files of the package can be imported, by a path that starts with "./" or "../"`)
	errEscape = errors.New("the path leaves the package")
)

// resolve turns a specifier into a path in the package.
func resolve(importer, specifier string) (string, error) {
	if !strings.HasPrefix(specifier, "./") && !strings.HasPrefix(specifier, "../") {
		return "", errBare
	}
	name := path.Join(path.Dir(importer), specifier)
	if !fs.ValidPath(name) || name == "." || strings.ContainsAny(name, "\\\x00") {
		return "", errEscape
	}
	return name, nil
}

// onNormalize returns the module's name in memory of QuickJS's, or 0 after it
// threw.
func onNormalize(tls *libc.TLS, ctx, base, name, _ uintptr) uintptr {
	e := current.Load()
	importer, specifier := libc.GoString(base), libc.GoString(name)
	resolved, err := resolve(importer, specifier)
	if err != nil {
		e.throwType(cannot("import", specifier, importer, err))
		return 0
	}
	e.modules.importer = importer
	return withC(resolved, func(p uintptr) uintptr { return lib.Xjs_strdup(tls, ctx, p) })
}

func cannot(do, what, importer string, err error) string {
	return "cannot " + do + ` "` + what + `" from ` + importer + ": " + err.Error()
}

// onAttributes refuses every import attribute but type.
func onAttributes(tls *libc.TLS, ctx, _ uintptr, attributes value) int32 {
	return lib.Xjs_module_check_attributes(tls, ctx, 0, attributes)
}

// onLoad returns the module definition, or 0 after it threw.
func onLoad(_ *libc.TLS, _, name, _ uintptr, attributes value) uintptr {
	e := current.Load()
	file := libc.GoString(name)
	source, err := e.readSource(file)
	if err != nil {
		e.throwReference(cannot("import", file, e.modules.importer, err))
		return 0
	}
	defer source.free()
	switch kind, ok := e.importType(attributes); {
	case !ok:
		return 0
	case kind == "json":
		return e.jsonModule(file, source)
	case kind != "":
		e.throwType(cannot("import", file, e.modules.importer, errors.New(`there is no import type "`+kind+`"`)))
		return 0
	case path.Ext(file) == ".json":
		e.throwType(cannot("import", file, e.modules.importer, errors.New(`JSON needs: with { type: "json" }`)))
		return 0
	case path.Ext(file) == commonJS:
		return e.commonJSModule(file)
	}
	m := e.compile(file, source)
	if isThrown(m) {
		return 0
	}
	e.drop(m) // the context's list of modules holds it
	return pointer(m)
}

// importType is the attribute type, or "".
func (e *Engine) importType(attributes value) (string, bool) {
	if !isObject(attributes) {
		return "", true
	}
	t := e.get(attributes, "type")
	defer e.drop(t)
	if isThrown(t) {
		return "", false
	}
	if isUndefined(t) {
		return "", true
	}
	s, _, ok := e.text(t, 64)
	return s, ok
}

// readSource returns a file of the package. The caller frees it.
func (e *Engine) readSource(file string) (source, error) {
	b, err := fs.ReadFile(e.program.Files, file)
	if errors.Is(err, fs.ErrNotExist) {
		return source{}, errors.New("there is no such file in the package")
	}
	if err != nil {
		return source{}, err
	}
	return newSource(unsafe.String(unsafe.SliceData(b), len(b))), nil
}

// compile returns the module in s, or thrown.
func (e *Engine) compile(file string, s source) value {
	return withC(file, func(name uintptr) value {
		return lib.XJS_Eval(e.tls, e.ctx, s.p, lib.Tsize_t(s.n), name,
			lib.MJS_EVAL_TYPE_MODULE|lib.MJS_EVAL_FLAG_COMPILE_ONLY)
	})
}

// jsonModule makes a module whose default export is the JSON in s.
func (e *Engine) jsonModule(file string, s source) uintptr {
	return withC(file, func(name uintptr) uintptr {
		v := lib.XJS_ParseJSON(e.tls, e.ctx, s.p, lib.Tsize_t(s.n), name)
		if isThrown(v) {
			return 0
		}
		m := lib.XJS_NewCModule(e.tls, e.ctx, name, fn(onJSONModule))
		if m == 0 {
			e.drop(v)
			return 0
		}
		withC("default", func(p uintptr) int32 { return lib.XJS_AddModuleExport(e.tls, e.ctx, m, p) })
		lib.XJS_SetModulePrivateValue(e.tls, e.ctx, m, v)
		return m
	})
}

// onJSONModule evaluates a module of jsonModule's.
func onJSONModule(tls *libc.TLS, ctx, m uintptr) int32 {
	v := lib.XJS_GetModulePrivateValue(tls, ctx, m)
	return withC("default", func(p uintptr) int32 { return lib.XJS_SetModuleExport(tls, ctx, m, p, v) })
}
