package wasm

// A small assembler of WebAssembly modules for tests (WebAssembly Core
// Specification 2.0, section 5).

// module is what a test's module has. Functions are numbered as they stand: the
// imported ones first.
type module struct {
	imports []imported
	funcs   []function
	pages   uint32 // of memory; it is exported
	most    uint32 // 0: no maximum
	start   int    // the start function's number; 0: none
	data    string // at address 0
}

type imported struct {
	module, name    string
	params, results []byte
}

type function struct {
	export          string // "" for none
	params, results []byte
	body            []byte // without the final end
}

// Value types and the instructions that the tests use.
const (
	tI32 = 0x7f
	tI64 = 0x7e
)

var (
	opUnreachable = []byte{0x00}
	opLoop        = []byte{0x03, 0x40} // loop, no result
	opEnd         = []byte{0x0b}
	opDrop        = []byte{0x1a}
	opGrow        = []byte{0x40, 0}
	opWrap        = []byte{0xa7} // i32.wrap_i64
)

func code(parts ...[]byte) (b []byte) {
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

func constant(n int32) []byte { return append([]byte{0x41}, signed(int64(n))...) }
func invoke(n uint32) []byte  { return append([]byte{0x10}, unsigned(uint64(n))...) }
func branch(n uint32) []byte  { return append([]byte{0x0c}, unsigned(uint64(n))...) }

func unsigned(n uint64) (b []byte) {
	for ; n >= 0x80; n >>= 7 {
		b = append(b, byte(n)|0x80)
	}
	return append(b, byte(n))
}

func signed(n int64) (b []byte) {
	for {
		c := byte(n & 0x7f)
		n >>= 7
		if n == 0 && c&0x40 == 0 || n == -1 && c&0x40 != 0 {
			return append(b, c)
		}
		b = append(b, c|0x80)
	}
}

func vector(items [][]byte) []byte { return append(unsigned(uint64(len(items))), code(items...)...) }
func name(s string) []byte         { return append(unsigned(uint64(len(s))), s...) }
func bytesOf(b []byte) []byte      { return append(unsigned(uint64(len(b))), b...) }

func section(id byte, content []byte) []byte {
	return append(append([]byte{id}, unsigned(uint64(len(content)))...), content...)
}

// assemble gives the module's binary form.
func (m module) assemble() []byte {
	var types, imports, funcs, exports, bodies [][]byte
	signature := func(params, results []byte) []byte {
		types = append(types, code([]byte{0x60}, bytesOf(params), bytesOf(results)))
		return unsigned(uint64(len(types) - 1))
	}
	for _, i := range m.imports {
		imports = append(imports, code(name(i.module), name(i.name), []byte{0}, signature(i.params, i.results)))
	}
	for n, f := range m.funcs {
		funcs = append(funcs, signature(f.params, f.results))
		if f.export != "" {
			exports = append(exports, code(name(f.export), []byte{0}, unsigned(uint64(len(m.imports)+n))))
		}
		bodies = append(bodies, bytesOf(code([]byte{0}, f.body, opEnd)))
	}
	b := code([]byte("\x00asm\x01\x00\x00\x00"), section(1, vector(types)), section(2, vector(imports)), section(3, vector(funcs)))
	if m.pages > 0 {
		limits := append([]byte{0}, unsigned(uint64(m.pages))...)
		if m.most > 0 {
			limits = code([]byte{1}, unsigned(uint64(m.pages)), unsigned(uint64(m.most)))
		}
		b = append(b, section(5, vector([][]byte{limits}))...)
		exports = append(exports, code(name("memory"), []byte{2, 0}))
	}
	b = append(b, section(7, vector(exports))...)
	if m.start > 0 {
		b = append(b, section(8, unsigned(uint64(m.start)))...)
	}
	b = append(b, section(10, vector(bodies))...)
	if m.data != "" {
		b = append(b, section(11, vector([][]byte{code([]byte{0}, constant(0), opEnd, name(m.data))}))...)
	}
	return b
}

// abi are the functions of the module "mp", by the numbers that they get.
var abi = []imported{
	{"mp", "input_size", nil, []byte{tI32}},
	{"mp", "input", []byte{tI32}, nil},
	{"mp", "output", []byte{tI32, tI32}, nil},
	{"mp", "error", []byte{tI32, tI32}, nil},
	{"mp", "request", []byte{tI32, tI32, tI32, tI32}, []byte{tI64}},
	{"mp", "answer", []byte{tI32}, nil},
	{"mp", "log", []byte{tI32, tI32, tI32}, nil},
}

const (
	fnInputSize = iota
	fnInput
	fnOutput
	fnError
	fnRequest
	fnAnswer
	fnLog
	fnFirst // the module's own
)
